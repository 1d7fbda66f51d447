/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The type information that BPF objects carry, read from the kernel's copy and kept between
 * captures. Getting hold of it (while the guest is frozen) copies it, once; parsing it waits.
 */
#ifndef KT_SNAPSHOT_BPF_BTF_H
#define KT_SNAPSHOT_BPF_BTF_H

#include "bpf_layout.h"
#include "kernel.h"

#define BPF_BTF_MAX_BYTES   (16u << 20) /* of one */
#define BPF_BTF_MAX_OBJECTS 1024
#define BPF_BTF_MAX_TOTAL   (128u << 20) /* of all that are kept */

struct bpf_btf {
	uint64_t address, data; /* struct btf, and its blob, in the guest */
	uint32_t id, size;
	bool kernel; /* the kernel's own: its types are those of struct kernel */
	bool split;  /* a module's, upon the kernel's */
	bool failed; /* libbpf does not take it */
	void *raw;
	struct btf *btf;
	uint64_t used_by; /* the capture that asked for it last */
};

struct bpf_btf_cache {
	struct bpf_btf **entries;
	size_t n, bytes;
	uint64_t capture;
};

/*
 * The one at @address of the guest. Returns NULL when it is not there, too large or too many; it
 * belongs to the cache, until two captures later nobody has asked for it.
 */
struct bpf_btf *bpf_btf_get(struct bpf_btf_cache *c, struct kernel *k, const struct bpf_layout *l,
			    uint64_t address);

/* Its types, parsed when they are asked for first, or NULL when libbpf does not take them. */
const struct btf *bpf_btf_types(struct bpf_btf *b, const struct kernel *k);

/* A capture begins: forget what the last one did not ask for. */
void bpf_btf_cache_begin(struct bpf_btf_cache *c);
void bpf_btf_cache_free(struct bpf_btf_cache *c);

#endif
