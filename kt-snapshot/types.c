// SPDX-License-Identifier: GPL-2.0
#include "types.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"

#define DEPTH_MAX 16 /* of anonymous members within each other */

static size_t hash(const char *name)
{
	size_t h = 5381;

	while (*name)
		h = h * 33 + (unsigned char)*name++;
	return h;
}

static const char *name_of(const struct types *t, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(t->btf, id);

	return btf__name_by_offset(t->btf, type->name_off);
}

static bool is_named(const struct btf_type *type)
{
	return type->name_off &&
	       (btf_is_composite(type) || btf_is_any_enum(type) || btf_is_typedef(type));
}

static void index_build(struct types *t)
{
	uint32_t n = btf__type_cnt(t->btf), id;

	for (t->n_slots = 1024; t->n_slots < 2 * n; t->n_slots *= 2)
		;
	t->by_name = xcalloc(t->n_slots, sizeof(*t->by_name));
	for (id = 1; id < n; id++) {
		const struct btf_type *type = btf__type_by_id(t->btf, id);
		const char *name;
		size_t slot;

		if (!is_named(type))
			continue;
		name = name_of(t, id);
		slot = hash(name) & (t->n_slots - 1);
		while (t->by_name[slot] && strcmp(name_of(t, t->by_name[slot]), name))
			slot = (slot + 1) & (t->n_slots - 1);
		/* "struct rq" rather than a typedef that is called the same. */
		if (!t->by_name[slot] ||
		    (btf_is_typedef(btf__type_by_id(t->btf, t->by_name[slot])) &&
		     btf_is_composite(type)))
			t->by_name[slot] = id;
	}
}

int types_parse(struct types *t, const void *data, uint32_t size, char **why)
{
	int err;

	*t = (struct types){};
	libbpf_set_print(NULL); /* what is wrong with a guest's types is said in one line, here */
	t->btf = btf__new(data, size);
	err = libbpf_get_error(t->btf);
	if (err) {
		t->btf = NULL;
		*why = xasprintf("the guest kernel's BTF: %s", strerror(err < 0 ? -err : err));
		return err;
	}
	index_build(t);
	return 0;
}

void types_free(struct types *t)
{
	btf__free(t->btf);
	free(t->by_name);
	*t = (struct types){};
}

uint32_t types_find(const struct types *t, const char *name)
{
	size_t slot = hash(name) & (t->n_slots - 1);

	while (t->by_name[slot] && strcmp(name_of(t, t->by_name[slot]), name))
		slot = (slot + 1) & (t->n_slots - 1);
	return t->by_name[slot];
}

/* Member @name (of @len bytes) of composite @id, adding to f->offset. */
static int member_find(const struct btf *btf, uint32_t id, const char *name, size_t len,
		       struct field *f, int depth)
{
	int resolved = btf__resolve_type(btf, id);
	const struct btf_type *type = resolved < 0 ? NULL : btf__type_by_id(btf, resolved);
	const struct btf_member *m;
	uint32_t base = f->offset;
	uint16_t i;

	if (!type || !btf_is_composite(type) || depth > DEPTH_MAX)
		return -ENOENT;
	m = btf_members(type);
	for (i = 0; i < btf_vlen(type); i++, m++) {
		uint32_t at = btf_member_bit_offset(type, i), bits;
		const char *member = btf__name_by_offset(btf, m->name_off);
		int64_t size;

		f->offset = base + at / 8;
		if (!*member) {
			if (!member_find(btf, m->type, name, len, f, depth + 1))
				return 0;
			continue;
		}
		if (strncmp(member, name, len) || member[len])
			continue;
		bits = btf_member_bitfield_size(type, i);
		size = btf__resolve_size(btf, m->type);
		*f = (struct field){
			.offset = f->offset,
			.size = bits	   ? (at % 8 + bits + 7) / 8
				: size < 0 ? 0
					   : size,
			.bit = bits ? at % 8 : 0,
			.bits = bits,
			.type = m->type,
		};
		return 0;
	}
	f->offset = base;
	return -ENOENT;
}

int field_member(const struct btf *btf, const char *name, struct field *f)
{
	return member_find(btf, f->type, name, strlen(name), f, 0);
}

int field_element(const struct btf *btf, uint64_t index, struct field *f)
{
	int id = btf__resolve_type(btf, f->type);
	const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(btf, id);
	int64_t size;

	if (!type || !btf_is_array(type) || index >= btf_array(type)->nelems)
		return -ENOENT;
	f->type = btf_array(type)->type;
	size = btf__resolve_size(btf, f->type);
	if (size < 0)
		return -ENOENT;
	f->offset += index * size;
	f->size = size;
	return 0;
}

int types_field(const struct types *t, const char *name, const char *path, struct field *f)
{
	uint32_t id = types_find(t, name);
	int err = id ? 0 : -ENOENT;

	*f = (struct field){.type = id};
	while (!err && *path) {
		size_t len = strcspn(path, ".[");

		if (*path == '[') {
			char *end;

			err = field_element(t->btf, strtoull(path + 1, &end, 10), f);
			path = *end == ']' ? end + 1 : "";
		} else {
			err = member_find(t->btf, f->type, path, len, f, 0);
			path += len;
		}
		path += *path == '.';
	}
	return err;
}

bool type_is_signed(const struct btf *btf, uint32_t type)
{
	int id = btf__resolve_type(btf, type);
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, id);

	if (t && btf_is_int(t))
		return btf_int_encoding(t) & BTF_INT_SIGNED;
	return t && btf_is_any_enum(t) && btf_kflag(t);
}

uint32_t types_size(const struct types *t, const char *name)
{
	uint32_t id = types_find(t, name);
	int64_t size = id ? btf__resolve_size(t->btf, id) : 0;

	return size < 0 ? 0 : size;
}

bool types_enumerator(const struct types *t, const char *name, int64_t *value)
{
	uint32_t n = btf__type_cnt(t->btf), id;

	for (id = 1; id < n; id++) {
		const struct btf_type *type = btf__type_by_id(t->btf, id);
		uint16_t i;

		for (i = 0; btf_is_any_enum(type) && i < btf_vlen(type); i++) {
			bool wide = btf_is_enum64(type);
			uint32_t off =
				wide ? btf_enum64(type)[i].name_off : btf_enum(type)[i].name_off;

			if (strcmp(btf__name_by_offset(t->btf, off), name))
				continue;
			*value = wide ? (int64_t)btf_enum64_value(&btf_enum64(type)[i])
				      : btf_enum(type)[i].val;
			return true;
		}
	}
	return false;
}

char *types_enumerator_name(const struct types *t, const char *name, int64_t value)
{
	uint32_t id = types_find(t, name);
	const struct btf_type *type = id ? btf__type_by_id(t->btf, id) : NULL;
	uint16_t i;

	for (i = 0; type && btf_is_enum(type) && i < btf_vlen(type); i++) {
		if (btf_enum(type)[i].val == value)
			return xstrdup(btf__name_by_offset(t->btf, btf_enum(type)[i].name_off));
	}
	return NULL;
}
