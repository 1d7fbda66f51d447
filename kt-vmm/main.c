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
#include "perf.h"
#include "report.h"
#include "runfiles.h"
#include "settings.h"
#include "status.h"
#include "vm.h"

/* A boot takes 3 s here; a loaded host, or many emulated CPUs, much longer. */
#define BOOT_TIMEOUT_NS		180000000000ULL
#define BOOT_TIMEOUT_PER_CPU_NS 4000000000ULL

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

/* Why this host's KVM runs no kernel, where the kvm engine was asked for all the same. */
static char *kvm_lacks(const struct vm_options *vm)
{
	_cleanup_(kvm_probe_free) struct kvm_probe p = {0};

	if (vm->engine != &engine_kvm_ops)
		return NULL;
	kvm_probe_get(&p, false);
	return p.usable ? NULL : take_ptr(p.why);
}

static bool worth_a_second_attempt(const struct vm_options *vm, const struct vm_result *r)
{
	_cleanup_free_ char *why = NULL;

	if (r->hello || !strcmp(r->outcome.name, "failed") ||
	    !strcmp(r->outcome.name, "interrupted"))
		return false;
	why = kvm_lacks(vm);
	if (why)
		warn("this host's KVM is not usable: %s", why);
	return !why;
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
	if (worth_a_second_attempt(vm, last)) {
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
