// SPDX-License-Identifier: GPL-2.0
/* kt-snapshot read and set: variables of a live VM. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "cleanup.h"
#include "commands.h"
#include "diag.h"
#include "exits.h"
#include "options.h"
#include "text.h"

enum { OPT_JSON = 1 };

static const struct option_row read_rows[] = {
	{"json", 'j', NULL, "print values as JSON, strings in quotes", OPT_JSON},
};

static const char epilogue[] =
	"TARGETS\n"
	"  var.NAME              global variable of a BPF program, whichever map holds it\n"
	"  map.NAME.VARIABLE     the one of that map; map.NAME[N] for an array's element\n"
	"  scx.MEMBER            member of the root scheduler's struct scx_sched\n"
	"  kernel.NAME           kernel variable; kernel.NAME:u32 where its type is not known\n"
	"  module.NAME.VARIABLE  a loaded module's variable, likewise\n"
	"Members and elements follow: var.config.limits[2]\n";

/* Wrong usage of what can be told from the words alone, or not there. */
static int status_of(int err)
{
	return err == -EINVAL || err == -ERANGE ? EXIT_USAGE : EXIT_FAILURE;
}

int command_read(int argc, char **argv)
{
	_cleanup_free_ char *why = NULL;
	struct options o = {
		.synopsis = "read [OPTIONS] RUNDIR|SOCKET TARGET...",
		.summary = "Print variables of a live VM, one a line.",
		.epilogue = epilogue,
		.rows = read_rows,
		.n_rows = ARRAY_SIZE(read_rows),
		.permute = 1,
		.argc = argc,
		.argv = argv,
	};
	bool json = false;
	const char *value;
	struct session s;
	char **operands;
	int status = 0;

	while (options_next(&o, &value))
		json = true;
	operands = options_operands(&o);
	if (!operands[0] || !operands[1])
		die(EXIT_USAGE, "read: expected a run directory or control socket, then "
				"variables, for example var.nr_dispatched");
	if (session_open(&s, operands[0], false, &why))
		die(EXIT_FAILURE, "%s", why);
	while (*++operands) {
		json_t *v = target_read(&s, *operands, &why);

		if (v) {
			text_print_value(v, json);
			json_decref(v);
			continue;
		}
		warn("%s", why);
		free(take_ptr(why));
		status = EXIT_FAILURE;
	}
	session_close(&s);
	if (fflush(stdout) || ferror(stdout))
		die(EXIT_INTERNAL, "cannot write: %s", strerror(errno));
	return status;
}

/* The = between target and value: the first one outside of brackets and quotes. */
static char *assignment(char *text)
{
	bool quoted = false;
	int depth = 0;

	for (; *text; text++) {
		if (quoted && *text == '\\' && text[1])
			text++;
		else if (*text == '"')
			quoted = !quoted;
		else if (!quoted && (*text == '[' || *text == ']'))
			depth += *text == '[' ? 1 : -1;
		else if (!quoted && depth <= 0 && *text == '=')
			return text;
	}
	return NULL;
}

int command_set(int argc, char **argv)
{
	_cleanup_free_ char *why = NULL;
	struct options o = {
		.synopsis = "set RUNDIR|SOCKET TARGET=VALUE...",
		.summary = "Write variables of a live VM, which stands still meanwhile.",
		.epilogue = epilogue,
		.argc = argc,
		.argv = argv,
	};
	const char *value;
	struct session s;
	char **operands, **op;
	int err = 0;

	options_next(&o, &value);
	operands = options_operands(&o);
	if (!operands[0] || !operands[1])
		die(EXIT_USAGE, "set: expected a run directory or control socket, then "
				"assignments, for example var.crash=1");
	for (op = operands + 1; *op; op++) {
		if (!assignment(*op))
			die(EXIT_USAGE, "set: '%s': expected TARGET=VALUE, for example var.crash=1",
			    *op);
	}
	if (session_open(&s, operands[0], true, &why))
		die(EXIT_FAILURE, "%s", why);
	for (op = operands + 1; *op && !err; op++) {
		char *equals = assignment(*op);

		*equals = '\0';
		err = target_write(&s, *op, equals + 1, &why);
	}
	session_close(&s);
	if (err)
		die(status_of(err), "%s", why);
	return 0;
}
