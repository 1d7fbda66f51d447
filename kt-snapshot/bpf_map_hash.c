// SPDX-License-Identifier: GPL-2.0
/*
 * Hash tables (kernel/bpf/hashtab.c): buckets with chains of elements, each its key, the value at
 * the next multiple of 8 bytes, or there a pointer to the values of each CPU or to a map. A chain's
 * end is a pointer whose lowest bit is set.
 */
#include <stdlib.h>
#include <string.h>

#include "bpf_chain.h"
#include "bpf_map.h"
#include "cleanup.h"
#include "diag.h"

struct table {
	struct bpf *b;
	struct map_copy *m;
	uint32_t key_size; /* with what is between it and the value */
	bool inner_maps;
};

static bool is_end(uint64_t pointer)
{
	return !pointer || pointer & 1;
}

/* The element's record at @to. Whether it could be read. */
static bool element_read(const struct table *t, uint64_t element, uint8_t *to)
{
	struct memory *mem = &t->b->k->memory;
	uint64_t key = element + t->b->layout.hash.key.offset, pointer;

	if (!t->m->per_cpu && !t->inner_maps)
		return !memory_read(mem, key, to, t->key_size + t->m->value_size);
	if (memory_read(mem, key, to, t->key_size) || memory_u64(mem, key + t->key_size, &pointer))
		return false;
	if (t->inner_maps)
		return map_inner_id(t->b, pointer, to + t->key_size);
	return map_cpus_read(t->b, to + t->key_size, t->m->stride, pointer);
}

static int element_add(void *context, uint64_t element)
{
	const struct table *t = context;
	struct map_copy *m = t->m;
	uint8_t *to;

	if (m->n >= m->max_entries) {
		map_truncated(m, "more than max_entries entries: a broken table");
		return -1;
	}
	to = map_record_add(t->b, m);
	if (!to)
		return -1;
	if (element_read(t, element, to))
		return 0;
	m->n--;
	map_truncated(m, "an entry is not in memory");
	return 0;
}

static void buckets_walk(const struct table *t, const uint8_t *buckets, size_t n, size_t size)
{
	const struct bpf_layout *l = &t->b->layout;
	struct chain_rules rules = {
		.next = l->hash.next.offset,
		.is_end = is_end,
		.each = element_add,
		.context = (void *)t,
	};
	size_t i;

	for (i = 0; i < n; i++) {
		uint64_t first;

		memcpy(&first, buckets + i * size + l->hash.head.offset, sizeof(first));
		if (!is_end(first) && chain_walk(t->b, t->m, first, &rules))
			return;
	}
}

static void table_collect(struct table *t)
{
	const struct bpf_layout *l = &t->b->layout;
	const struct field *const needed[] = {&l->hash.buckets, &l->hash.n_buckets, &l->hash.next,
					      &l->hash.key, &l->hash.head};
	struct map_copy *m = t->m;
	_cleanup_free_ uint8_t *buckets = NULL;
	uint64_t at, n;

	t->key_size = map_round_up(m->key_size);
	m->value_at = t->key_size;
	m->stride = t->inner_maps ? sizeof(uint64_t) : map_round_up(m->value_size);
	m->n_values = m->per_cpu ? t->b->k->n_cpus : 1;
	m->record_size = m->value_at + (size_t)m->stride * m->n_values;
	if (!map_needs(t->b, m, needed, ARRAY_SIZE(needed)) ||
	    !map_number(t->b, m, &l->hash.buckets, m->address, &at) ||
	    !map_number(t->b, m, &l->hash.n_buckets, m->address, &n))
		return;
	buckets = map_buckets_read(t->b, m, at, n, l->hash.bucket_size);
	if (buckets)
		buckets_walk(t, buckets, n, l->hash.bucket_size);
}

void map_hash_collect(struct bpf *b, struct map_copy *m)
{
	table_collect(&(struct table){.b = b, .m = m});
}

void map_percpu_hash_collect(struct bpf *b, struct map_copy *m)
{
	m->per_cpu = true;
	table_collect(&(struct table){.b = b, .m = m});
}

void map_hash_of_maps_collect(struct bpf *b, struct map_copy *m)
{
	table_collect(&(struct table){.b = b, .m = m, .inner_maps = true});
}

int map_key_compare(const void *a, const void *b, void *m)
{
	return memcmp(a, b, ((const struct map_copy *)m)->key_size);
}
