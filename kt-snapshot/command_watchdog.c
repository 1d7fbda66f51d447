// SPDX-License-Identifier: GPL-2.0
/* kt-snapshot watchdog: how long the kernel lets a task of the scheduler's wait. */
#include <errno.h>

#include "cleanup.h"
#include "commands.h"
#include "diag.h"
#include "exits.h"
#include "options.h"
#include "quantity.h"
#include "watchdog.h"

int command_watchdog(int argc, char **argv)
{
	struct options o = {
		.synopsis = "watchdog RUNDIR|SOCKET TIME",
		.summary = "Set the attached scheduler's watchdog timeout, for example 5s.",
		.argc = argc,
		.argv = argv,
	};
	_cleanup_free_ char *why = NULL;
	const char *value;
	struct session s;
	char **operands;
	uint64_t ns;
	int err;

	options_next(&o, &value);
	operands = options_operands(&o);
	if (!operands[0] || !operands[1] || operands[2])
		die(EXIT_USAGE, "watchdog: expected a run directory or control socket, then a "
				"time, for example 5s");
	if (duration_parse(operands[1], &ns) || !ns)
		die(EXIT_USAGE, "watchdog: '%s': expected a time, for example 5s", operands[1]);
	if (session_open(&s, operands[0], true, &why))
		die(EXIT_FAILURE, "%s", why);
	err = watchdog_set(&s, ns, &why);
	session_close(&s);
	if (err)
		die(err == -ERANGE ? EXIT_USAGE : EXIT_FAILURE, "%s", why);
	return 0;
}
