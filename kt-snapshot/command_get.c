// SPDX-License-Identifier: GPL-2.0
/* kt-snapshot get: values of a snapshot, by path. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "commands.h"
#include "diag.h"
#include "document.h"
#include "exits.h"
#include "options.h"
#include "text.h"

enum { OPT_JSON = 1 };

static const struct option_row rows[] = {
	{"json", 'j', NULL, "print values as JSON, strings in quotes", OPT_JSON},
};

static const char epilogue[] =
	"PATHS\n"
	"  var.NAME           a global variable of the scheduler, whichever map holds it\n"
	"  map.NAME           a map; map.NAME.VARIABLE, map.NAME[KEY], map.NAME[MEMBER=VALUE]\n"
	"  cpu[2].curr.comm   any member of the document; names with odd characters in \"\"\n";

static void parse_or_die(const char *text, struct jsonpath *p)
{
	_cleanup_free_ char *why = NULL;

	if (jsonpath_parse(text, p, NULL, &why))
		die(EXIT_USAGE, "%s", why);
}

/* Returns whether it is there. */
static bool path_print(json_t *doc, const struct jsonpath *p, bool json)
{
	_cleanup_free_ char *why = NULL;
	json_t *v = document_get(doc, p, &why);

	if (v)
		text_print_value(v, json);
	else
		warn("%s", why);
	return v;
}

int command_get(int argc, char **argv)
{
	_cleanup_free_ char *why = NULL;
	_cleanup_free_ struct jsonpath *paths = NULL;
	size_t n, i;
	struct options o = {
		.synopsis = "get [OPTIONS] FILE|- PATH...",
		.summary = "Print values of a snapshot, one a line.",
		.epilogue = epilogue,
		.rows = rows,
		.n_rows = ARRAY_SIZE(rows),
		.permute = 1,
		.argc = argc,
		.argv = argv,
	};
	bool json = false;
	const char *value;
	char **operands;
	int status = 0, err;
	json_t *doc;

	while (options_next(&o, &value))
		json = true;
	operands = options_operands(&o);
	if (!operands[0] || !operands[1])
		die(EXIT_USAGE, "get: expected a snapshot's file, or -, then paths, for example "
				"var.nr_dispatched");
	for (n = 0; operands[n + 1]; n++) {
		paths = xrealloc(paths, (n + 1) * sizeof(*paths));
		parse_or_die(operands[n + 1], &paths[n]);
	}
	err = documents_load(operands, 1, &doc, &why);
	if (err)
		die(err == -EBADMSG ? EXIT_BAD_INPUT : EXIT_USAGE, "%s", why);
	for (i = 0; i < n; i++) {
		if (!path_print(doc, &paths[i], json))
			status = EXIT_FAILURE;
		jsonpath_free(&paths[i]);
	}
	json_decref(doc);
	if (fflush(stdout) || ferror(stdout))
		die(EXIT_INTERNAL, "cannot write: %s", strerror(errno));
	return status;
}
