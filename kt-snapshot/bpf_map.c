// SPDX-License-Identifier: GPL-2.0
#include "bpf_map.h"

#include <bpf/libbpf.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf_chase.h"
#include "cleanup.h"
#include "diag.h"

#define MAX_VALUE_BYTES (256u << 20)

void map_truncated(struct map_copy *m, const char *fmt, ...)
{
	va_list ap;

	if (m->truncated)
		return;
	va_start(ap, fmt);
	if (vasprintf(&m->truncated, fmt, ap) < 0)
		m->truncated = NULL;
	va_end(ap);
}

bool map_number(struct bpf *b, struct map_copy *m, const struct field *f, uint64_t address,
		uint64_t *value)
{
	int64_t number = 0;

	if (!map_needs(b, m, &f, 1))
		return false;
	if (kernel_field_number(b->k, f, address, &number)) {
		map_truncated(m, "%s is not in memory", bpf_layout_name(&b->layout, f));
		return false;
	}
	*value = number;
	return true;
}

bool map_needs(struct bpf *b, struct map_copy *m, const struct field *const *fields, size_t n)
{
	const char *lacking = bpf_layout_missing(&b->layout, fields, n);

	if (lacking && !m->missing)
		m->missing = lacking;
	return !lacking;
}

uint8_t *map_record_add(struct bpf *b, struct map_copy *m)
{
	size_t have = m->n * m->record_size;
	uint8_t *first = m->records;

	if (m->n == BPF_MAP_MAX_ENTRIES) {
		map_truncated(m, "more entries than the limit of %u", BPF_MAP_MAX_ENTRIES);
		return NULL;
	}
	if (!first)
		first = bpf_pool_take(&b->pool, m->record_size);
	else if (bpf_pool_grow(&b->pool, first, have + m->record_size))
		first = NULL;
	if (!first) {
		map_truncated(m, "more bytes of all maps than the limit of %lu",
			      BPF_POOL_MAX_BYTES);
		return NULL;
	}
	m->records = first;
	m->n++;
	return first + have;
}

/* The optional members: 0 where a kernel has none. */
static uint64_t number_or_zero(struct bpf *b, const struct field *f, uint64_t address)
{
	int64_t value = 0;

	if (field_is_there(f) && kernel_field_number(b->k, f, address, &value))
		value = 0;
	return value;
}

static const struct bpf_map_kind *kind_of(uint32_t type)
{
	size_t i;

	for (i = 0; i < bpf_map_n_kinds; i++) {
		if (bpf_map_kinds[i].type == type)
			return &bpf_map_kinds[i];
	}
	return NULL;
}

int map_head_read(struct bpf *b, uint64_t address, struct map_copy *m)
{
	const struct bpf_layout *l = &b->layout;
	struct memory *mem = &b->k->memory;
	int64_t id;

	*m = (struct map_copy){.address = address, .n_values = 1};
	if (kernel_field_number(b->k, &l->map.id, address, &id) ||
	    (field_is_there(&l->map.name) &&
	     memory_string(mem, address + l->map.name.offset, m->name, sizeof(m->name)) < 0))
		return -EFAULT;
	m->id = id;
	m->type = number_or_zero(b, &l->map.type, address);
	m->key_size = number_or_zero(b, &l->map.key_size, address);
	m->value_size = number_or_zero(b, &l->map.value_size, address);
	m->max_entries = number_or_zero(b, &l->map.max_entries, address);
	m->flags = number_or_zero(b, &l->map.flags, address);
	m->extra = number_or_zero(b, &l->map.extra, address);
	m->frozen = number_or_zero(b, &l->map.frozen, address);
	m->key_type = number_or_zero(b, &l->map.key_type, address);
	m->value_type = number_or_zero(b, &l->map.value_type, address);
	m->kernel_type = number_or_zero(b, &l->map.kernel_type, address);
	m->kind = kind_of(m->type);
	if (m->key_size > BPF_MAP_MAX_KEY || m->value_size > MAX_VALUE_BYTES)
		return -EBADMSG;
	m->btf = bpf_btf_get(&b->btfs, b->k, l, number_or_zero(b, &l->map.btf, address));
	return 0;
}

void map_contents_read(struct bpf *b, struct map_copy *m)
{
	const struct bpf_layout *l = &b->layout;
	const struct field *const needed[] = {&l->map.type, &l->map.key_size, &l->map.value_size,
					      &l->map.max_entries};

	if (map_needs(b, m, needed, ARRAY_SIZE(needed)) && m->kind)
		m->kind->collect(b, m);
}

void map_sort(struct map_copy *m)
{
	if (m->kind && m->kind->compare && m->n > 1)
		qsort_r(m->records, m->n, m->record_size, m->kind->compare, m);
}

void map_copy_free(struct map_copy *m)
{
	free(take_ptr(m->truncated));
}

char *lower_after(const char *name, const char *prefix)
{
	size_t len = strlen(prefix);
	char *copy = xstrdup(strncmp(name, prefix, len) ? name : name + len), *p;

	for (p = copy; *p; p++)
		*p = tolower((unsigned char)*p);
	return copy;
}

char *map_type_name(const struct kernel *k, uint32_t type)
{
	const char *known = libbpf_bpf_map_type_str(type);
	_cleanup_free_ char *name = NULL;

	if (known)
		return xstrdup(known);
	name = types_enumerator_name(&k->types, "bpf_map_type", type);
	return name ? lower_after(name, "BPF_MAP_TYPE_") : xasprintf("type %u", type);
}

/* A value or key by its BTF type, or as bytes. */
static json_t *typed_json(struct map_view *v, uint32_t type, const uint8_t *data, size_t len)
{
	if (v->render.btf && type)
		return btf_render(&v->render, type, data, len);
	if (v->render.budget < 1 + len / 16) {
		v->render.budget = 0;
		v->render.why = "more values than one snapshot holds";
		return json_null();
	}
	v->render.budget -= 1 + len / 16;
	return bytes_json(data, len);
}

static json_t *value_json(struct map_view *v, const uint8_t *value)
{
	if (v->m->kind->value)
		return v->m->kind->value(v, value);
	return typed_json(v, v->m->value_type, value, v->m->value_size);
}

static json_t *entry_json(struct map_view *v, const uint8_t *record)
{
	const struct map_copy *m = v->m;
	const uint8_t *value = record + m->value_at;
	json_t *o = json_object(), *list;
	uint32_t cpu;

	json_object_set_new(o, "key",
			    m->kind->key ? m->kind->key(v, record)
					 : typed_json(v, m->key_type, record, m->key_size));
	if (m->n_values == 1 && !m->per_cpu) {
		json_object_set_new(o, "value", value_json(v, value));
		return o;
	}
	list = json_array();
	for (cpu = 0; cpu < m->n_values; cpu++)
		json_array_append_new(list, value_json(v, value + (size_t)cpu * m->stride));
	json_object_set_new(o, "cpu", list);
	return o;
}

static json_t *entries_json(struct map_view *v, char **truncated)
{
	const struct map_copy *m = v->m;
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < m->n && v->render.budget > 10; i++) {
		v->render.budget -= 10;
		json_array_append_new(list, entry_json(v, m->records + i * m->record_size));
	}
	if (i < m->n && !*truncated)
		*truncated = xasprintf("%zu of %zu entries: more values than one snapshot holds", i,
				       m->n);
	return list;
}

/* Whether the map is a section of global variables: one value whose type is a DATASEC. */
static const struct btf_type *section_of(const struct map_view *v)
{
	const struct btf_type *t = v->render.btf && v->m->n == 1 && !v->m->per_cpu
					   ? btf__type_by_id(v->render.btf, v->m->value_type)
					   : NULL;

	return t && btf_is_datasec(t) ? t : NULL;
}

static void contents_show(struct map_view *v, json_t *o)
{
	const struct map_copy *m = v->m;
	const struct btf_type *section = section_of(v);
	char *truncated = m->truncated ? xstrdup(m->truncated) : NULL;

	if (m->kind && m->kind->show && !m->missing) {
		m->kind->show(v, o);
	} else if (!m->kind || m->missing) {
		json_object_set_new(o, "contents", json_string("not read"));
	} else if (section) {
		json_object_set_new(
			o, "section",
			text_json(btf__name_by_offset(v->render.btf, section->name_off), SIZE_MAX));
		json_object_set_new(
			o, "vars",
			btf_render_section(&v->render, m->value_type, m->records, m->value_size));
	} else {
		json_object_set_new(o, "entries", entries_json(v, &truncated));
	}
	if (!truncated && v->render.why)
		truncated = xstrdup(v->render.why);
	if (truncated)
		json_object_set_new(o, "truncated", json_string(truncated));
	free(truncated);
}

json_t *map_json(struct bpf *b, const struct map_copy *m, struct bpf_chase *chase, size_t *budget)
{
	const typeof(b->layout.map) *l = &b->layout.map;
	const struct {
		const char *key;
		const struct field *f;
		uint32_t value;
	} numbers[] = {{"key_size", &l->key_size, m->key_size},
		       {"value_size", &l->value_size, m->value_size},
		       {"max_entries", &l->max_entries, m->max_entries},
		       {"flags", &l->flags, m->flags}};
	struct map_view v = {
		.b = b,
		.m = m,
		.render =
			{
				.btf = m->btf ? bpf_btf_types(m->btf, b->k) : NULL,
				.budget = *budget,
				.pointer = chase ? bpf_chase_pointer : NULL,
				.context = chase,
			},
	};
	_cleanup_free_ char *type = map_type_name(b->k, m->type);
	json_t *o = json_object();
	size_t i;

	json_object_set_new(o, "id", json_integer(m->id));
	if (field_is_there(&l->name))
		json_object_set_new(o, "name", text_json(m->name, sizeof(m->name)));
	if (field_is_there(&l->type))
		json_object_set_new(o, "type", json_string(type));
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (field_is_there(numbers[i].f))
			json_object_set_new(o, numbers[i].key, json_integer(numbers[i].value));
	}
	if (m->extra)
		json_object_set_new(o, "map_extra", u64_json(m->extra));
	if (field_is_there(&l->frozen))
		json_object_set_new(o, "frozen", json_boolean(m->frozen));
	if (m->btf)
		json_object_set_new(o, "btf_id", json_integer(m->btf->id));
	contents_show(&v, o);
	*budget = v.render.budget;
	return o;
}
