// SPDX-License-Identifier: GPL-2.0
#include "ram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "diag.h"

static int compare(const void *a, const void *b)
{
	const struct ram_range *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

/* One range of the answer. Returns 0 or -errno. */
static int map_range(struct ram *ram, const json_t *o, const int *fds, size_t n_fds)
{
	json_int_t fd = json_integer_value(json_object_get(o, "fd"));
	json_int_t offset = json_integer_value(json_object_get(o, "offset"));
	json_int_t address = json_integer_value(json_object_get(o, "address"));
	json_int_t size = json_integer_value(json_object_get(o, "size"));
	struct ram_range *r = &ram->ranges[ram->n_ranges];
	struct stat st;
	void *data;

	if (ram->n_ranges == RAM_MAX_RANGES || fd < 0 || (size_t)fd >= n_fds || offset < 0 ||
	    address < 0 || size <= 0 || address > INT64_MAX - size)
		return -EBADMSG;
	if (fstat(fds[fd], &st))
		return -errno;
	if (offset > st.st_size || size > st.st_size - offset)
		return -EBADMSG;
	data = mmap(NULL, size, PROT_READ | (ram->writable ? PROT_WRITE : 0),
		    MAP_SHARED | MAP_NORESERVE, fds[fd], offset);
	if (data == MAP_FAILED)
		return -errno;
	*r = (struct ram_range){.address = address, .size = size, .data = data};
	ram->n_ranges++;
	return 0;
}

int ram_map(struct ram *ram, const json_t *answer, const int *fds, size_t n_fds, bool writable,
	    char **why)
{
	const json_t *list = json_object_get(answer, "ram");
	size_t i;
	int err = json_array_size(list) ? 0 : -EBADMSG;

	*ram = (struct ram){.writable = writable};
	for (i = 0; !err && i < json_array_size(list); i++)
		err = map_range(ram, json_array_get(list, i), fds, n_fds);
	qsort(ram->ranges, ram->n_ranges, sizeof(*ram->ranges), compare);
	if (err) {
		*why = xasprintf("cannot map the guest's memory: %s", strerror(-err));
		ram_unmap(ram);
	}
	return err;
}

void ram_unmap(struct ram *ram)
{
	size_t i;

	for (i = 0; i < ram->n_ranges; i++)
		munmap(ram->ranges[i].data, ram->ranges[i].size);
	ram->n_ranges = 0;
}

uint8_t *ram_at(const struct ram *ram, uint64_t address, uint64_t len)
{
	size_t i;

	for (i = 0; i < ram->n_ranges; i++) {
		const struct ram_range *r = &ram->ranges[i];

		if (address >= r->address && address - r->address < r->size)
			return len <= r->size - (address - r->address)
				       ? r->data + (address - r->address)
				       : NULL;
	}
	return NULL;
}
