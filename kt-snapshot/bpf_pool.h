/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where copies of the guest's data go while it stands still: one run of memory, given out from its
 * beginning and taken back as a whole. It is bounded, and stays warm between captures.
 */
#ifndef KT_SNAPSHOT_BPF_POOL_H
#define KT_SNAPSHOT_BPF_POOL_H

#include <stddef.h>
#include <stdint.h>

#define BPF_POOL_MAX_BYTES  (512UL << 20)
#define BPF_POOL_KEEP_BYTES (128UL << 20) /* stays when nothing is in it */

struct bpf_pool {
	uint8_t *data;
	size_t used;
};

/* Returns 0 or -ENOMEM. bpf_pool_close() releases it. */
int bpf_pool_open(struct bpf_pool *p);
void bpf_pool_close(struct bpf_pool *p);

/* @size bytes, aligned to 16, of undefined content; or NULL when it is full. */
void *bpf_pool_take(struct bpf_pool *p, size_t size);

/* Make what was taken last, at @data, @size bytes long. Returns 0 or -ENOSPC. */
int bpf_pool_grow(struct bpf_pool *p, void *data, size_t size);

/* What is left, in bytes. */
size_t bpf_pool_left(const struct bpf_pool *p);

/* Take everything back. bpf_pool_trim() also gives what is beyond BPF_POOL_KEEP_BYTES back. */
void bpf_pool_reset(struct bpf_pool *p);
void bpf_pool_trim(struct bpf_pool *p);

#endif
