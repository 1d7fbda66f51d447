/* SPDX-License-Identifier: GPL-2.0 */
/* Chains of elements in the guest's memory, which may be broken: no walk goes round. */
#ifndef KT_SNAPSHOT_BPF_CHAIN_H
#define KT_SNAPSHOT_BPF_CHAIN_H

#include "bpf_map.h"

struct chain_rules {
	uint32_t next; /* where in an element the pointer to the next one is */
	bool (*is_end)(uint64_t pointer);
	uint64_t round; /* of a list that is a ring: its head, where it ends, too; else 0 */
	/* Returns 0, or anything else to end the walk of the whole map. */
	int (*each)(void *context, uint64_t element);
	void *context;
};

/*
 * Call each() for @first and those that follow it. A chain that breaks off or meets itself ends
 * there, with a note in @m. Returns what each() did when that ended it, else 0.
 */
int chain_walk(struct bpf *b, struct map_copy *m, uint64_t first, const struct chain_rules *rules);

/*
 * A copy of @n buckets of @size bytes each, which the caller frees, or NULL with a note in @m.
 */
uint8_t *map_buckets_read(struct bpf *b, struct map_copy *m, uint64_t address, uint64_t n,
			  uint32_t size);

#endif
