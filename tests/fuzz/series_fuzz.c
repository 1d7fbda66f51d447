// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target for paths into JSON and the reader that finds them in a stream: no path and no
 * document may crash either, and in a document that both take, the stream's reader finds what
 * jsonpath_get() finds in the tree. An input is a size of pieces (a byte), a path, a newline and
 * the document. tests/fuzz/run builds and runs it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "jsonpath.h"
#include "snapshot_paths.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The path as it is written, which is the last way. */
struct seen {
	size_t last;
	struct field field;
	size_t documents;
};

static int take(void *ctx, const struct field *found)
{
	struct seen *s = ctx;

	s->documents++;
	found += s->last;
	free(s->field.text);
	s->field = *found;
	if (found->text)
		s->field.text = strndup(found->text, FIELDS_STRING_MAX);
	return 0;
}

static enum field_kind kind_of(const json_t *v)
{
	static const enum field_kind kinds[] = {
		[JSON_OBJECT] = FIELD_OBJECT, [JSON_ARRAY] = FIELD_ARRAY,
		[JSON_STRING] = FIELD_STRING, [JSON_INTEGER] = FIELD_NUMBER,
		[JSON_REAL] = FIELD_NUMBER,   [JSON_TRUE] = FIELD_TRUE,
		[JSON_FALSE] = FIELD_FALSE,   [JSON_NULL] = FIELD_NULL,
	};

	return v ? kinds[json_typeof(v)] : FIELD_MISSING;
}

static void compare(const struct jsonpath *p, const char *text, size_t len, const struct seen *s)
{
	json_t *root = json_loadb(text, len, JSON_ALLOW_NUL, NULL), *v;
	char *why = NULL;

	if (!root)
		return;
	v = jsonpath_get(root, p, &why);
	if (kind_of(v) != s->field.kind || !v != (why != NULL)) {
		fprintf(stderr, "path %s: tree %d, stream %d\n", p->text, kind_of(v),
			s->field.kind);
		abort();
	}
	if (json_is_integer(v) && s->field.number != json_integer_value(v))
		abort();
	if (json_is_string(v) && s->field.len != json_string_length(v))
		abort();
	free(why);
	json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *newline = size ? memchr(data + 1, '\n', size - 1) : NULL, *text, *why;
	size_t piece, len, at, n, i;
	struct seen seen = {0};
	struct jsonpath p;
	struct jsonpath ways[SNAPSHOT_PATHS_MAX];
	const struct jsonpath *paths[SNAPSHOT_PATHS_MAX];
	char *path, *wrong = NULL;
	struct fields *f;
	int err = 0;

	if (!newline)
		return 0;
	piece = data[0] % 64 + 1;
	path = strndup((const char *)data + 1, newline - (const char *)data - 1);
	text = newline + 1;
	len = (const char *)data + size - text;
	if (jsonpath_parse(path, &p, data[0] & 64 ? &why : NULL, &wrong)) {
		free(wrong);
		free(path);
		return 0;
	}
	n = snapshot_paths(&p, ways);
	seen.last = n - 1;
	for (i = 0; i < n; i++)
		paths[i] = &ways[i];
	f = fields_open(paths, n, take, &seen);
	for (at = 0; !err && at < len; at += piece)
		err = fields_feed(f, text + at, len - at < piece ? len - at : piece);
	if (!err)
		err = fields_finish(f);
	if (!!err != !!fields_error(f))
		abort();
	if (!err && seen.documents == 1)
		compare(&p, text, len, &seen);
	free(seen.field.text);
	fields_close(f);
	for (i = 0; i < n; i++)
		jsonpath_free(&ways[i]);
	jsonpath_free(&p);
	free(path);
	return 0;
}
