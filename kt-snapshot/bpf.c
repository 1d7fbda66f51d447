// SPDX-License-Identifier: GPL-2.0
#include "bpf.h"

#include <stdlib.h>

#include "bpf_prog.h"
#include "diag.h"

struct bpf *bpf_of(struct kernel *k)
{
	struct bpf *b = k->bpf;

	if (b)
		return b;
	b = xcalloc(1, sizeof(*b));
	if (bpf_pool_open(&b->pool)) {
		free(b);
		return NULL;
	}
	b->k = k;
	bpf_layout_read(&b->layout, &k->types);
	k->bpf = b;
	return b;
}

void bpf_free(struct bpf *b)
{
	if (!b)
		return;
	bpf_progs_forget(b);
	bpf_btf_cache_free(&b->btfs);
	bpf_pool_close(&b->pool);
	free(b);
}
