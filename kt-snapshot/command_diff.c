// SPDX-License-Identifier: GPL-2.0
/* kt-snapshot diff: what changed from one snapshot to another. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "commands.h"
#include "diag.h"
#include "difference.h"
#include "document.h"
#include "exits.h"
#include "options.h"
#include "text.h"

enum { OPT_JSON = 1 };

static const struct option_row rows[] = {
	{"json", 'j', NULL, "print one JSON document (kt-snapshot-diff/1)", OPT_JSON},
};

static void print_change(void *context, const char *path, const json_t *a, const json_t *b,
			 const char *by)
{
	_cleanup_free_ char *name = text_visible(path, strlen(path));
	_cleanup_free_ char *before = a ? text_of_value(a, true) : NULL;
	_cleanup_free_ char *after = b ? text_of_value(b, true) : NULL;
	size_t *n = context;

	(*n)++;
	if (!a)
		printf("%s: new %s\n", name, after);
	else if (!b)
		printf("%s: gone, was %s\n", name, before);
	else
		printf("%s: %s -> %s%s%s%s\n", name, before, after, by ? " (" : "", by ? by : "",
		       by ? ")" : "");
}

static void add_change(void *context, const char *path, const json_t *a, const json_t *b,
		       const char *by)
{
	json_t *o = json_pack("{s:s}", "path", path);

	if (a)
		json_object_set(o, "a", (json_t *)a);
	if (b)
		json_object_set(o, "b", (json_t *)b);
	if (by) {
		const char *digits = by + (*by == '+');
		json_t *number = json_loads(digits, JSON_DECODE_ANY, NULL);

		json_object_set_new(o, "difference", number ? number : json_string(digits));
	}
	json_array_append_new(context, o);
}

static json_t *named(const json_t *doc)
{
	return json_pack("{s:O?,s:O?}", "name", json_object_get(doc, "name"), "t_ns",
			 json_object_get(doc, "t_ns"));
}

/* Returns how many changes there are. */
static size_t print_json(const json_t *a, const json_t *b)
{
	json_t *changes = json_array(), *doc;
	size_t n;

	difference_walk(a, b, add_change, changes);
	n = json_array_size(changes);
	doc = json_pack("{s:s,s:o,s:o,s:o}", "schema", "kt-snapshot-diff/1", "a", named(a), "b",
			named(b), "changes", changes);
	json_dumpf(doc, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(doc);
	return n;
}

int command_diff(int argc, char **argv)
{
	struct options o = {
		.synopsis = "diff [OPTIONS] A B",
		.summary = "Print what changed from snapshot A to snapshot B, by path.",
		.rows = rows,
		.n_rows = ARRAY_SIZE(rows),
		.permute = 1,
		.argc = argc,
		.argv = argv,
	};
	bool json = false;
	const char *value;
	_cleanup_free_ char *why = NULL;
	json_t *docs[2];
	char **operands;
	size_t n = 0;
	int err;

	while (options_next(&o, &value))
		json = true;
	operands = options_operands(&o);
	if (!operands[0] || !operands[1] || operands[2] ||
	    (!strcmp(operands[0], "-") && !strcmp(operands[1], "-")))
		die(EXIT_USAGE, "diff: expected two snapshots' files, one of which may be -");
	err = documents_load(operands, 2, docs, &why);
	if (err)
		die(err == -EBADMSG ? EXIT_BAD_INPUT : EXIT_USAGE, "%s", why);
	if (json)
		n = print_json(docs[0], docs[1]);
	else
		difference_walk(docs[0], docs[1], print_change, &n);
	json_decref(docs[0]);
	json_decref(docs[1]);
	if (fflush(stdout) || ferror(stdout))
		die(EXIT_INTERNAL, "cannot write: %s", strerror(errno));
	return n ? EXIT_FAILURE : 0;
}
