// SPDX-License-Identifier: GPL-2.0
#include "bpf_chase.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"

#define N_SLOTS (2 * BPF_CHASE_MAX_OBJECTS)

struct object {
	uint64_t address;
	const struct btf *btf;
	uint32_t type, size;
	const uint8_t *data;
};

struct range {
	uint64_t from, to;
};

/* Where in a type its pointers are. */
struct pointers {
	const struct btf *btf;
	size_t n;
	struct {
		uint32_t offset, type;
	} at[BPF_CHASE_MAX_POINTERS];
};

struct bpf_chase {
	struct bpf *b;
	unsigned int depth;
	struct range *ranges; /* of maps' values that lie in one piece */
	size_t n_ranges;
	struct object objects[BPF_CHASE_MAX_OBJECTS];
	size_t n;
	uint16_t slots[N_SLOTS]; /* hash table of indices + 1 */
	const struct object *path[BPF_CHASE_MAX_DEPTH];
	unsigned int n_path;
};

static size_t slot_of(const struct bpf_chase *c, uint64_t address, uint32_t type)
{
	size_t slot = (address / 8 * 0x9e3779b97f4a7c15ULL + type) >> 40 & (N_SLOTS - 1);

	while (c->slots[slot] && (c->objects[c->slots[slot] - 1].address != address ||
				  c->objects[c->slots[slot] - 1].type != type))
		slot = (slot + 1) & (N_SLOTS - 1);
	return slot;
}

static bool is_in_map(const struct bpf_chase *c, uint64_t address)
{
	size_t i;

	for (i = 0; i < c->n_ranges; i++) {
		if (address >= c->ranges[i].from && address < c->ranges[i].to)
			return true;
	}
	return false;
}

/* What @pointer, a pointer type of @btf, leads to at @address. Whether there is something to show.
 */
static bool target_find(const struct bpf_chase *c, const struct btf *btf, uint32_t pointer,
			uint64_t address, struct object *o)
{
	const struct types *kernel = &c->b->k->types;
	const struct btf_type *t = btf__type_by_id(btf, pointer);
	int64_t size;

	*o = (struct object){.address = address, .btf = btf};
	t = btf_plain_type(btf, t->type, &o->type);
	if (!t || (!btf_is_composite(t) && !btf_is_fwd(t)))
		return false;
	if (btf != kernel->btf && !is_in_map(c, address)) {
		uint32_t id = types_find(kernel, btf__name_by_offset(btf, t->name_off));

		if (id && btf_is_composite(btf__type_by_id(kernel->btf, id))) {
			o->btf = kernel->btf;
			o->type = id;
		}
	}
	size = btf__resolve_size(o->btf, o->type);
	if (size <= 0 || size > BPF_CHASE_MAX_BYTES)
		return false;
	o->size = size;
	return true;
}

static void pointers_find(struct pointers *p, uint32_t type, uint64_t offset, int depth);

static void array_pointers(struct pointers *p, const struct btf_type *t, uint64_t offset, int depth)
{
	int64_t size = btf__resolve_size(p->btf, btf_array(t)->type);
	size_t before = p->n;
	uint32_t i;

	for (i = 0; size > 0 && i < btf_array(t)->nelems; i++) {
		pointers_find(p, btf_array(t)->type, offset + i * size, depth + 1);
		if (p->n == before || p->n == BPF_CHASE_MAX_POINTERS)
			return; /* the others have none, either; or there is no room */
	}
}

static void pointers_find(struct pointers *p, uint32_t type, uint64_t offset, int depth)
{
	uint32_t id;
	const struct btf_type *t = btf_plain_type(p->btf, type, &id);
	uint16_t i;

	if (!t || depth > BTF_RENDER_MAX_DEPTH || p->n == BPF_CHASE_MAX_POINTERS ||
	    offset > UINT32_MAX)
		return;
	if (btf_is_ptr(t)) {
		p->at[p->n].offset = offset;
		p->at[p->n++].type = id;
	} else if (btf_is_array(t)) {
		array_pointers(p, t, offset, depth);
	} else if (btf_is_composite(t)) {
		for (i = 0; i < btf_vlen(t); i++)
			pointers_find(p, btf_members(t)[i].type,
				      offset + btf_member_bit_offset(t, i) / 8, depth + 1);
	} else if (btf_is_datasec(t)) {
		for (i = 0; i < btf_vlen(t); i++)
			pointers_find(p, btf_var_secinfos(t)[i].type,
				      offset + btf_var_secinfos(t)[i].offset, depth + 1);
	} else if (btf_is_var(t)) {
		pointers_find(p, t->type, offset, depth + 1);
	}
}

/* Add what the pointers in @data lead to. */
static void follow(struct bpf_chase *c, const struct pointers *p, const uint8_t *data, size_t len)
{
	size_t i, slot;

	for (i = 0; i < p->n && c->n < BPF_CHASE_MAX_OBJECTS; i++) {
		struct object *o = &c->objects[c->n];
		uint64_t address;
		uint8_t *copy;

		if (p->at[i].offset + sizeof(address) > len)
			continue;
		memcpy(&address, data + p->at[i].offset, sizeof(address));
		if (!address || !target_find(c, p->btf, p->at[i].type, address, o))
			continue;
		slot = slot_of(c, address, o->type);
		copy = c->slots[slot] ? NULL : bpf_pool_take(&c->b->pool, o->size);
		if (!copy || memory_read(&c->b->k->memory, address, copy, o->size))
			continue;
		o->data = copy;
		c->slots[slot] = ++c->n;
	}
}

static void map_follow(struct bpf_chase *c, struct pointers *p, const struct map_copy *m)
{
	size_t i;
	uint32_t v;

	p->btf = m->btf && m->value_type ? bpf_btf_types(m->btf, c->b->k) : NULL;
	p->n = 0;
	if (!p->btf || !m->kind || m->kind->value || m->kind->show)
		return;
	pointers_find(p, m->value_type, 0, 0);
	for (i = 0; p->n && i < m->n; i++) {
		for (v = 0; v < m->n_values; v++)
			follow(c, p,
			       m->records + i * m->record_size + m->value_at +
				       (size_t)v * m->stride,
			       m->value_size);
	}
}

static void ranges_note(struct bpf_chase *c, const struct map_copy *maps, size_t n)
{
	uint64_t value = c->b->layout.array.value.offset;
	size_t i;

	c->ranges = xcalloc(n + 1, sizeof(*c->ranges));
	for (i = 0; i < n; i++) {
		const struct map_copy *m = &maps[i];

		if (m->in_place)
			c->ranges[c->n_ranges++] = (struct range){
				m->address + value, m->address + value + m->n * m->record_size};
	}
}

struct bpf_chase *bpf_chase_maps(struct bpf *b, const struct map_copy *maps, size_t n,
				 unsigned int depth)
{
	struct bpf_chase *c = xcalloc(1, sizeof(*c));
	_cleanup_free_ struct pointers *p = xmalloc(sizeof(*p));
	size_t i, done = 0, level;

	c->b = b;
	c->depth = depth;
	ranges_note(c, maps, n);
	for (i = 0; i < n; i++)
		map_follow(c, p, &maps[i]);
	while (--depth && done < c->n) {
		for (level = c->n; done < level; done++) {
			const struct object *o = &c->objects[done];

			p->btf = o->btf;
			p->n = 0;
			pointers_find(p, o->type, 0, 0);
			follow(c, p, o->data, o->size);
		}
	}
	return c;
}

void bpf_chase_free(struct bpf_chase *c)
{
	if (c)
		free(c->ranges);
	free(c);
}

json_t *bpf_chase_pointer(struct btf_render *r, uint32_t pointer, uint64_t value)
{
	struct bpf_chase *c = r->context;
	struct btf_render inner = *r;
	const struct object *found;
	struct object wanted;
	unsigned int i;
	uint16_t index;
	json_t *o;

	if (c->n_path >= c->depth || !target_find(c, r->btf, pointer, value, &wanted))
		return NULL;
	index = c->slots[slot_of(c, value, wanted.type)];
	if (!index)
		return NULL;
	found = &c->objects[index - 1];
	for (i = 0; i < c->n_path; i++) {
		if (c->path[i] == found)
			return NULL;
	}
	c->path[c->n_path++] = found;
	inner.btf = found->btf;
	o = json_object();
	json_object_set_new(o, "address", hex_json(value));
	json_object_set_new(o, "value", btf_render(&inner, found->type, found->data, found->size));
	c->n_path--;
	r->budget = inner.budget;
	r->why = inner.why;
	return o;
}
