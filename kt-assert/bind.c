// SPDX-License-Identifier: GPL-2.0
#include "bind.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "cleanup.h"
#include "diag.h"
#include "exits.h"
#include "number.h"

/* Bound objects and lists within each other; the tables decide, not the input. */
#define LEVELS_MAX 8

struct level {
	enum { IN_OBJECT, IN_LIST, IN_STRINGS } in;
	const struct bind_type *type;	/* of the object, or of the list's elements */
	void *base;			/* the object, or the struct bind_strings */
	const struct bind_field *field; /* IN_OBJECT: the key whose value comes; NULL: not bound */
	size_t index;			/* of the element, otherwise */
	uint64_t seen;			/* IN_OBJECT: bit per field */
	size_t hint;			/* IN_OBJECT: where the next key is likely to be */
};

struct bind {
	yajl_handle yajl;
	const struct bind_type *root;
	void *owner;
	struct level levels[LEVELS_MAX];
	size_t n_levels;
	unsigned int skip; /* depth inside a value that nobody wants */
	bool oversize;	   /* yajl asked for a buffer above BIND_TOKEN_MAX */
	uint64_t fed;	   /* bytes in earlier chunks */
	char *message;
};

static struct level *top_level(struct bind *b)
{
	return b->n_levels ? &b->levels[b->n_levels - 1] : NULL;
}

/* "workers[3].max_gap_ns: ", or "" at the top. */
static char *path_text(const struct bind *b, const char *key)
{
	_cleanup_free_ char *text = NULL;
	size_t size, i;
	FILE *f = open_memstream(&text, &size);
	const char *dot = "";

	if (!f)
		return xstrdup("");
	for (i = 0; i < b->n_levels; i++) {
		const struct level *l = &b->levels[i];

		if (l->in != IN_OBJECT)
			fprintf(f, "[%zu]", l->index);
		else if (l->field)
			fprintf(f, "%s%s", dot, l->field->key);
		dot = ".";
	}
	if (key)
		fprintf(f, "%s%s", b->n_levels > 1 ? "." : "", key);
	fclose(f);
	if (!text[0])
		return xstrdup("");
	return xasprintf("%s: ", text);
}

/* Note the first error, at byte @offset of the current chunk. */
static void note_error(struct bind *b, size_t offset, const char *key, const char *fmt, va_list ap)
{
	_cleanup_free_ char *path = path_text(b, key);
	_cleanup_free_ char *what = NULL;

	if (b->message)
		return;
	if (vasprintf(&what, fmt, ap) < 0)
		what = xstrdup("malformed");
	b->message =
		xasprintf("byte %llu: %s%s", (unsigned long long)(b->fed + offset), path, what);
}

/* Note an error at the value just read; returns what makes yajl stop. */
__attribute__((format(printf, 3, 4))) static int fail_key(struct bind *b, const char *key,
							  const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note_error(b, yajl_get_bytes_consumed(b->yajl), key, fmt, ap);
	va_end(ap);
	return 0;
}

#define fail(b, ...) fail_key(b, NULL, __VA_ARGS__)

static const char *expected(const struct level *l)
{
	static const char *const kinds[] = {
		[BIND_INT] = "a whole number",		[BIND_REAL] = "a number",
		[BIND_BOOL] = "true or false",		[BIND_STRING] = "a string",
		[BIND_STRINGS] = "an array of strings", [BIND_OBJECT] = "an object",
		[BIND_LIST] = "an array of objects",
	};

	if (!l || l->in == IN_LIST)
		return "an object";
	return l->in == IN_STRINGS ? "a string" : kinds[l->field->kind];
}

static int mismatch(struct bind *b, const char *found)
{
	const struct level *l = top_level(b);
	bool or_null = l && l->in == IN_OBJECT && l->field->flags & BIND_NULL;

	return fail(b, "expected %s%s, found %s", expected(l), or_null ? " or null" : "", found);
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

static int on_number(void *ctx, const char *s, size_t len)
{
	struct bind *b = ctx;
	const struct bind_field *f;
	int err;

	if (unwanted(b))
		return 1;
	if ((f = field_of_kind(b, BIND_INT)))
		err = json_int_parse(s, len, member(b, f));
	else if ((f = field_of_kind(b, BIND_REAL)))
		err = json_real_parse(s, len, member(b, f));
	else
		return mismatch(b, "a number");
	if (err == -ERANGE)
		return fail(b, "number out of range: expected %s",
			    top_level(b)->field->kind == BIND_INT ? "a whole number below 2^63"
								  : "a finite number");
	if (err)
		return fail(b, "expected a whole number from 0, found %.*s",
			    (int)(len < 40 ? len : 40), s);
	field_done(b);
	return 1;
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
		return fail(b, "expected a string without NUL in it");
	if (!f) {
		list = l->base;
		ptrlist_add(&list->v, &list->n, xstrndup((const char *)s, len));
	} else if (f->equals && (strlen(f->equals) != len || memcmp(f->equals, s, len))) {
		return fail(b, "expected \"%s\"", f->equals);
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
	return fail(b, "nested too deeply: expected at most %d levels", BIND_DEPTH_MAX);
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
	n = l->type->n_fields;
	/* Writers keep their order: the next field is nearly always the right one. */
	for (i = 0; i < n; i++) {
		size_t at = (l->hint + i) % n;
		const struct bind_field *f = &l->type->fields[at];

		if (strlen(f->key) != len || memcmp(f->key, key, len))
			continue;
		if (l->seen & 1ULL << at)
			return fail_key(b, f->key, "expected this key once, found it twice");
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
	for (i = 0; i < l->type->n_fields; i++) {
		if (l->type->fields[i].flags & BIND_REQUIRED && !(l->seen & 1ULL << i))
			return fail(b, "expected the key \"%s\"", l->type->fields[i].key);
	}
	if (l->type->end)
		wrong = l->type->end(b->owner, l->base, &key);
	if (wrong)
		return fail_key(b, key, "%s", wrong);
	b->n_levels--;
	field_done(b);
	return 1;
}

static int on_end_array(void *ctx)
{
	struct bind *b = ctx;

	if (b->skip) {
		b->skip--;
		return 1;
	}
	b->n_levels--;
	field_done(b);
	return 1;
}

/* yajl does not look at what its allocator returns, so these never return NULL. */
static void *bind_malloc(void *ctx, size_t size)
{
	(void)ctx;
	return xmalloc(size);
}

/* A token that runs over chunks is gathered in a growing buffer: the place to see an endless one.
 */
static void *bind_realloc(void *ctx, void *p, size_t size)
{
	struct bind *b = ctx;

	if (size > BIND_TOKEN_MAX)
		b->oversize = true;
	return xrealloc(p, size);
}

static void bind_free(void *ctx, void *p)
{
	(void)ctx;
	free(p);
}

struct bind *bind_open(const struct bind_type *root, void *base)
{
	static const yajl_callbacks callbacks = {
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
	struct bind *b = xcalloc(1, sizeof(*b));
	yajl_alloc_funcs alloc = {bind_malloc, bind_realloc, bind_free, b};

	b->root = root;
	b->owner = base;
	b->yajl = yajl_alloc(&callbacks, &alloc, b);
	if (!b->yajl)
		die(EXIT_INTERNAL, "out of memory");
	return b;
}

__attribute__((format(printf, 3, 4))) static int fail_at(struct bind *b, size_t offset,
							 const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note_error(b, offset, NULL, fmt, ap);
	va_end(ap);
	return -EBADMSG;
}

/* The printable word around byte @at of the chunk, which yajl could not read: NaN, Infinity, 'x. */
static size_t word_around(const char *data, size_t len, size_t at, const char **word)
{
	static const char ends[] = " \t\r\n,:[]{}\"";
	size_t first = at, n = 0;

	while (first > 0 && at - first < 20 && !strchr(ends, data[first - 1]) &&
	       isgraph((unsigned char)data[first - 1]))
		first--;
	while (first + n < len && n < 20 && isgraph((unsigned char)data[first + n]) &&
	       !strchr(ends, data[first + n]))
		n++;
	*word = data + first;
	return n;
}

/* Say where and why yajl gave up. */
static int syntax_error(struct bind *b, const char *data, size_t len)
{
	size_t at = yajl_get_bytes_consumed(b->yajl), n;
	unsigned char *text = yajl_get_error(b->yajl, 0, NULL, 0);
	const char *why = (const char *)text, *word;
	int err;

	if (why && !strncmp(why, "parse error: ", 13))
		why += 13;
	else if (why && !strncmp(why, "lexical error: ", 15))
		why += 15;
	if (!why || !*why)
		why = "malformed";
	n = word_around(data, len, at, &word);
	if (n)
		err = fail_at(b, word - data, "expected JSON, found '%.*s' (%.*s)", (int)n, word,
			      (int)strcspn(why, "\n"), why);
	else
		err = fail_at(b, at, "expected JSON (%.*s)", (int)strcspn(why, "\n"), why);
	if (text)
		yajl_free_error(b->yajl, text);
	return err;
}

int bind_feed(struct bind *b, const void *data, size_t len)
{
	yajl_status status;

	if (b->message)
		return -EBADMSG;
	status = yajl_parse(b->yajl, data, len);
	if (b->message)
		return -EBADMSG;
	if (b->oversize)
		return fail_at(b, 0, "expected a string or number of at most %d bytes",
			       BIND_TOKEN_MAX);
	if (status != yajl_status_ok)
		return syntax_error(b, data, len);
	b->fed += len;
	return 0;
}

int bind_finish(struct bind *b)
{
	if (b->message)
		return -EBADMSG;
	if (yajl_complete_parse(b->yajl) == yajl_status_ok && !b->message)
		return 0;
	if (b->message)
		return -EBADMSG;
	return fail_at(b, 0,
		       b->fed ? "the input ends here: expected the rest of the JSON object"
			      : "the input is empty: expected a JSON object");
}

const char *bind_error(const struct bind *b)
{
	return b->message;
}

void bind_close(struct bind *b)
{
	if (!b)
		return;
	yajl_free(b->yajl);
	free(b->message);
	free(b);
}

void bind_clear(const struct bind_type *type, void *base)
{
	size_t i;

	for (i = 0; i < type->n_fields; i++) {
		const struct bind_field *f = &type->fields[i];
		void *p = (char *)base + f->offset;

		switch (f->kind) {
		case BIND_INT:
			*(int64_t *)p = BIND_NONE;
			break;
		case BIND_REAL:
			*(double *)p = NAN;
			break;
		case BIND_BOOL:
			*(bool *)p = false;
			break;
		case BIND_STRING:
			*(char **)p = NULL;
			break;
		case BIND_STRINGS:
			memset(p, 0, sizeof(struct bind_strings));
			break;
		case BIND_OBJECT:
			bind_clear(f->type, p);
			break;
		case BIND_LIST:
			break;
		}
	}
}

void bind_release(const struct bind_type *type, void *base)
{
	size_t i, j;

	for (i = 0; i < type->n_fields; i++) {
		const struct bind_field *f = &type->fields[i];
		void *p = (char *)base + f->offset;
		struct bind_strings *list = p;

		if (f->kind == BIND_STRING)
			free(*(char **)p);
		if (f->kind == BIND_OBJECT)
			bind_release(f->type, p);
		if (f->kind == BIND_STRINGS) {
			for (j = 0; j < list->n; j++)
				free(list->v[j]);
			free(list->v);
		}
	}
	bind_clear(type, base);
}
