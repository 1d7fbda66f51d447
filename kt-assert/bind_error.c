// SPDX-License-Identifier: GPL-2.0
/* Where in the document an error is, and what was wrong there. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bind_state.h"
#include "cleanup.h"
#include "diag.h"

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

		if (l->in == IN_COUNTS)
			continue;
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
static void note_error(struct bind *b, int err, size_t offset, const char *key, const char *fmt,
		       va_list ap)
{
	_cleanup_free_ char *path = path_text(b, key);
	_cleanup_free_ char *what = NULL;

	if (b->message)
		return;
	if (vasprintf(&what, fmt, ap) < 0)
		what = xstrdup("malformed");
	b->error = err;
	b->message =
		xasprintf("byte %llu: %s%s", (unsigned long long)(b->fed + offset), path, what);
}

int bind_fail_key(struct bind *b, const char *key, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note_error(b, -EBADMSG, yajl_get_bytes_consumed(b->yajl), key, fmt, ap);
	va_end(ap);
	return 0;
}

int bind_fail_at(struct bind *b, int err, size_t offset, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note_error(b, err, offset, NULL, fmt, ap);
	va_end(ap);
	return err;
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

int bind_syntax_error(struct bind *b, const char *data, size_t len)
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
		err = bind_fail_at(b, -EBADMSG, word - data, "expected JSON, found '%.*s' (%.*s)",
				   (int)n, word, (int)strcspn(why, "\n"), why);
	else
		err = bind_fail_at(b, -EBADMSG, at, "expected JSON (%.*s)", (int)strcspn(why, "\n"),
				   why);
	if (text)
		yajl_free_error(b->yajl, text);
	return err;
}
