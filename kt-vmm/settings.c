// SPDX-License-Identifier: GPL-2.0
#include "settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "exits.h"
#include "options.h"
#include "quantity.h"

#define DEFAULT_TOPOLOGY "1n1l2c1t"
#define DEFAULT_MEMORY	 "2G"
#define DEFAULT_TIMEOUT	 "10m"

#define DEFAULT_MONITOR_NS 100000000ULL
#define MIN_INTERVAL_NS	   1000000ULL
#define MAX_INTERVAL_NS	   86400000000000ULL

enum {
	OPT_TOPOLOGY = 1,
	OPT_MEMORY,
	OPT_NODE_MEMORY,
	OPT_DISTANCE,
	OPT_LATENCY,
	OPT_BANDWIDTH,
	OPT_KERNEL,
	OPT_APPEND,
	OPT_INCLUDE,
	OPT_NO_AUTO_INCLUDE,
	OPT_MODULE,
	OPT_ENV,
	OPT_SCHED,
	OPT_SCHED_ARGS,
	OPT_TIMEOUT,
	OPT_RUNDIR,
	OPT_SHELL,
	OPT_NO_STDIN,
	OPT_DRY_RUN,
	OPT_DUMP_TABLES,
	OPT_PROBE,
	OPT_DETERMINISTIC,
	OPT_SEED,
	OPT_NESTED,
	OPT_PERF,
	OPT_NO_PERF,
	OPT_ENGINE,
	OPT_SNAPSHOTS,
	OPT_MONITOR,
	OPT_WATCHDOG,
	OPT_ACCEL,
	OPT_VERBOSE,
};

static const struct option_row rows[] = {
	{NULL, 0, NULL, "Machine", 0},
	{"topology", 't', "SPEC",
	 "NUMA nodes, LLCs, cores per LLC, threads: NnLlCcTt\n(default " DEFAULT_TOPOLOGY ")",
	 OPT_TOPOLOGY},
	{"memory", 'm', "SIZE", "guest memory, over all nodes (default " DEFAULT_MEMORY ")",
	 OPT_MEMORY},
	{"node-memory", 0, "NODE:SIZE", "memory of one NUMA node; a further node has\nmemory only",
	 OPT_NODE_MEMORY},
	{"distance", 0, "A:B:N", "distance of two NUMA nodes (default 20; local is 10)",
	 OPT_DISTANCE},
	{"latency", 0, "A:B:NS", "access latency from node A's CPUs to node B's memory",
	 OPT_LATENCY},
	{"bandwidth", 0, "A:B:MIBS", "... and bandwidth, in MiB/s", OPT_BANDWIDTH},
	{"nested", 0, NULL, "the guest can run VMs of its own: virtualization and\n/dev/kvm",
	 OPT_NESTED},
	{"perf", 0, NULL, "run on host CPUs of its own, laid out alike (engine kvm)", OPT_PERF},
	{"no-perf", 0, NULL, "do not (the default)", OPT_NO_PERF},
	{"engine", 0, "NAME", "auto, kvm or qemu (default auto)", OPT_ENGINE},
	{"accel", 0, "NAME", "auto, kvm or tcg (default auto: KVM if it works)", OPT_ACCEL},
	{"deterministic", 0, "[SEED]",
	 "emulate so that the same seed gives the same run\n(default seed 0)", OPT_DETERMINISTIC},
	{"seed", 0, "N", "seed of an ordinary run (KT_SEED in the guest)", OPT_SEED},
	{NULL, 0, NULL, "Kernel", 0},
	{"kernel", 'k', "KERNEL",
	 "label in kt-kernel's cache, image file or built tree\n(default: the newest in the cache)",
	 OPT_KERNEL},
	{"append", 0, "WORDS", "add to the kernel's command line", OPT_APPEND},
	{NULL, 0, NULL, "Guest", 0},
	{"sched", 0, "FILE", "sched_ext scheduler to run the command under", OPT_SCHED},
	{"sched-args", 0, "WORDS", "its arguments, as shell words", OPT_SCHED_ARGS},
	{"watchdog-timeout", 0, "TIME", "how long sched_ext lets a runnable task wait under it",
	 OPT_WATCHDOG},
	{"include", 'i', "FILE[:GUESTPATH]",
	 "carry a file or directory into the guest;\nprograms bring their libraries", OPT_INCLUDE},
	{"no-auto-include", 0, NULL,
	 "carry only what --include and --sched name, not the\ncommand, files among its arguments, "
	 "and busybox",
	 OPT_NO_AUTO_INCLUDE},
	{"module", 0, "FILE", "load a kernel module before anything is started", OPT_MODULE},
	{"env", 'e', "NAME[=VALUE]", "set an environment variable of the command", OPT_ENV},
	{"shell", 0, NULL, "give the command the terminal; without a command,\na busybox shell",
	 OPT_SHELL},
	{"no-stdin", 'n', NULL, "do not read stdin (for loops over lines)", OPT_NO_STDIN},
	{NULL, 0, NULL, "Run", 0},
	{"timeout", 0, "TIME",
	 "end the run this long after the guest came up\n(default " DEFAULT_TIMEOUT "; 0: never)",
	 OPT_TIMEOUT},
	{"rundir", 'o', "DIR", "keep everything the run made in DIR", OPT_RUNDIR},
	{"snapshots", 0, "N", "N snapshots at even distances in the middle 80% of the\nscenario",
	 OPT_SNAPSHOTS},
	{"monitor", 0, "[INTERVAL]",
	 "sample the kernel from outside into monitor.jsonl\n(default 100ms)", OPT_MONITOR},
	{"dry-run", 0, NULL, "print what would be started and carried", OPT_DRY_RUN},
	{"dump-tables", 0, "DIR",
	 "write the ACPI tables and CPUID leaves of the kvm\nengine's machine to DIR, and start nothing",
	 OPT_DUMP_TABLES},
	{"probe", 0, NULL, "print what this host's /dev/kvm is worth, as JSON", OPT_PROBE},
	{"verbose", 'v', NULL, "say what is being done; -vv: more", OPT_VERBOSE},
	{NULL, 0, NULL, "Other", 0},
};

static uint64_t seed_parse(const char *option, const char *text)
{
	int64_t v;

	if (number_parse(text, 0, INT64_MAX, &v))
		die(EXIT_USAGE, "%s '%s': expected a whole number", option, text);
	return v;
}

static void seed_set(struct settings *s, const char *option, const char *text)
{
	s->guest.has_seed = true;
	s->seed_given = text != NULL;
	s->guest.seed = text ? seed_parse(option, text) : 0;
}

/* NAME alone passes the host's value on. */
static void env_add(struct settings *s, const char *text)
{
	const char *value = getenv(text);

	if (text[0] == '=' || !text[0])
		die(EXIT_USAGE, "--env '%s': expected NAME or NAME=VALUE", text);
	if (strchr(text, '='))
		ptrlist_add(&s->guest.env, &s->n_env, text);
	else if (value)
		ptrlist_add(&s->guest.env, &s->n_env, xasprintf("%s=%s", text, value));
}

static unsigned int count_parse(const char *option, const char *text)
{
	int64_t n;

	if (number_parse(text, 1, TRIGGERS_MAX_PERIODIC, &n))
		die(EXIT_USAGE, "%s '%s': expected a whole number from 1 to %d", option, text,
		    TRIGGERS_MAX_PERIODIC);
	return n;
}

static uint64_t interval_parse(const char *option, const char *text)
{
	uint64_t ns;

	if (duration_parse(text, &ns) || ns < MIN_INTERVAL_NS || ns > MAX_INTERVAL_NS)
		die(EXIT_USAGE, "%s '%s': expected a time from 1ms to 24h, for example 100ms or 5s",
		    option, text);
	return ns;
}

static void option_apply(struct settings *s, int id, const char *value)
{
	switch (id) {
	case OPT_TOPOLOGY:
		s->machine.topology = value;
		break;
	case OPT_MEMORY:
		s->machine.memory = value;
		break;
	case OPT_NODE_MEMORY:
		ptrlist_add(&s->machine.node_memory, &s->n_node_memory, value);
		break;
	case OPT_DISTANCE:
		ptrlist_add(&s->machine.distances, &s->n_distances, value);
		break;
	case OPT_LATENCY:
		ptrlist_add(&s->machine.latencies, &s->n_latencies, value);
		break;
	case OPT_BANDWIDTH:
		ptrlist_add(&s->machine.bandwidths, &s->n_bandwidths, value);
		break;
	case OPT_KERNEL:
		s->kernel = value;
		break;
	case OPT_APPEND:
		s->append = value;
		break;
	case OPT_INCLUDE:
		ptrlist_add(&s->guest.includes, &s->n_includes, value);
		break;
	case OPT_NO_AUTO_INCLUDE:
		s->guest.auto_include = false;
		break;
	case OPT_MODULE:
		ptrlist_add(&s->guest.modules, &s->n_modules, value);
		break;
	case OPT_PERF:
	case OPT_NO_PERF:
		s->perf = id == OPT_PERF;
		break;
	case OPT_NESTED:
		s->nested = true;
		break;
	case OPT_ENV:
		env_add(s, value);
		break;
	case OPT_SCHED:
		s->guest.sched = value;
		break;
	case OPT_SCHED_ARGS:
		s->guest.sched_args = value;
		break;
	case OPT_TIMEOUT:
		if (duration_parse(value, &s->timeout_ns))
			die(EXIT_USAGE, "--timeout '%s': expected a time such as 90s or 5m", value);
		break;
	case OPT_SNAPSHOTS:
		s->triggers.periodic = count_parse("--snapshots", value);
		break;
	case OPT_MONITOR:
		s->triggers.monitor_ns =
			value ? interval_parse("--monitor", value) : DEFAULT_MONITOR_NS;
		break;
	case OPT_WATCHDOG:
		s->triggers.watchdog_ns = interval_parse("--watchdog-timeout", value);
		break;
	case OPT_RUNDIR:
		s->rundir = value;
		break;
	case OPT_SHELL:
		s->guest.shell = true;
		break;
	case OPT_NO_STDIN:
		s->no_stdin = true;
		break;
	case OPT_DRY_RUN:
		s->dry_run = true;
		break;
	case OPT_DUMP_TABLES:
		s->dump_tables = value;
		break;
	case OPT_DETERMINISTIC:
		s->guest.deterministic = true;
		seed_set(s, "--deterministic", value);
		break;
	case OPT_SEED:
		seed_set(s, "--seed", value);
		break;
	case OPT_ENGINE:
		s->engine = value;
		break;
	case OPT_ACCEL:
		s->accel = value;
		break;
	case OPT_PROBE:
		s->probe = true;
		break;
	case OPT_VERBOSE:
		diag_set_verbosity(diag_verbosity() + 1);
		break;
	}
}

void settings_read(struct settings *s, int argc, char **argv)
{
	struct options o = {
		.synopsis = "[OPTIONS] [--] COMMAND [ARG...]",
		.summary =
			"Boots a VM of a declared topology, runs one command in it and hands back "
			"its output and\nexit status.",
		.epilogue =
			"Exit status: the command's; 119 kernel oops, 120 panic, 121 scheduler "
			"failed or died,\n122 guest died, 123 guest hangs, 124 timeout, 125 kt-vmm "
			"failed, 126 cannot execute,\n127 not found, 128+N killed by signal N, 64 "
			"usage. See kt-vmm(1).",
		.rows = rows,
		.n_rows = ARRAY_SIZE(rows),
		.argc = argc,
		.argv = argv,
	};
	const char *value;
	int id;

	s->machine.topology = DEFAULT_TOPOLOGY;
	s->machine.memory = DEFAULT_MEMORY;
	s->engine = s->accel = "auto";
	s->guest.auto_include = true;
	s->guest.stdin_fd = -1;
	duration_parse(DEFAULT_TIMEOUT, &s->timeout_ns);
	while ((id = options_next(&o, &value)))
		option_apply(s, id, value);
	s->guest.command = options_operands(&o);
	if ((s->probe || s->dump_tables) && s->guest.command[0])
		die(EXIT_USAGE, "%s: expected no command", s->probe ? "--probe" : "--dump-tables");
	if (s->probe || s->dump_tables)
		return;
	if (!s->guest.command[0] && !s->guest.shell)
		die(EXIT_USAGE, "expected a command to run in the guest, or --shell");
	if (s->guest.deterministic && !s->seed_given && s->guest.command[0] &&
	    !s->guest.command[0][strspn(s->guest.command[0], "0123456789")])
		die(EXIT_USAGE, "--deterministic: expected the seed as --deterministic=%s",
		    s->guest.command[0]);
	if (s->guest.sched_args && !s->guest.sched)
		die(EXIT_USAGE, "--sched-args: expected --sched FILE with it");
	if (s->triggers.watchdog_ns && !s->guest.sched)
		die(EXIT_USAGE, "--watchdog-timeout: expected --sched FILE with it");
	if (s->guest.deterministic && (s->triggers.periodic || s->triggers.watchdog_ns))
		die(EXIT_USAGE,
		    "%s: the guest would be stopped at moments of the host's, which excludes "
		    "--deterministic",
		    s->triggers.periodic ? "--snapshots" : "--watchdog-timeout");
	s->triggers.scheduler = s->guest.sched != NULL;
	if (s->guest.shell && s->guest.deterministic)
		die(EXIT_USAGE, "--shell: keys come at moments of your choosing, which excludes "
				"--deterministic");
	if (s->guest.shell && !isatty(STDIN_FILENO))
		die(EXIT_USAGE, "--shell: expected stdin to be a terminal");
}
