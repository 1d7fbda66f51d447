// SPDX-License-Identifier: GPL-2.0
#include "btf_render.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"

#define OBJECT_COST 8

static json_t *value_at(struct btf_render *r, uint32_t type, const uint8_t *data, size_t len,
			uint64_t bit, uint32_t bits);

/* Account for one JSON value. Whether it may be made. */
static bool spend(struct btf_render *r, size_t cost)
{
	if (r->budget < cost) {
		r->why = "more values than one snapshot holds";
		r->budget = 0;
		return false;
	}
	r->budget -= cost;
	return true;
}

const struct btf_type *btf_plain_type(const struct btf *btf, uint32_t type, uint32_t *id)
{
	int steps;

	for (steps = 0; steps < BTF_RENDER_MAX_DEPTH; steps++) {
		const struct btf_type *t = btf__type_by_id(btf, type);

		if (!t || (!btf_is_mod(t) && !btf_is_typedef(t))) {
			if (id)
				*id = type;
			return t;
		}
		type = t->type;
	}
	return NULL;
}

static json_t *digits_json(const uint8_t *bytes, size_t len, size_t step)
{
	static const char digits[] = "0123456789abcdef";
	_cleanup_free_ char *text = xmalloc(len * step + 1);
	size_t i;

	memset(text, ' ', len * step);
	for (i = 0; i < len; i++) {
		text[i * step] = digits[bytes[i] >> 4];
		text[i * step + 1] = digits[bytes[i] & 15];
	}
	return json_stringn(text, len ? len * step - (step - 2) : 0);
}

json_t *bytes_json(const void *data, size_t len)
{
	return digits_json(data, len, 3);
}

json_t *hex_bytes_json(const void *data, size_t len)
{
	return digits_json(data, len, 2);
}

json_t *u64_json(uint64_t value)
{
	char text[24];

	if (value <= INT64_MAX)
		return json_integer(value);
	snprintf(text, sizeof(text), "%" PRIu64, value);
	return json_string(text);
}

json_t *hex_json(uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	return json_string(text);
}

json_t *text_json(const char *text, size_t size)
{
	_cleanup_free_ char *copy = xstrndup(text, size);
	char *p;

	for (p = copy; *p; p++) {
		if (*p < ' ' || *p > '~')
			*p = '?';
	}
	return json_string(copy);
}

/* @bits (at most 64) from bit @bit of @data; the caller has checked that they are there. */
static uint64_t bits_read(const uint8_t *data, uint64_t bit, uint32_t bits)
{
	const uint8_t *from = data + bit / 8;
	unsigned int shift = bit % 8, n = (shift + bits + 7) / 8;
	uint64_t low = 0, high = 0;

	memcpy(&low, from, n < 8 ? n : 8);
	if (n > 8)
		high = from[8];
	low = low >> shift;
	if (shift)
		low |= high << (64 - shift);
	return bits < 64 ? low & ((1ULL << bits) - 1) : low;
}

static int64_t sign_extend(uint64_t value, uint32_t bits)
{
	return (int64_t)(value << (64 - bits)) >> (64 - bits);
}

/* Integers that no machine word holds. */
static json_t *wide_json(const uint8_t *data, size_t size)
{
	char text[2 + 2 * 64 + 1] = "0x";
	size_t i, n = size > 64 ? 64 : size;

	for (i = 0; i < n; i++)
		sprintf(text + 2 + 2 * i, "%02x", data[n - 1 - i]);
	return json_string(text);
}

static json_t *int_json(const struct btf_type *t, const uint8_t *data, uint64_t bit, uint32_t bits)
{
	uint64_t value;

	if (!bits && t->size > 8)
		return wide_json(data + bit / 8, t->size);
	if (!bits) {
		bits = btf_int_bits(t);
		bit += btf_int_offset(t);
	}
	value = bits_read(data, bit, bits);
	if (btf_int_encoding(t) & BTF_INT_BOOL && value <= 1)
		return json_boolean(value);
	if (btf_int_encoding(t) & BTF_INT_SIGNED)
		return json_integer(sign_extend(value, bits));
	return u64_json(value);
}

static const char *enumerator(const struct btf *btf, const struct btf_type *t, uint64_t value,
			      uint32_t bits)
{
	uint64_t mask = bits < 64 ? (1ULL << bits) - 1 : UINT64_MAX;
	uint16_t i;

	for (i = 0; i < btf_vlen(t); i++) {
		bool wide = btf_is_enum64(t);
		uint64_t v = wide ? btf_enum64_value(&btf_enum64(t)[i])
				  : (uint64_t)(int64_t)btf_enum(t)[i].val;

		if ((v & mask) == (value & mask))
			return btf__name_by_offset(btf, wide ? btf_enum64(t)[i].name_off
							     : btf_enum(t)[i].name_off);
	}
	return NULL;
}

static json_t *enum_json(struct btf_render *r, const struct btf_type *t, const uint8_t *data,
			 uint64_t bit, uint32_t bits)
{
	const char *name;
	uint64_t value;

	bits = bits ? bits : t->size * 8;
	value = bits_read(data, bit, bits);
	name = enumerator(r->btf, t, value, bits);
	if (name)
		return text_json(name, SIZE_MAX);
	/* The flag says signed (Documentation/bpf/btf.rst, BTF_KIND_ENUM). */
	return btf_kflag(t) ? json_integer(sign_extend(value, bits)) : u64_json(value);
}

static json_t *float_json(const struct btf_type *t, const uint8_t *data)
{
	double d;
	float f;

	if (t->size == sizeof(f)) {
		memcpy(&f, data, sizeof(f));
		d = f;
	} else if (t->size == sizeof(d)) {
		memcpy(&d, data, sizeof(d));
	} else {
		return bytes_json(data, t->size);
	}
	/* Not a number, or infinite: JSON has no word for these. */
	return d - d == 0 ? json_real(d) : bytes_json(data, t->size);
}

static json_t *pointer_json(struct btf_render *r, uint32_t id, const uint8_t *data)
{
	json_t *shown = NULL;
	uint64_t value;

	memcpy(&value, data, sizeof(value));
	if (value && r->pointer)
		shown = r->pointer(r, id, value);
	return shown ? shown : hex_json(value);
}

/* Whether @t is C's char, not a typedef of it: that is what text is made of. */
static bool is_char(const struct btf *btf, uint32_t type)
{
	const struct btf_type *t = btf__type_by_id(btf, type);
	int steps;

	for (steps = 0; t && btf_is_mod(t) && steps < BTF_RENDER_MAX_DEPTH; steps++)
		t = btf__type_by_id(btf, t->type);
	return t && btf_is_int(t) && t->size == 1 &&
	       (btf_int_encoding(t) & BTF_INT_CHAR ||
		!strcmp(btf__name_by_offset(btf, t->name_off), "char"));
}

/* An array of char as a string, or NULL when what is before its NUL is not printable. */
static json_t *string_json(const uint8_t *data, size_t n)
{
	size_t i;

	for (i = 0; i < n && data[i]; i++) {
		if ((data[i] < ' ' || data[i] > '~') && !strchr("\t\n\r", data[i]))
			return NULL;
	}
	return json_stringn((const char *)data, i);
}

static json_t *array_json(struct btf_render *r, const struct btf_type *t, const uint8_t *data,
			  size_t len)
{
	const struct btf_array *a = btf_array(t);
	int64_t size = btf__resolve_size(r->btf, a->type);
	json_t *list, *text = NULL;
	uint32_t i;

	if (size < 0 || (uint64_t)size * a->nelems > len) {
		r->why = "an array is larger than what holds it";
		return json_null();
	}
	if (a->nelems && is_char(r->btf, a->type))
		text = string_json(data, a->nelems);
	if (text)
		return text;
	list = json_array();
	for (i = 0; i < a->nelems && r->budget; i++)
		json_array_append_new(list,
				      value_at(r, a->type, data + i * size, len - i * size, 0, 0));
	return list;
}

static void members_render(struct btf_render *r, const struct btf_type *t, const uint8_t *data,
			   size_t len, uint64_t base, json_t *into)
{
	const struct btf_member *m = btf_members(t);
	uint16_t i;

	for (i = 0; i < btf_vlen(t) && r->budget; i++, m++) {
		const char *name = btf__name_by_offset(r->btf, m->name_off);
		const struct btf_type *inner = btf_plain_type(r->btf, m->type, NULL);
		uint64_t bit = base + btf_member_bit_offset(t, i);
		uint32_t bits = btf_member_bitfield_size(t, i);

		if (name && *name) {
			json_object_set_new(into, name, value_at(r, m->type, data, len, bit, bits));
		} else if (inner && btf_is_composite(inner) && spend(r, 1) &&
			   r->depth < BTF_RENDER_MAX_DEPTH) {
			r->depth++;
			members_render(r, inner, data, len, bit, into);
			r->depth--;
		}
	}
}

/* Whether a value of @type that begins at @bit lies within @len bytes. */
static bool fits(const struct btf *btf, uint32_t type, size_t len, uint64_t bit, uint32_t bits)
{
	int64_t size = bits ? 0 : btf__resolve_size(btf, type);

	if (size < 0 || bits > 64)
		return false;
	if (btf_is_ptr(btf__type_by_id(btf, type)))
		size = sizeof(uint64_t);
	return bits ? (bit + bits + 7) / 8 <= len : (bit + 7) / 8 + size <= len;
}

static json_t *plain_json(struct btf_render *r, const struct btf_type *t, uint32_t id,
			  const uint8_t *data, size_t len, uint64_t bit, uint32_t bits)
{
	const uint8_t *at = data + bit / 8;
	json_t *o;

	switch (btf_kind(t)) {
	case BTF_KIND_INT:
		return int_json(t, data, bit, bits);
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return enum_json(r, t, data, bit, bits);
	case BTF_KIND_PTR:
		return pointer_json(r, id, at);
	case BTF_KIND_FLOAT:
		return float_json(t, at);
	case BTF_KIND_ARRAY:
		return array_json(r, t, at, len - bit / 8);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		o = json_object();
		if (spend(r, OBJECT_COST))
			members_render(r, t, data, len, bit, o);
		return o;
	default:
		r->why = "a type of which nothing can be shown";
		return json_null();
	}
}

/* Checks that hold for every kind, so that those above need none. */
static bool is_sound(const struct btf_type *t, uint32_t bits)
{
	if (btf_is_int(t) && !bits && t->size <= 8)
		return t->size && btf_int_bits(t) && btf_int_bits(t) <= 64 &&
		       btf_int_offset(t) + btf_int_bits(t) <= t->size * 8u;
	if (btf_is_any_enum(t))
		return t->size && t->size <= 8;
	return !bits || btf_is_int(t);
}

static json_t *value_at(struct btf_render *r, uint32_t type, const uint8_t *data, size_t len,
			uint64_t bit, uint32_t bits)
{
	uint32_t id;
	const struct btf_type *t = btf_plain_type(r->btf, type, &id);
	json_t *value;

	if (!spend(r, 1))
		return json_null();
	if (!t || !is_sound(t, bits) || !fits(r->btf, id, len, bit, bits)) {
		r->why = "a type that does not fit its value";
		return json_null();
	}
	if (r->depth >= BTF_RENDER_MAX_DEPTH) {
		r->why = "types nested too deeply";
		return json_null();
	}
	r->depth++;
	value = plain_json(r, t, id, data, len, bit, bits);
	r->depth--;
	return value;
}

json_t *btf_render(struct btf_render *r, uint32_t type, const void *data, size_t len)
{
	return value_at(r, type, data, len, 0, 0);
}

json_t *btf_render_section(struct btf_render *r, uint32_t type, const void *data, size_t len)
{
	const struct btf_type *t = btf__type_by_id(r->btf, type);
	const struct btf_var_secinfo *v = btf_var_secinfos(t);
	json_t *o = json_object();
	uint16_t i;

	for (i = 0; i < btf_vlen(t) && spend(r, 1); i++, v++) {
		const struct btf_type *var = btf__type_by_id(r->btf, v->type);
		const char *name = var ? btf__name_by_offset(r->btf, var->name_off) : NULL;
		_cleanup_free_ char *other = NULL;

		if (!name || !btf_is_var(var) || v->offset > len) {
			r->why = "a variable that lies beyond its section";
			continue;
		}
		if (json_object_get(o, name))
			name = other = xasprintf("%s@%u", name, v->offset);
		json_object_set_new(o, name,
				    btf_render(r, var->type, (const uint8_t *)data + v->offset,
					       len - v->offset));
	}
	return o;
}
