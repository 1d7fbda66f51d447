// SPDX-License-Identifier: GPL-2.0
/* kt-snapshot symbol: where a live VM's kernel has its symbols. */
#include <inttypes.h>
#include <stdio.h>

#include "cleanup.h"
#include "commands.h"
#include "diag.h"
#include "exits.h"
#include "options.h"
#include "session.h"

int command_symbol(int argc, char **argv)
{
	struct options o = {
		.synopsis = "symbol RUNDIR|SOCKET [NAME...]",
		.summary = "Print the addresses of kernel symbols, one a line.",
		.epilogue = "Without a NAME all of them, by address: address, type and name.\n",
		.argc = argc,
		.argv = argv,
	};
	_cleanup_free_ char *why = NULL;
	const char *value;
	struct session s;
	char **operands;
	int status = 0;
	size_t i;

	options_next(&o, &value);
	operands = options_operands(&o);
	if (!operands[0])
		die(EXIT_USAGE, "symbol: expected a run directory or control socket, then names");
	if (session_open(&s, operands[0], false, &why))
		die(EXIT_FAILURE, "%s", why);
	for (i = 0; !operands[1] && i < s.kernel.symbols.n; i++) {
		const struct symbol *symbol = &s.kernel.symbols.symbols[i];

		printf("0x%" PRIx64 " %c %s\n", symbol->address, symbol->type, symbol->name);
	}
	while (*++operands) {
		uint64_t address = kallsyms_find(&s.kernel.symbols, *operands);

		if (address) {
			printf("0x%" PRIx64 "\n", address);
			continue;
		}
		warn("unknown symbol '%s' in kernel %s", *operands, s.kernel.release);
		status = EXIT_FAILURE;
	}
	session_close(&s);
	return fflush(stdout) ? EXIT_INTERNAL : status;
}
