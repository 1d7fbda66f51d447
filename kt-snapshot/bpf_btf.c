// SPDX-License-Identifier: GPL-2.0
#include "bpf_btf.h"

#include <bpf/libbpf.h>
#include <stdlib.h>

#include "cleanup.h"
#include "diag.h"

static void entry_free(struct bpf_btf_cache *c, struct bpf_btf *b)
{
	if (!b->kernel)
		btf__free(b->btf);
	c->bytes -= b->size;
	free(b->raw);
	free(b);
}

static struct bpf_btf *find(struct bpf_btf_cache *c, const struct bpf_btf *like)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		struct bpf_btf *b = c->entries[i];

		if (b->address == like->address && b->id == like->id && b->data == like->data &&
		    b->size == like->size)
			return b;
	}
	return NULL;
}

static struct bpf_btf *add(struct bpf_btf_cache *c, struct kernel *k, const struct bpf_btf *like)
{
	_cleanup_free_ void *raw = NULL;
	struct bpf_btf *b;

	if (c->n == BPF_BTF_MAX_OBJECTS || like->size > BPF_BTF_MAX_TOTAL - c->bytes)
		return NULL;
	if (!like->kernel) {
		raw = xmalloc(like->size);
		if (memory_read(&k->memory, like->data, raw, like->size))
			return NULL;
	}
	b = xmalloc(sizeof(*b));
	*b = *like;
	b->raw = take_ptr(raw);
	c->bytes += b->size;
	c->entries = xrealloc(c->entries, (c->n + 1) * sizeof(*c->entries));
	c->entries[c->n++] = b;
	return b;
}

struct bpf_btf *bpf_btf_get(struct bpf_btf_cache *c, struct kernel *k, const struct bpf_layout *l,
			    uint64_t address)
{
	struct bpf_btf like = {.address = address}, *b;
	int64_t id, data, size, base = 0, kernel = 0;

	if (!address || kernel_field_number(k, &l->btf.id, address, &id) ||
	    kernel_field_number(k, &l->btf.data, address, &data) ||
	    kernel_field_number(k, &l->btf.data_size, address, &size))
		return NULL;
	kernel_field_number(k, &l->btf.base, address, &base);
	kernel_field_number(k, &l->btf.kernel, address, &kernel);
	like.id = id;
	like.data = data;
	like.size = size;
	like.split = base;
	like.kernel = kernel && !base;
	if (like.kernel)
		like.size = 0;
	else if (size <= 0 || size > BPF_BTF_MAX_BYTES)
		return NULL;
	b = find(c, &like);
	if (!b)
		b = add(c, k, &like);
	if (b)
		b->used_by = c->capture;
	return b;
}

const struct btf *bpf_btf_types(struct bpf_btf *b, const struct kernel *k)
{
	if (b->kernel)
		return k->types.btf;
	if (!b->btf && !b->failed) {
		b->btf = b->split ? btf__new_split(b->raw, b->size, k->types.btf)
				  : btf__new(b->raw, b->size);
		b->failed = libbpf_get_error(b->btf);
		if (b->failed)
			b->btf = NULL;
	}
	return b->btf;
}

void bpf_btf_cache_begin(struct bpf_btf_cache *c)
{
	size_t i, n = 0;

	for (i = 0; i < c->n; i++) {
		if (c->entries[i]->used_by == c->capture)
			c->entries[n++] = c->entries[i];
		else
			entry_free(c, c->entries[i]);
	}
	c->n = n;
	c->capture++;
}

void bpf_btf_cache_free(struct bpf_btf_cache *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		entry_free(c, c->entries[i]);
	free(c->entries);
	*c = (struct bpf_btf_cache){};
}
