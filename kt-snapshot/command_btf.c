// SPDX-License-Identifier: GPL-2.0
/* kt-snapshot btf: the types that a live VM's kernel, or one of its modules, carries. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access.h"
#include "cleanup.h"
#include "commands.h"
#include "diag.h"
#include "exits.h"
#include "options.h"
#include "write_all.h"

int command_btf(int argc, char **argv)
{
	struct options o = {
		.synopsis = "btf RUNDIR|SOCKET [MODULE] > FILE",
		.summary =
			"Write the BTF of a live VM's kernel, or of a module, for bpftool and others.",
		.argc = argc,
		.argv = argv,
	};
	_cleanup_free_ char *why = NULL;
	_cleanup_free_ void *module = NULL;
	const void *data;
	const char *value;
	uint32_t size = 0;
	struct session s;
	char **operands;
	int err;

	options_next(&o, &value);
	operands = options_operands(&o);
	if (!operands[0] || (operands[1] && operands[2]))
		die(EXIT_USAGE,
		    "btf: expected one run directory or control socket, and a module's name if it is not the kernel's");
	if (isatty(STDOUT_FILENO))
		die(EXIT_USAGE, "btf: standard output is a terminal: expected a file or a pipe");
	if (session_open(&s, operands[0], false, &why))
		die(EXIT_FAILURE, "%s", why);
	data = btf__raw_data(s.kernel.types.btf, &size);
	if (operands[1]) {
		if (module_btf(&s, operands[1], &module, &size, &why))
			die(EXIT_FAILURE, "%s", why);
		data = module;
	}
	err = write_all(STDOUT_FILENO, data, size);
	session_close(&s);
	if (err)
		die(EXIT_INTERNAL, "cannot write: %s", strerror(-err));
	return 0;
}
