// SPDX-License-Identifier: GPL-2.0
/*
 * kt-vmm: boot a VM of a declared topology, run one command in it, hand back its output and status.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "exits.h"
#include "guest.h"
#include "kvm/dump.h"
#include "kvm_probe.h"
#include "nested.h"
#include "options.h"
#include "perf.h"
#include "quantity.h"
#include "report.h"
#include "runfiles.h"
#include "status.h"
#include "vm.h"

#define DEFAULT_TOPOLOGY "1n1l2c1t"
#define DEFAULT_MEMORY	 "2G"
#define DEFAULT_TIMEOUT	 "10m"

#define DEFAULT_MONITOR_NS 100000000ULL
#define MIN_INTERVAL_NS	   1000000ULL
#define MAX_INTERVAL_NS	   86400000000000ULL
/* A boot takes 3 s here; a loaded host, or many emulated CPUs, much longer. */
#define BOOT_TIMEOUT_NS		180000000000ULL
#define BOOT_TIMEOUT_PER_CPU_NS 4000000000ULL

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

/* All that the command line said. */
struct settings {
	struct machine_options machine;
	struct guest_options guest;
	const char *kernel, *append, *rundir, *engine, *accel;
	uint64_t timeout_ns;
	struct trigger_options triggers;
	const char *dump_tables;
	bool dry_run, no_stdin, seed_given, nested, probe, perf;
	size_t n_modules, n_node_memory, n_distances, n_latencies, n_bandwidths, n_includes, n_env;
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

static void settings_read(struct settings *s, int argc, char **argv)
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
	if (s->probe && s->guest.command[0])
		die(EXIT_USAGE, "--probe: expected no command");
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

/* The modules that make the guest a KVM host come before those that --module names. */
static void nested_prepare(struct settings *s, const struct kernel *k, const struct machine *m,
			   bool emulated)
{
	const char **own = s->guest.modules, **all = NULL;
	size_t n = 0, i;
	char **kvm;

	if (!s->nested)
		return;
	if (emulated && m->topology.llcs > m->topology.numa_nodes)
		warn("--nested: an emulated CPU with virtualization does not tell the guest its LLCs");
	kvm = nested_modules(k, emulated);
	for (i = 0; kvm[i]; i++)
		ptrlist_add(&all, &n, kvm[i]);
	for (i = 0; i < s->n_modules; i++)
		ptrlist_add(&all, &n, own[i]);
	s->guest.modules = all;
	free(own);
	free(kvm);
}

/* --perf: find host CPUs for the machine, and lock them. */
static void perf_prepare(struct perf *p, const struct machine *m, const struct engine_choice *e)
{
	const char *sysfs = getenv("KT_SYSFS");
	_cleanup_free_ char *why = NULL, *cpus = NULL;

	if (e->ops != &engine_kvm_ops)
		die(EXIT_USAGE,
		    "--perf: expected the kvm engine, and this run is on %s (%s); --no-perf builds "
		    "the machine on any host",
		    e->ops->name, e->reason);
	if (perf_plan(p, &m->topology, sysfs && sysfs[0] ? sysfs : "/sys", &why))
		die(EXIT_USAGE, "--perf: %s; --no-perf builds the machine on any host", why);
	perf_check_host("/sys");
	cpus = perf_format(p, &m->topology);
	info("vCPUs on the host's CPUs %s, all else on CPU %u", cpus, p->service);
}

static bool stdin_wanted(const struct settings *s)
{
	/* Reading the terminal from the background would stop us. */
	if (s->no_stdin || s->dry_run)
		return false;
	return !isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) == getpgrp();
}

/* Returns whether a guest can be run on /dev/kvm, as an exit status. */
static int probe_print(void)
{
	_cleanup_(kvm_probe_free) struct kvm_probe p = {0};
	json_t *j;

	kvm_probe_get(&p, true);
	j = kvm_probe_json(&p);
	json_dumpf(j, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(j);
	if (fflush(stdout))
		die(STATUS_VMM, "stdout: %s", strerror(errno));
	return p.usable ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void dry_run(const struct vm_options *vm, const struct guest *g)
{
	struct engine_config c = vm->config;
	size_t i;

	/* Only a start makes these descriptors. */
	c.console = c.channel = c.initrd = -1;
	memset(c.ram, -1, sizeof(c.ram));
	vm->engine->describe(&c, stdout);
	if (vm->perf) {
		_cleanup_free_ char *cpus = perf_format(vm->perf, &c.machine->topology);

		printf("vCPUs on the host's CPUs %s, all else on CPU %u\n", cpus,
		       vm->perf->service);
	}
	printf("\n# initramfs: %llu bytes\n", (unsigned long long)g->initrd.size);
	for (i = 0; g->files[i]; i++)
		puts(g->files[i]);
}

/* Say on stderr how it ended, unless the command itself has already said all there is. */
static void say_outcome(const struct vm_result *r, const struct rundir *dir, int sched_log)
{
	const struct outcome *o = &r->outcome;

	if (!strcmp(o->name, "exited") || !strcmp(o->name, "interrupted"))
		debug("%s: status %d", o->name, o->status);
	else
		warn("%s%s%s", o->name, o->message ? ": " : "", o->message ? o->message : "");
	if (o->status == STATUS_SCHED && !diag_verbosity())
		sched_log_say(sched_log);
	if (dir->temporary && dir->path)
		warn("everything the run made is in %s", dir->path);
}

/* A run that is to be kept without having been asked for: it failed in the guest. */
static bool worth_keeping(const struct vm_result *r)
{
	return strcmp(r->outcome.name, "exited") && strcmp(r->outcome.name, "interrupted") &&
	       strcmp(r->outcome.name, "failed");
}

/*
 * Run, and once more if the guest's kernel broke before kt-init spoke: that is the emulator's or
 * firmware's doing, not the test's.
 */
static int boot_and_report(struct settings *s, struct vm_options *vm, struct rundir *dir,
			   struct report *r)
{
	struct vm_result results[2] = {{.console.fd = -1}, {.console.fd = -1}}, *last = &results[0];
	int status;

	vm_run(vm, last);
	if (!last->hello && strcmp(last->outcome.name, "failed") &&
	    strcmp(last->outcome.name, "interrupted")) {
		warn("before kt-init spoke: %s%s%s; trying once more", last->outcome.name,
		     last->outcome.message ? ": " : "",
		     last->outcome.message ? last->outcome.message : "");
		r->first = last++;
		vm_run(vm, last);
	}
	r->result = last;
	if (s->rundir || worth_keeping(last))
		runfiles_publish(dir, r);
	say_outcome(last, dir, vm->sinks.sched);
	status = last->outcome.status;
	vm_result_free(&results[0]);
	vm_result_free(&results[1]);
	return status;
}

/*
 * Descriptors 0 to 2 must not become something else's. A stream that is closed reads as empty, and
 * writing to it fails.
 */
static void standard_streams_open(void)
{
	int fd;

	for (fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", O_RDONLY); /* takes the lowest number: this one */
	}
}

int main(int argc, char **argv)
{
	struct settings s = {0};
	struct machine machine;
	struct kernel kernel;
	struct engine_choice choice;
	struct rundir dir;
	struct guest guest;
	struct vm_options vm = {0};
	static const struct engine_tuning tuning = {true, true, true};
	struct perf perf;
	struct report report = {.argc = argc, .argv = argv};
	char *why = NULL;
	int status = 0, err;

	diag_init("kt-vmm");
	standard_streams_open();
	signal(SIGPIPE, SIG_IGN);
	report_begin(&report);
	settings_read(&s, argc, argv);
	if (s.probe)
		return probe_print();
	machine_build(&machine, &s.machine);
	if (s.dump_tables) {
		if (kvm_dump(&machine, s.dump_tables, &why))
			die(STATUS_VMM, "%s", why);
		return 0;
	}
	if (kernel_find(s.kernel, &kernel, &why))
		die(EXIT_USAGE, "%s", why);
	engine_choose(&(struct engine_wish){.name = s.engine,
					    .accel = s.accel,
					    .machine = &machine,
					    .deterministic = s.guest.deterministic,
					    .nested = s.nested,
					    .kernel_packed = kernel.packed},
		      &choice);
	if (s.perf)
		perf_prepare(&perf, &machine, &choice);
	/* What comes in over the channel comes at a moment that the host chooses. */
	if (s.guest.deterministic && stdin_wanted(&s))
		s.guest.stdin_fd = STDIN_FILENO;
	else
		s.guest.forward_stdin = stdin_wanted(&s);
	nested_prepare(&s, &kernel, &machine, !choice.use_kvm);
	guest_build(&guest, &s.guest, &kernel);
	if (guest.initrd.size > machine_memory(&machine) / 2)
		die(EXIT_USAGE,
		    "what is carried takes %llu MiB, expected at most half of the guest's %llu MiB (-m)",
		    (unsigned long long)guest.initrd.size >> 20,
		    (unsigned long long)machine_memory(&machine) >> 20);
	if (choice.ops != &engine_kvm_ops && !s.dry_run) {
		err = cpio_archive_fill(&guest.initrd);
		if (err)
			die(STATUS_VMM, "initramfs: %s", strerror(-err));
	}
	vm = (struct vm_options){
		.engine = choice.ops,
		.config = {.machine = &machine,
			   .kernel = kernel.image,
			   .cmdline = guest_cmdline(s.append, s.guest.deterministic),
			   .initrd = guest.initrd.fd,
			   .initrd_pieces = guest.initrd.pieces,
			   .n_initrd_pieces = guest.initrd.n_pieces,
			   .deterministic = s.guest.deterministic,
			   .nested = s.nested,
			   .tuning = s.perf ? &tuning : NULL,
			   .use_kvm = choice.use_kvm},
		.rundir = &dir,
		.perf = s.perf ? &perf : NULL,
		.boot_timeout_ns = BOOT_TIMEOUT_NS +
				   topology_cpus(&machine.topology) * BOOT_TIMEOUT_PER_CPU_NS,
		.timeout_ns = s.timeout_ns,
		.triggers = s.triggers,
		.forward_stdin = s.guest.forward_stdin,
		.terminal = s.guest.shell,
	};
	if (s.dry_run) {
		dry_run(&vm, &guest);
	} else {
		vm_signals_open(&vm.signals);
		if (rundir_open(&dir, s.rundir, &why))
			die(EXIT_USAGE, "%s", why);
		info("engine %s with %s: %s", choice.ops->name, choice.use_kvm ? "kvm" : "tcg",
		     choice.reason);
		sinks_open(&vm.sinks, &dir);
		report.command = s.guest.command;
		report.guest = &s.guest;
		report.kernel = &kernel;
		report.vm = &vm;
		report.engine_reason = choice.reason;
		clock_gettime(CLOCK_REALTIME, &report.started);
		status = boot_and_report(&s, &vm, &dir, &report);
		rundir_close(&dir);
	}
	report_end(&report);
	if (s.perf)
		perf_free(&perf);
	guest_free(&guest);
	kernel_free(&kernel);
	free(choice.reason);
	free((char *)vm.config.cmdline);
	return status;
}
