// SPDX-License-Identifier: GPL-2.0
/* yajl's events: each value goes to the member that the tables name, or is skipped. */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bind_state.h"
#include "cleanup.h"
#include "diag.h"
#include "number.h"

static const char *expected(const struct level *l)
{
	static const char *const kinds[] = {
		[BIND_INT] = "a whole number",
		[BIND_REAL] = "a number",
		[BIND_BOOL] = "true or false",
		[BIND_STRING] = "a string",
		[BIND_STRINGS] = "an array of strings",
		[BIND_OBJECT] = "an object",
		[BIND_COUNTS] = "an object",
		[BIND_LIST] = "an array of objects",
	};

	if (!l || l->in == IN_LIST)
		return "an object";
	if (l->in == IN_COUNTS)
		return "a whole number";
	return l->in == IN_STRINGS ? "a string" : kinds[l->field->kind];
}

static int mismatch(struct bind *b, const char *found)
{
	const struct level *l = top_level(b);
	bool or_null = l && l->in == IN_OBJECT && l->field->flags & BIND_NULL;

	return bind_fail(b, "expected %s%s, found %s", expected(l), or_null ? " or null" : "",
			 found);
}

/* Is the value that comes of no interest? */
static bool unwanted(const struct bind *b)
{
	const struct level *l = b->n_levels ? &b->levels[b->n_levels - 1] : NULL;

	return b->skip || (l && l->in == IN_OBJECT && !l->field);
}

/* The field that the value goes to if it is of @kind, otherwise NULL. */
static const struct bind_field *field_of_kind(struct bind *b, enum bind_kind kind)
{
	const struct level *l = top_level(b);

	return l && l->in == IN_OBJECT && l->field->kind == kind ? l->field : NULL;
}

/* The current object's value is stored: wait for its next key. */
static void field_done(struct bind *b)
{
	struct level *l = top_level(b);

	if (!l)
		return;
	if (l->in == IN_OBJECT)
		l->field = NULL;
	else
		l->index++;
}

static void *member(struct bind *b, const struct bind_field *f)
{
	return (char *)top_level(b)->base + f->offset;
}

static int on_null(void *ctx)
{
	struct bind *b = ctx;
	struct level *l = top_level(b);

	if (unwanted(b))
		return 1;
	if (!l || l->in != IN_OBJECT || !(l->field->flags & BIND_NULL))
		return mismatch(b, "null");
	field_done(b);
	return 1;
}

static int on_boolean(void *ctx, int value)
{
	struct bind *b = ctx;
	const struct bind_field *f;

	if (unwanted(b))
		return 1;
	f = field_of_kind(b, BIND_BOOL);
	if (!f)
		return mismatch(b, value ? "true" : "false");
	*(bool *)member(b, f) = value;
	field_done(b);
	return 1;
}

/* Where the value of the counts' current key goes; NULL in anything but counts. */
static int64_t *level_count(const struct level *l)
{
	struct bind_counts *c = l->base;

	return l->in == IN_COUNTS ? &c->v[c->n - 1].n : NULL;
}

static int on_number(void *ctx, const char *s, size_t len)
{
	struct bind *b = ctx;
	struct level *l = top_level(b);
	const struct bind_field *f;
	int64_t *count;
	int err;

	if (unwanted(b))
		return 1;
	if ((count = l ? level_count(l) : NULL))
		err = json_int_parse(s, len, count);
	else if ((f = field_of_kind(b, BIND_INT)))
		err = json_int_parse(s, len, member(b, f));
	else if ((f = field_of_kind(b, BIND_REAL)))
		err = json_real_parse(s, len, member(b, f));
	else
		return mismatch(b, "a number");
	if (err == -ERANGE)
		return bind_fail(b, "number out of range: expected %s",
				 !count && l->field->kind == BIND_REAL
					 ? "a finite number"
					 : "a whole number below 2^63");
	if (err)
		return bind_fail(b, "expected a whole number from 0, found %.*s",
				 (int)(len < 40 ? len : 40), s);
	field_done(b);
	return 1;
}

static bool all_digits(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len && isdigit((unsigned char)s[i]); i++)
		;
	return len && i == len;
}

/* Is @s, which is not @equals, another version of it: "kt-stats/2" for "kt-stats/1"? */
static bool is_other_version(const char *equals, const char *s, size_t len)
{
	const char *slash = strrchr(equals, '/');
	size_t n = slash ? slash + 1 - equals : 0;

	return n && len > n && len - n < 10 && !memcmp(s, equals, n) && all_digits(s + n, len - n);
}

static int wrong_string(struct bind *b, const char *equals, const char *s, size_t len)
{
	if (!is_other_version(equals, s, len))
		return bind_fail(b, "expected \"%s\"", equals);
	bind_fail(b, "expected \"%s\", found \"%.*s\"", equals, (int)len, s);
	b->error = -EPROTONOSUPPORT;
	return 0;
}

static int on_string(void *ctx, const unsigned char *s, size_t len)
{
	struct bind *b = ctx;
	struct level *l = top_level(b);
	const struct bind_field *f;
	struct bind_strings *list;

	if (unwanted(b))
		return 1;
	f = field_of_kind(b, BIND_STRING);
	if (!f && !(l && l->in == IN_STRINGS))
		return mismatch(b, "a string");
	if (memchr(s, '\0', len))
		return bind_fail(b, "expected a string without NUL in it");
	if (!f) {
		list = l->base;
		ptrlist_add(&list->v, &list->n, xstrndup((const char *)s, len));
	} else if (f->equals && (strlen(f->equals) != len || memcmp(f->equals, s, len))) {
		return wrong_string(b, f->equals, (const char *)s, len);
	} else {
		*(char **)member(b, f) = xstrndup((const char *)s, len);
	}
	field_done(b);
	return 1;
}

static struct level *level_push(struct bind *b)
{
	struct level *l;

	assert(b->n_levels < LEVELS_MAX);
	l = &b->levels[b->n_levels++];
	memset(l, 0, sizeof(*l));
	return l;
}

/* Count one more array or object; refuses what is nested too deeply. */
static int nest(struct bind *b)
{
	if (b->n_levels + b->skip < BIND_DEPTH_MAX)
		return 1;
	return bind_fail(b, "nested too deeply: expected at most %d levels", BIND_DEPTH_MAX);
}

static int counts_begin(struct bind *b, struct bind_counts *c)
{
	struct level *l = level_push(b);

	c->n = 0;
	c->there = true;
	l->in = IN_COUNTS;
	l->base = c;
	return 1;
}

/* The next count's key; its value follows. */
static int counts_key(struct bind *b, struct bind_counts *c, const char *text, size_t len)
{
	int64_t key = BIND_NONE;
	size_t i;

	if (!all_digits(text, len) || json_int_parse(text, len, &key) || key > BIND_COUNTS_KEY_MAX)
		return bind_fail(b, "expected whole numbers up to %d as keys", BIND_COUNTS_KEY_MAX);
	for (i = 0; i < c->n; i++) {
		if (c->v[i].key == key)
			return bind_fail(b, "expected the key \"%u\" once, found it twice",
					 c->v[i].key);
	}
	if (c->n == c->max) {
		c->max = c->max ? 2 * c->max : 4;
		c->v = xrealloc(c->v, c->max * sizeof(*c->v));
	}
	c->v[c->n++] = (struct bind_count){.key = key};
	return 1;
}

static int on_start_map(void *ctx)
{
	struct bind *b = ctx;
	struct level *l = top_level(b);
	const struct bind_type *type;
	const struct bind_field *f;
	void *base;

	if (!nest(b))
		return 0;
	if (unwanted(b)) {
		b->skip++;
		return 1;
	}
	if ((f = field_of_kind(b, BIND_COUNTS)))
		return counts_begin(b, member(b, f));
	if (!l) {
		type = b->root;
		base = b->owner;
	} else if (l->in == IN_LIST) {
		type = l->type;
		base = type->begin(b->owner);
	} else if ((f = field_of_kind(b, BIND_OBJECT))) {
		type = f->type;
		base = member(b, f);
	} else {
		return mismatch(b, "an object");
	}
	bind_clear(type, base);
	l = level_push(b);
	l->in = IN_OBJECT;
	l->type = type;
	l->base = base;
	return 1;
}

static int on_start_array(void *ctx)
{
	struct bind *b = ctx;
	const struct bind_field *f;
	struct level *l;
	void *base;

	if (!nest(b))
		return 0;
	if (unwanted(b)) {
		b->skip++;
		return 1;
	}
	f = field_of_kind(b, BIND_LIST);
	if (!f)
		f = field_of_kind(b, BIND_STRINGS);
	if (!f)
		return mismatch(b, "an array");
	base = member(b, f);
	l = level_push(b);
	l->in = f->kind == BIND_LIST ? IN_LIST : IN_STRINGS;
	l->type = f->type;
	l->base = base;
	return 1;
}

static int on_map_key(void *ctx, const unsigned char *key, size_t len)
{
	struct bind *b = ctx;
	struct level *l = top_level(b);
	size_t n, i;

	if (b->skip)
		return 1;
	if (l->in == IN_COUNTS)
		return counts_key(b, l->base, (const char *)key, len);
	n = l->type->n_fields;
	/* Writers keep their order: the next field is nearly always the right one. */
	for (i = 0; i < n; i++) {
		size_t at = (l->hint + i) % n;
		const struct bind_field *f = &l->type->fields[at];

		/* The first byte tells most of them apart. */
		if (!len || f->key[0] != (char)key[0] || strlen(f->key) != len ||
		    memcmp(f->key, key, len))
			continue;
		if (l->seen & 1ULL << at)
			return bind_fail_key(b, f->key, "expected this key once, found it twice");
		l->seen |= 1ULL << at;
		l->hint = at + 1;
		l->field = f;
		return 1;
	}
	return 1;
}

static int on_end_map(void *ctx)
{
	struct bind *b = ctx;
	struct level *l = top_level(b);
	const char *key = NULL, *wrong = NULL;
	size_t i;

	if (b->skip) {
		b->skip--;
		return 1;
	}
	if (l->in == IN_COUNTS) {
		b->n_levels--;
		field_done(b);
		return 1;
	}
	for (i = 0; i < l->type->n_fields; i++) {
		if (l->type->fields[i].flags & BIND_REQUIRED && !(l->seen & 1ULL << i))
			return bind_fail(b, "expected the key \"%s\"", l->type->fields[i].key);
	}
	if (l->type->end)
		wrong = l->type->end(b->owner, l->base, &key);
	if (wrong)
		return bind_fail_key(b, key, "%s", wrong);
	b->n_levels--;
	field_done(b);
	return 1;
}

static int on_end_array(void *ctx)
{
	struct bind *b = ctx;
	struct level *l = top_level(b);

	if (b->skip) {
		b->skip--;
		return 1;
	}
	if (l->in == IN_LIST)
		*(int64_t *)l->base = l->index;
	b->n_levels--;
	field_done(b);
	return 1;
}

const yajl_callbacks bind_callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_start_map,
	.yajl_map_key = on_map_key,
	.yajl_end_map = on_end_map,
	.yajl_start_array = on_start_array,
	.yajl_end_array = on_end_array,
};
