// SPDX-License-Identifier: GPL-2.0
#include "fields.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "exits.h"
#include "fields_state.h"

void fields_count_lines(struct fields *f, size_t at)
{
	const char *p = f->piece + f->counted, *end = f->piece + at;

	while (p < end && (p = memchr(p, '\n', end - p))) {
		p++;
		f->lines++;
		f->line_start = f->fed + (p - f->piece);
	}
	if (at > f->counted)
		f->counted = at;
}

int fields_fail(struct fields *f, size_t at, const char *fmt, ...)
{
	_cleanup_free_ char *what = NULL;
	va_list ap;

	if (f->message)
		return 0;
	va_start(ap, fmt);
	if (vasprintf(&what, fmt, ap) < 0)
		what = xstrdup("malformed");
	va_end(ap);
	fields_count_lines(f, at);
	f->message = xasprintf("line %llu, byte %llu: %s", (unsigned long long)f->lines + 1,
			       (unsigned long long)(f->fed + at - f->line_start), what);
	return 0;
}

/* yajl does not look at what its allocator returns, so these never return NULL. */
static void *fields_malloc(void *ctx, size_t size)
{
	(void)ctx;
	return xmalloc(size);
}

/* A token that runs over pieces is gathered in a growing buffer. */
static void *fields_realloc(void *ctx, void *p, size_t size)
{
	struct fields *f = ctx;

	if (size > FIELDS_TOKEN_MAX)
		f->oversize = true;
	return xrealloc(p, size);
}

static void fields_free(void *ctx, void *p)
{
	(void)ctx;
	free(p);
}

struct fields *fields_open(const struct jsonpath *const *paths, size_t n_paths,
			   int (*take)(void *ctx, const struct field *found), void *ctx)
{
	struct fields *f = xcalloc(1, sizeof(*f));
	yajl_alloc_funcs alloc = {fields_malloc, fields_realloc, fields_free, f};

	f->paths = paths;
	f->n_paths = n_paths;
	f->take = take;
	f->ctx = ctx;
	f->found = xcalloc(n_paths, sizeof(*f->found));
	f->yajl = yajl_alloc(&fields_callbacks, &alloc, f);
	if (!f->yajl)
		die(EXIT_INTERNAL, "out of memory");
	yajl_config(f->yajl, yajl_allow_multiple_values, 1);
	return f;
}

/* The word around byte @at of the piece, which yajl could not read: NaN, Infinity, 'x. */
static int word_around(const char *data, size_t len, size_t *at)
{
	static const char ends[] = " \t\r\n,:[]{}\"";
	size_t first = *at, n = 0;

	while (first > 0 && *at - first < 20 && isgraph((unsigned char)data[first - 1]) &&
	       !strchr(ends, data[first - 1]))
		first--;
	while (first + n < len && n < 20 && isgraph((unsigned char)data[first + n]) &&
	       !strchr(ends, data[first + n]))
		n++;
	*at = first;
	return n;
}

static int result(struct fields *f, yajl_status status, const char *data, size_t len)
{
	if (f->stopped)
		return f->stopped;
	if (!f->message && f->oversize)
		fields_fail(f, 0, "expected a string or number of at most %d bytes",
			    FIELDS_TOKEN_MAX);
	if (!f->message && status != yajl_status_ok) {
		size_t at = fields_here(f);
		int n = word_around(data, len, &at);

		if (n)
			fields_fail(f, at, "expected JSON, found '%.*s'", n, data + at);
		else
			fields_fail(f, at, "expected JSON");
	}
	return f->message ? -EBADMSG : 0;
}

int fields_feed(struct fields *f, const char *data, size_t len)
{
	size_t i;
	int err;

	if (f->stopped || f->message)
		return f->stopped ? f->stopped : -EBADMSG;
	for (i = 0; !f->filled && i < len; i++)
		f->filled = !isspace((unsigned char)data[i]);
	f->piece = data;
	f->counted = 0;
	err = result(f, yajl_parse(f->yajl, (const unsigned char *)data, len), data, len);
	if (err)
		return err;
	fields_count_lines(f, len);
	f->fed += len;
	f->counted = 0;
	return 0;
}

int fields_finish(struct fields *f)
{
	if (f->stopped || f->message)
		return f->stopped ? f->stopped : -EBADMSG;
	if (!f->filled)
		return 0;
	f->piece = " "; /* what yajl makes up to end a token */
	if (yajl_complete_parse(f->yajl) == yajl_status_ok && !f->depth && !f->message)
		return 0;
	if (f->stopped)
		return f->stopped;
	fields_fail(f, 0, "the input ends here: expected the rest of the JSON object");
	return -EBADMSG;
}

const char *fields_error(const struct fields *f)
{
	return f->message;
}

uint64_t fields_line(const struct fields *f)
{
	return f->line;
}

void fields_close(struct fields *f)
{
	size_t i, k;

	if (!f)
		return;
	for (i = 0; i < FIELDS_DEPTH_MAX && f->frames[i].slots; i++) {
		for (k = 0; k < f->n_paths; k++)
			slot_clear(&f->frames[i].slots[k]);
		free(f->frames[i].slots);
	}
	for (k = 0; k < f->n_paths; k++)
		field_clear(&f->found[k]);
	free(f->found);
	yajl_free(f->yajl);
	free(f->message);
	free(f);
}
