/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What pointers in maps point to, copied while the guest stands still, level by level: first what
 * values point to, then what that points to. Each object is there once, whatever points to it.
 *
 * A pointer into an array or a section of variables leads to what the program's own types say. Any
 * other leads to the kernel's type of that name where there is one, as a program may know only some
 * members of it (CO-RE).
 */
#ifndef KT_SNAPSHOT_BPF_CHASE_H
#define KT_SNAPSHOT_BPF_CHASE_H

#include "bpf_map.h"

#define BPF_CHASE_MAX_DEPTH    8
#define BPF_CHASE_MAX_OBJECTS  4096
#define BPF_CHASE_MAX_BYTES    65536 /* of one object */
#define BPF_CHASE_MAX_POINTERS 1024  /* in one type */

struct bpf_chase;

/* Follow the pointers in @maps, @depth levels (at most BPF_CHASE_MAX_DEPTH). The caller frees. */
struct bpf_chase *bpf_chase_maps(struct bpf *b, const struct map_copy *maps, size_t n,
				 unsigned int depth);
void bpf_chase_free(struct bpf_chase *c);

/*
 * For struct btf_render, with the chase as its context: {"address": "0x..", "value": ...} where
 * @value was followed, and is not what the pointer is within.
 */
json_t *bpf_chase_pointer(struct btf_render *r, uint32_t pointer, uint64_t value);

#endif
