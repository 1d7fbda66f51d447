/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's virtual memory, by walking its page tables in RAM (Intel SDM 3A 4.5): four and five
 * levels, pages of 4 KiB, 2 MiB and 1 GiB. Nothing found there is trusted: every address is checked
 * against RAM, and a walk has as many steps as there are levels.
 */
#ifndef KT_SNAPSHOT_MEMORY_H
#define KT_SNAPSHOT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ram.h"

#define MEMORY_TLB_SIZE 256

struct memory {
	const struct ram *ram;
	uint64_t root; /* guest-physical address of the top-level table */
	bool five_levels;
	uint64_t encryption_mask; /* of SME, not part of an address */
	struct {
		uint64_t page, address; /* both in units of 4 KiB; page + 1, 0: empty */
	} tlb[MEMORY_TLB_SIZE];
};

/* Forget translations: the guest has run since. */
void memory_flush(struct memory *m);

/* The guest-physical address of @va. Returns 0 or -EFAULT. */
int memory_translate(struct memory *m, uint64_t va, uint64_t *address);

/*
 * The same, and in *@span how many bytes from @va on are alike: to the end of the page, or of the
 * hole in the tables.
 */
int memory_find(struct memory *m, uint64_t va, uint64_t *address, uint64_t *span);

/* Copy up to @len bytes from @va, until a page is not there. Returns how many. */
size_t memory_read_some(struct memory *m, uint64_t va, void *buf, size_t len);

/* Copy @len bytes from @va. Returns 0, or -EFAULT when a page is not there (@buf is undefined). */
int memory_read(struct memory *m, uint64_t va, void *buf, size_t len);

/* Copy @len bytes to @va; all or nothing. Returns 0, -EFAULT, or -EROFS when RAM is not writable.
 */
int memory_write(struct memory *m, uint64_t va, const void *buf, size_t len);

/* Read one little-endian number. Return 0 or -EFAULT. */
int memory_u64(struct memory *m, uint64_t va, uint64_t *value);
int memory_u32(struct memory *m, uint64_t va, uint32_t *value);

/*
 * Copy a string of at most @size - 1 bytes and terminate it. Returns its length or -EFAULT.
 */
int memory_string(struct memory *m, uint64_t va, char *buf, size_t size);

#endif
