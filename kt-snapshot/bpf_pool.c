// SPDX-License-Identifier: GPL-2.0
#include "bpf_pool.h"

#include <errno.h>
#include <sys/mman.h>

#define ALIGNMENT 16UL

/* BPF_POOL_MAX_BYTES is a multiple of it. */
static size_t round_up(size_t size)
{
	return (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

int bpf_pool_open(struct bpf_pool *p)
{
	*p = (struct bpf_pool){};
	p->data = mmap(NULL, BPF_POOL_MAX_BYTES, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p->data == MAP_FAILED) {
		p->data = NULL;
		return -ENOMEM;
	}
	/* Fewer faults while the guest waits; a kernel without huge pages does without. */
	madvise(p->data, BPF_POOL_MAX_BYTES, MADV_HUGEPAGE);
	return 0;
}

void bpf_pool_close(struct bpf_pool *p)
{
	if (p->data)
		munmap(p->data, BPF_POOL_MAX_BYTES);
	*p = (struct bpf_pool){};
}

void *bpf_pool_take(struct bpf_pool *p, size_t size)
{
	void *at = p->data + p->used;

	if (size > bpf_pool_left(p))
		return NULL;
	p->used += round_up(size);
	return at;
}

int bpf_pool_grow(struct bpf_pool *p, void *data, size_t size)
{
	size_t at = (uint8_t *)data - p->data;

	if (size > BPF_POOL_MAX_BYTES - at)
		return -ENOSPC;
	p->used = at + round_up(size);
	return 0;
}

size_t bpf_pool_left(const struct bpf_pool *p)
{
	return p->data ? BPF_POOL_MAX_BYTES - p->used : 0;
}

void bpf_pool_reset(struct bpf_pool *p)
{
	p->used = 0;
}

void bpf_pool_trim(struct bpf_pool *p)
{
	if (p->used > BPF_POOL_KEEP_BYTES)
		madvise(p->data + BPF_POOL_KEEP_BYTES, p->used - BPF_POOL_KEEP_BYTES,
			MADV_DONTNEED);
	p->used = 0;
}
