// SPDX-License-Identifier: GPL-2.0
#include "memory.h"

#include <errno.h>
#include <string.h>

#define PAGE_SHIFT   12
#define PAGE_SIZE    (1ULL << PAGE_SHIFT)
#define TABLE_BITS   9
#define ENTRY_HERE   (1ULL << 0)
#define ENTRY_LARGE  (1ULL << 7)
#define ADDRESS_MASK 0x000ffffffffff000ULL

void memory_flush(struct memory *m)
{
	memset(m->tlb, 0, sizeof(m->tlb));
}

/*
 * The address of @va, and in *@shift the size of the page, or of the hole, that it lies in, as a
 * power of two.
 */
static int walk(struct memory *m, uint64_t va, uint64_t *address, int *shift)
{
	uint64_t table = m->root;

	*shift = PAGE_SHIFT + TABLE_BITS * (m->five_levels ? 4 : 3);
	for (;; *shift -= TABLE_BITS) {
		uint64_t index = va >> *shift & ((1 << TABLE_BITS) - 1), entry;
		const uint8_t *p = ram_at(m->ram, table + index * sizeof(entry), sizeof(entry));

		if (!p)
			return -EFAULT;
		memcpy(&entry, p, sizeof(entry));
		entry &= ~m->encryption_mask;
		if (!(entry & ENTRY_HERE))
			return -EFAULT;
		if (*shift == PAGE_SHIFT ||
		    (entry & ENTRY_LARGE && *shift <= PAGE_SHIFT + 2 * TABLE_BITS)) {
			uint64_t within = (1ULL << *shift) - 1;

			*address = (entry & ADDRESS_MASK & ~within) | (va & within);
			return 0;
		}
		table = entry & ADDRESS_MASK;
	}
}

/* Bits above the tables' repeat the highest one that they use (SDM 3A 4.5.2). */
static bool canonical(const struct memory *m, uint64_t va)
{
	int bits = m->five_levels ? 57 : 48;

	return (uint64_t)((int64_t)(va << (64 - bits)) >> (64 - bits)) == va;
}

int memory_translate(struct memory *m, uint64_t va, uint64_t *address)
{
	uint64_t page = va >> PAGE_SHIFT;
	size_t slot = page % MEMORY_TLB_SIZE;
	int err, shift;

	if (m->tlb[slot].page == page + 1) {
		*address = m->tlb[slot].address << PAGE_SHIFT | (va & (PAGE_SIZE - 1));
		return 0;
	}
	err = canonical(m, va) ? walk(m, va, address, &shift) : -EFAULT;
	if (!err) {
		m->tlb[slot].page = page + 1;
		m->tlb[slot].address = *address >> PAGE_SHIFT;
	}
	return err;
}

int memory_find(struct memory *m, uint64_t va, uint64_t *address, uint64_t *span)
{
	int shift = PAGE_SHIFT, err = canonical(m, va) ? walk(m, va, address, &shift) : -EFAULT;

	*span = (1ULL << shift) - (va & ((1ULL << shift) - 1));
	return err;
}

/* Where @va lies in our own memory, with at most what is left of its page in *@len. */
static uint8_t *locate(struct memory *m, uint64_t va, size_t *len)
{
	uint64_t left = PAGE_SIZE - (va & (PAGE_SIZE - 1)), address;

	if (*len > left)
		*len = left;
	return memory_translate(m, va, &address) ? NULL : ram_at(m->ram, address, *len);
}

size_t memory_read_some(struct memory *m, uint64_t va, void *buf, size_t len)
{
	uint8_t *to = buf;
	size_t done = 0;

	while (done < len) {
		size_t n = len - done;
		const uint8_t *from = locate(m, va + done, &n);

		if (!from)
			break;
		memcpy(to + done, from, n);
		done += n;
	}
	return done;
}

int memory_read(struct memory *m, uint64_t va, void *buf, size_t len)
{
	return memory_read_some(m, va, buf, len) == len ? 0 : -EFAULT;
}

int memory_write(struct memory *m, uint64_t va, const void *buf, size_t len)
{
	const uint8_t *from = buf;
	uint64_t at = va;
	size_t done;

	if (!m->ram->writable)
		return -EROFS;
	for (done = 0; done < len;) {
		size_t n = len - done;

		if (!locate(m, at + done, &n))
			return -EFAULT;
		done += n;
	}
	for (done = 0; done < len;) {
		size_t n = len - done;
		uint8_t *to = locate(m, at + done, &n);

		memcpy(to, from + done, n);
		done += n;
	}
	return 0;
}

int memory_u64(struct memory *m, uint64_t va, uint64_t *value)
{
	return memory_read(m, va, value, sizeof(*value));
}

int memory_u32(struct memory *m, uint64_t va, uint32_t *value)
{
	return memory_read(m, va, value, sizeof(*value));
}

int memory_string(struct memory *m, uint64_t va, char *buf, size_t size)
{
	size_t have = 0;

	while (have < size - 1) {
		size_t n = size - 1 - have;
		const uint8_t *from = locate(m, va + have, &n);
		char *end;

		if (!from)
			return -EFAULT;
		memcpy(buf + have, from, n);
		end = memchr(buf + have, '\0', n);
		if (end)
			return end - buf;
		have += n;
	}
	buf[have] = '\0';
	return have;
}
