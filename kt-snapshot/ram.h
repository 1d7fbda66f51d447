/* SPDX-License-Identifier: GPL-2.0 */
/* The guest's physical memory, mapped into this process. It changes under its reader's hands. */
#ifndef KT_SNAPSHOT_RAM_H
#define KT_SNAPSHOT_RAM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RAM_MAX_RANGES 128

struct ram_range {
	uint64_t address, size; /* guest-physical */
	uint8_t *data;
};

struct ram {
	struct ram_range ranges[RAM_MAX_RANGES]; /* in the order of their addresses */
	size_t n_ranges;
	bool writable;
};

/*
 * Map what the answer to "ram" describes; @fds stay the caller's. Returns 0 or -errno with *@why
 * malloc'ed. ram_unmap() releases it.
 */
int ram_map(struct ram *ram, const json_t *answer, const int *fds, size_t n_fds, bool writable,
	    char **why);
void ram_unmap(struct ram *ram);

/* @len bytes at @address, or NULL when not all of them are there in one range. */
uint8_t *ram_at(const struct ram *ram, uint64_t address, uint64_t len);

#endif
