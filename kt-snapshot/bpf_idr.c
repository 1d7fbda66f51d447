// SPDX-License-Identifier: GPL-2.0
#include "bpf_idr.h"

#include <string.h>

#include "diag.h"

/* include/linux/xarray.h: what an entry's two lowest bits say, and how many slots a node has. */
#define TAG_MASK     3
#define TAG_INTERNAL 2
#define NODE_SLOTS   64
#define NODE_BITS    6
#define NODE_MIN     4096 /* internal entries below it are marks, not nodes */

struct reader {
	struct kernel *k;
	const struct bpf_layout *l;
	uint64_t *objects;
	size_t n, capacity, nodes;
	const char *why;
};

static bool is_node(uint64_t entry)
{
	return (entry & TAG_MASK) == TAG_INTERNAL && entry > NODE_MIN;
}

static void object_add(struct reader *r, uint64_t object)
{
	if (r->n == BPF_IDR_MAX_OBJECTS) {
		r->why = "more objects than the limit of 65536";
		return;
	}
	if (r->n == r->capacity) {
		r->capacity = r->capacity ? 2 * r->capacity : 64;
		r->objects = xrealloc(r->objects, r->capacity * sizeof(*r->objects));
	}
	r->objects[r->n++] = object;
}

/*
 * Shifts fall by NODE_BITS from each node to those below it, which ends every descent; the count of
 * nodes ends a tree that meets itself.
 */
static void node_read(struct reader *r, uint64_t entry, int parent_shift)
{
	uint64_t node = entry - TAG_INTERNAL, slots[NODE_SLOTS];
	int64_t shift;
	size_t i;

	if (r->nodes++ == BPF_IDR_MAX_NODES) {
		r->why = "more nodes than the limit of 16384";
		return;
	}
	if (!field_is_there(&r->l->xa_node.shift) || !field_is_there(&r->l->xa_node.slots)) {
		r->why = "this kernel lacks a member that says what is in it";
		return;
	}
	if (kernel_field_number(r->k, &r->l->xa_node.shift, node, &shift) ||
	    memory_read(&r->k->memory, node + r->l->xa_node.slots.offset, slots, sizeof(slots))) {
		r->why = "a node is not in memory";
		return;
	}
	if (parent_shift >= 0 ? shift != parent_shift - NODE_BITS
			      : shift > 60 || shift % NODE_BITS) {
		r->why = "a node is broken";
		return;
	}
	for (i = 0; i < NODE_SLOTS && !r->why; i++) {
		if (is_node(slots[i]) && shift)
			node_read(r, slots[i], shift);
		else if (slots[i] && !(slots[i] & TAG_MASK))
			object_add(r, slots[i]);
	}
}

uint64_t *bpf_idr_read(struct kernel *k, const struct bpf_layout *l, uint64_t address, size_t *n,
		       const char **why)
{
	struct reader r = {.k = k, .l = l};
	uint64_t head = 0;

	if (field_is_there(&l->idr.xa_head) &&
	    memory_u64(&k->memory, address + l->idr.xa_head.offset, &head))
		r.why = "it is not in memory";
	else if (is_node(head))
		node_read(&r, head, -1);
	else if (head && !(head & TAG_MASK))
		object_add(&r, head);
	*n = r.n;
	*why = r.why;
	return r.objects;
}
