/* SPDX-License-Identifier: GPL-2.0 */
/* What a session keeps about the kernel's BPF objects from one capture to the next. */
#ifndef KT_SNAPSHOT_BPF_H
#define KT_SNAPSHOT_BPF_H

#include "bpf_btf.h"
#include "bpf_layout.h"
#include "bpf_pool.h"
#include "kernel.h"

struct bpf_prog_id;

struct bpf {
	struct kernel *k;
	struct bpf_layout layout;
	struct bpf_btf_cache btfs;
	struct bpf_pool pool;
	struct bpf_prog_id *progs; /* see bpf_prog.h */
	size_t n_progs;
};

/* The session's, made when it is asked for first; NULL: no memory. It belongs to @k. */
struct bpf *bpf_of(struct kernel *k);

/* For kernel_close(). NULL is fine. */
void bpf_free(struct bpf *b);

#endif
