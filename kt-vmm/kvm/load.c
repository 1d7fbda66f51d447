// SPDX-License-Identifier: GPL-2.0
#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "diag.h"
#include "state.h"

#define PART_SIZE (2ULL << 20)

struct load_part {
	const uint8_t *from;
	uint64_t gpa, len;
};

struct load_map {
	void *at;
	size_t len;
};

static void part_add(struct load *l, const uint8_t *from, uint64_t gpa, uint64_t len)
{
	while (len) {
		uint64_t n = len < PART_SIZE ? len : PART_SIZE;

		if (l->n == l->size) {
			l->size = 2 * l->size + 64;
			l->parts = xrealloc(l->parts, l->size * sizeof(*l->parts));
		}
		l->parts[l->n++] = (struct load_part){from, gpa, n};
		from += n;
		gpa += n;
		len -= n;
	}
}

/* The mapping may reach over the file's end: copying from there fails, and touches nothing. */
static const uint8_t *file_map(struct load *l, int fd, uint64_t offset, uint64_t len)
{
	uint64_t lead = offset % sysconf(_SC_PAGESIZE);
	void *at = mmap(NULL, len + lead, PROT_READ, MAP_PRIVATE, fd, offset - lead);

	if (at == MAP_FAILED)
		return NULL;
	l->maps = xrealloc(l->maps, (l->n_maps + 1) * sizeof(*l->maps));
	l->maps[l->n_maps++] = (struct load_map){at, len + lead};
	return (uint8_t *)at + lead;
}

int load_add(struct kvm_vm *vm, int fd, uint64_t offset, uint64_t gpa, uint64_t len)
{
	uint64_t end = offset + len, at = offset;
	const uint8_t *from;

	if (!len)
		return 0;
	if (lseek(fd, 0, SEEK_END) < (off_t)end)
		return -EFAULT;
	from = file_map(&vm->load, fd, offset, len);
	if (!from)
		return -errno;
	while (at < end) {
		off_t data = lseek(fd, at, SEEK_DATA), hole;

		if (data < 0 && errno == ENXIO)
			break; /* the rest is a hole */
		hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
		if (hole < 0) { /* a file system that knows no holes */
			data = at;
			hole = end;
		}
		if ((uint64_t)data >= end)
			break;
		if ((uint64_t)hole > end)
			hole = end;
		part_add(&vm->load, from + (data - offset), gpa + (data - offset), hole - data);
		at = hole;
	}
	return 0;
}

static int part_copy(struct kvm_vm *vm, struct load_part p)
{
	while (p.len) {
		uint64_t left, offset;
		int fd = kvm_ram_file(vm, p.gpa, &offset, &left);
		ssize_t n;

		if (fd < 0)
			return fd;
		n = pwrite(fd, p.from, p.len < left ? p.len : left, offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		p.from += n;
		p.gpa += n;
		p.len -= n;
	}
	return 0;
}

static void *load_thread(void *arg)
{
	struct kvm_vm *vm = arg;
	struct load *l = &vm->load;
	size_t i;

	while ((i = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED)) < l->n) {
		int err = part_copy(vm, l->parts[i]);

		if (err)
			__atomic_store_n(&l->err, err, __ATOMIC_RELAXED);
	}
	return NULL;
}

int load_start(struct kvm_vm *vm)
{
	struct load *l = &vm->load;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int err = 0;

	while (!err && l->n_threads < LOAD_MAX_THREADS && l->n_threads < (cpus > 0 ? cpus : 1)) {
		err = -pthread_create(&l->threads[l->n_threads], NULL, load_thread, vm);
		l->n_threads += !err;
	}
	return l->n_threads ? 0 : err;
}

int load_finish(struct kvm_vm *vm)
{
	struct load *l = &vm->load;
	int err;

	while (l->n_threads)
		pthread_join(l->threads[--l->n_threads], NULL);
	while (l->n_maps--)
		munmap(l->maps[l->n_maps].at, l->maps[l->n_maps].len);
	free(l->maps);
	free(l->parts);
	err = l->err;
	*l = (struct load){0};
	return err;
}
