// SPDX-License-Identifier: GPL-2.0
/* Arrays (kernel/bpf/arraymap.c): values one behind the other, or pointers to those of each CPU. */
#include <string.h>

#include "bpf_map.h"
#include "cleanup.h"

#define round_up(x, to) (((x) + (to)-1) / (to) * (to))

json_t *map_index_key(struct map_view *v, const uint8_t *record)
{
	return json_integer((record - v->m->records) / v->m->record_size);
}

json_t *map_number_key(struct map_view *v, const uint8_t *record)
{
	uint64_t number;

	(void)v;
	memcpy(&number, record, sizeof(number));
	return u64_json(number);
}

json_t *map_id_value(struct map_view *v, const uint8_t *value)
{
	return map_number_key(v, value);
}

bool map_inner_id(struct bpf *b, uint64_t address, uint8_t *to)
{
	int64_t id;

	if (kernel_field_number(b->k, &b->layout.map.id, address, &id))
		return false;
	memcpy(to, &id, sizeof(id));
	return true;
}

/* Room for all of its entries, or for as many as there is room for. */
static void records_take(struct bpf *b, struct map_copy *m)
{
	size_t n = m->max_entries, fit = bpf_pool_left(&b->pool) / m->record_size;

	if (n > BPF_MAP_MAX_ENTRIES)
		n = BPF_MAP_MAX_ENTRIES;
	if (n > fit)
		n = fit;
	if (n < m->max_entries)
		map_truncated(m,
			      "%zu of %u entries: all maps have more bytes than the limit of %lu",
			      n, m->max_entries, BPF_POOL_MAX_BYTES);
	m->records = n ? bpf_pool_take(&b->pool, n * m->record_size) : NULL;
	m->n = m->records ? n : 0;
}

void map_array_collect(struct bpf *b, struct map_copy *m)
{
	const struct field *const needed[] = {&b->layout.array.value};
	size_t read;

	if (!map_needs(b, m, needed, ARRAY_SIZE(needed)))
		return;
	m->stride = map_round_up(m->value_size);
	m->record_size = m->stride;
	if (!m->record_size) {
		map_truncated(m, "its values have no size");
		return;
	}
	records_take(b, m);
	read = memory_read_some(&b->k->memory, m->address + b->layout.array.value.offset,
				m->records, m->n * m->record_size) /
	       m->record_size;
	if (read < m->n)
		map_truncated(m, "entry %zu is not in memory", read);
	m->n = read;
	m->in_place = true;
}

bool map_cpus_read(struct bpf *b, uint8_t *to, uint32_t stride, uint64_t pointer)
{
	uint32_t cpu;

	for (cpu = 0; cpu < b->k->n_cpus; cpu++) {
		if (memory_read(&b->k->memory, kernel_per_cpu(b->k, pointer, cpu),
				to + (size_t)cpu * stride, stride))
			return false;
	}
	return true;
}

void map_percpu_array_collect(struct bpf *b, struct map_copy *m)
{
	const struct field *const needed[] = {&b->layout.array.value};
	uint64_t at = m->address + b->layout.array.value.offset, pointer;
	size_t i;

	if (!map_needs(b, m, needed, ARRAY_SIZE(needed)))
		return;
	m->per_cpu = true;
	m->n_values = b->k->n_cpus;
	m->stride = map_round_up(m->value_size);
	m->record_size = (size_t)m->stride * m->n_values;
	if (!m->record_size) {
		map_truncated(m, "its values have no size");
		return;
	}
	records_take(b, m);
	for (i = 0; i < m->n; i++) {
		if (memory_u64(&b->k->memory, at + i * sizeof(pointer), &pointer) ||
		    !map_cpus_read(b, m->records + i * m->record_size, m->stride, pointer)) {
			map_truncated(m, "entry %zu is not in memory", i);
			m->n = i;
		}
	}
}

/* Records are an index and an id; empty slots have none. */
void map_array_of_maps_collect(struct bpf *b, struct map_copy *m)
{
	const struct field *const needed[] = {&b->layout.array.value};
	uint64_t at = m->address + b->layout.array.value.offset, i, pointer;
	uint8_t *to;

	m->value_at = sizeof(uint64_t);
	m->record_size = 2 * sizeof(uint64_t);
	if (!map_needs(b, m, needed, ARRAY_SIZE(needed)))
		return;
	for (i = 0; i < m->max_entries; i++) {
		if (memory_u64(&b->k->memory, at + i * sizeof(pointer), &pointer)) {
			map_truncated(m, "entry %lu is not in memory", (unsigned long)i);
			return;
		}
		if (!pointer)
			continue;
		to = map_record_add(b, m);
		if (!to)
			return;
		memcpy(to, &i, sizeof(i));
		if (!map_inner_id(b, pointer, to + m->value_at)) {
			m->n--;
			map_truncated(m, "the map of entry %lu is not in memory", (unsigned long)i);
		}
	}
}
