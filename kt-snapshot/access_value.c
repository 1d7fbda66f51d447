// SPDX-License-Identifier: GPL-2.0
#include "access_value.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"

#define LISTED_MAX 12

static const struct btf_type *plain(const struct btf *btf, uint32_t id)
{
	int resolved = btf__resolve_type(btf, id);

	return resolved < 0 ? NULL : btf__type_by_id(btf, resolved);
}

static bool is_char(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = plain(btf, id);

	return t && btf_is_int(t) && t->size == 1 && !(btf_int_encoding(t) & BTF_INT_BOOL);
}

static char *list_members(const struct btf *btf, const struct btf_type *t)
{
	const struct btf_member *m = btf_members(t);
	char *text = xstrdup(""), *longer;
	uint16_t i, n = 0;

	for (i = 0; i < btf_vlen(t); i++, m++) {
		const char *name = btf__name_by_offset(btf, m->name_off);

		if (!name || !*name || n++ >= LISTED_MAX)
			continue;
		longer = xasprintf("%s%s%s", text, n > 1 ? ", " : "", name);
		free(text);
		text = longer;
	}
	if (n <= LISTED_MAX)
		return text;
	longer = xasprintf("%s and %u more", text, n - LISTED_MAX);
	free(text);
	return longer;
}

char *value_parts(const struct btf *btf, uint32_t type)
{
	const struct btf_type *t = btf ? plain(btf, type) : NULL;
	_cleanup_free_ char *members = NULL;

	if (t && btf_is_composite(t)) {
		members = list_members(btf, t);
		return xasprintf("one of its members %s", members);
	}
	if (t && btf_is_array(t))
		return xasprintf("an element, [0] to [%u]", btf_array(t)->nelems - 1);
	return xstrdup("nothing more: it is one value");
}

/* What a number may be. */
struct range {
	unsigned int bits;
	bool is_signed;
};

static char *range_text(const struct range *r)
{
	uint64_t max = r->bits >= 64 ? UINT64_MAX : (1ULL << r->bits) - 1;

	if (r->is_signed)
		return xasprintf("a number from %" PRId64 " to %" PRId64,
				 (int64_t)(-1ULL << (r->bits - 1)), (int64_t)(max >> 1));
	return xasprintf("a number from 0 to %" PRIu64, max);
}

/* Whether @text is a number within @r. */
static bool integer_parse(const char *text, const struct range *r, uint64_t *value)
{
	const char *digits = text + (*text == '-');
	int base = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X') ? 16 : 10;
	bool negative = *text == '-';
	uint64_t max, magnitude;
	char *end;

	if (base == 16)
		digits += 2;
	if (!isxdigit((unsigned char)*digits))
		return false;
	errno = 0;
	magnitude = strtoull(digits, &end, base);
	if (errno || *end)
		return false;
	max = r->bits >= 64 ? UINT64_MAX : (1ULL << r->bits) - 1;
	if (r->is_signed)
		max = (max >> 1) + negative;
	else if (negative && magnitude)
		return false;
	if (magnitude > max)
		return false;
	*value = negative ? -magnitude : magnitude;
	return true;
}

/* Put the lowest bits of @value where the variable is, the bits beside it as they were. */
static void number_store(const struct target *t, uint64_t value, bool sign, uint8_t *data)
{
	unsigned int i, bits = t->bits ? t->bits : t->size * 8;

	for (i = 0; i < bits; i++) {
		unsigned int at = t->bit + i;
		unsigned int set = i < 64 ? value >> i & 1 : sign && (int64_t)value < 0;

		data[at / 8] = (data[at / 8] & ~(1u << at % 8)) | set << at % 8;
	}
}

static int encode_number(const struct target *t, const char *text, struct range r, uint8_t *data,
			 char **expected)
{
	uint64_t value;

	if (!integer_parse(text, &r, &value)) {
		*expected = range_text(&r);
		return -ERANGE;
	}
	number_store(t, value, r.is_signed, data);
	return 0;
}

static int encode_int(const struct target *t, const struct btf_type *type, const char *text,
		      struct range r, uint8_t *data, char **expected)
{
	uint8_t encoding = btf_int_encoding(type);

	r.is_signed = encoding & BTF_INT_SIGNED;
	if (encoding & BTF_INT_BOOL) {
		if (!strcmp(text, "true") || !strcmp(text, "1"))
			number_store(t, 1, false, data);
		else if (!strcmp(text, "false") || !strcmp(text, "0"))
			number_store(t, 0, false, data);
		else
			*expected = xstrdup("true, false, 1 or 0");
		return *expected ? -ERANGE : 0;
	}
	if (type->size == 1 && text[0] == '\'' && text[1] && text[2] == '\'' && !text[3]) {
		number_store(t, (unsigned char)text[1], false, data);
		return 0;
	}
	return encode_number(t, text, r, data, expected);
}

/* The enumerator at @i. */
static const char *enumerator(const struct btf *btf, const struct btf_type *type, uint16_t i,
			      uint64_t *value)
{
	if (btf_is_enum64(type)) {
		*value = btf_enum64_value(&btf_enum64(type)[i]);
		return btf__name_by_offset(btf, btf_enum64(type)[i].name_off);
	}
	*value = (int64_t)btf_enum(type)[i].val;
	return btf__name_by_offset(btf, btf_enum(type)[i].name_off);
}

static int encode_enum(const struct target *t, const struct btf_type *type, const char *text,
		       struct range r, uint8_t *data, char **expected)
{
	char *list = xstrdup(""), *longer;
	uint64_t value;
	uint16_t i;

	for (i = 0; i < btf_vlen(type); i++) {
		const char *name = enumerator(t->btf, type, i, &value);

		if (!strcmp(name, text)) {
			number_store(t, value, true, data);
			free(list);
			return 0;
		}
		if (i >= LISTED_MAX)
			continue;
		longer = xasprintf("%s%s%s", list, i ? ", " : "", name);
		free(list);
		list = longer;
	}
	r.is_signed = btf_kflag(type);
	if (encode_number(t, text, r, data, expected)) {
		longer = xasprintf("one of %s%s, or %s", list,
				   btf_vlen(type) > LISTED_MAX ? ", ..." : "", *expected);
		free(*expected);
		*expected = longer;
	}
	free(list);
	return *expected ? -ERANGE : 0;
}

/* Text with its NUL, the rest zeros. */
static int encode_text(const struct target *t, const char *text, uint8_t *data, char **expected)
{
	size_t len = strlen(text);

	if (len >= t->size) {
		*expected = xasprintf("text of at most %u bytes", t->size - 1);
		return -ERANGE;
	}
	memset(data, 0, t->size);
	memcpy(data, text, len);
	return 0;
}

int value_encode(const struct target *t, const char *text, uint8_t *data, char **expected)
{
	struct range r = {.bits = t->bits ? t->bits : t->size < 8 ? t->size * 8 : 64};
	const struct btf_type *type = t->type ? plain(t->btf, t->type) : NULL;

	*expected = NULL;
	if (!t->type || (type && btf_is_ptr(type)))
		return encode_number(t, text, r, data, expected);
	if (type && btf_is_int(type))
		return encode_int(t, type, text, r, data, expected);
	if (type && btf_is_any_enum(type))
		return encode_enum(t, type, text, r, data, expected);
	if (type && btf_is_array(type) && is_char(t->btf, btf_array(type)->type) && t->size)
		return encode_text(t, text, data, expected);
	*expected = type && (btf_is_array(type) || btf_is_composite(type))
			    ? value_parts(t->btf, t->type)
			    : xstrdup("a variable that is a number, an enum or text");
	return -ERANGE;
}
