// SPDX-License-Identifier: GPL-2.0
/* kt-snapshot vmcore: a live VM's memory as a core file for drgn and crash. */
#include <stdio.h>
#include <unistd.h>

#include "cleanup.h"
#include "clock.h"
#include "commands.h"
#include "diag.h"
#include "exits.h"
#include "options.h"
#include "vmcore.h"

int command_vmcore(int argc, char **argv)
{
	struct options o = {
		.synopsis = "vmcore RUNDIR|SOCKET > FILE",
		.summary = "Write a live VM's memory as an ELF core, for drgn and crash.",
		.epilogue = "The guest stands still until the core is written.\n",
		.argc = argc,
		.argv = argv,
	};
	_cleanup_free_ char *why = NULL;
	uint64_t begin, bytes = 0;
	const char *value;
	struct session s;
	char **operands;
	int err;

	options_next(&o, &value);
	operands = options_operands(&o);
	if (!operands[0] || operands[1])
		die(EXIT_USAGE, "vmcore: expected one run directory or control socket");
	if (isatty(STDOUT_FILENO))
		die(EXIT_USAGE, "vmcore: standard output is a terminal: expected a file or a pipe");
	if (session_open(&s, operands[0], false, &why) || vm_freeze(&s.vm, &why))
		die(EXIT_FAILURE, "%s", why);
	begin = now_ns();
	err = vmcore_write(&s, STDOUT_FILENO, &bytes, &why);
	session_close(&s); /* thaws */
	if (err)
		die(EXIT_INTERNAL, "%s", why);
	warn("%.1f MiB of core; the guest stood still for %.2f s", bytes / 1048576.0,
	     (now_ns() - begin) / 1e9);
	return 0;
}
