// SPDX-License-Identifier: GPL-2.0
#include "run.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "crew_steps.h"
#include "diag.h"
#include "exits.h"
#include "health.h"
#include "orphans.h"
#include "own_memory.h"
#include "parser.h"
#include "placement.h"
#include "preflight.h"
#include "run_steps.h"
#include "payload.h"

#define PID_MAX	    (4 << 20) /* PID_MAX_LIMIT of 64-bit kernels: include/linux/threads.h */
#define LIVENESS_NS (250 * NSEC_PER_MSEC)

void run_error(struct run *run, int line, const char *fmt, ...)
{
	char *text, *whole;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	whole = n < 0 ? xstrdup(fmt) : text;
	if (line && n >= 0) {
		whole = xasprintf("%s:%d: %s", run->sc->file, line, text);
		free(text);
	}
	ptrlist_add(&run->errors, &run->n_errors, whole);
	warn("%s", run->errors[run->n_errors - 1]);
}

/* Take note of the children that ended. */
static void reap(struct run *run)
{
	siginfo_t si;

	for (;;) {
		struct member *m;

		si.si_pid = 0;
		if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) || !si.si_pid)
			return;
		if (payloads_note_end(run, si.si_pid))
			continue;
		m = run->by_pid[si.si_pid];
		run->by_pid[si.si_pid] = NULL;
		if (m)
			health_note_end(run, m);
		else
			waitpid(si.si_pid, NULL, 0); /* the guardian, if someone killed it */
	}
}

void run_wait_signal(struct run *run, uint64_t until_ns)
{
	struct pollfd fds[1 + PAYLOAD_FDS_MAX] = {{.fd = run->sigfd, .events = POLLIN}};
	struct signalfd_siginfo si;
	uint64_t now = clock_now();
	uint64_t left = now < until_ns ? until_ns - now : 0;
	struct timespec ts = {.tv_sec = left / NSEC_PER_SEC, .tv_nsec = left % NSEC_PER_SEC};

	if (ppoll(fds, 1 + payloads_poll(run, fds + 1), &ts, NULL) <= 0)
		return;
	payloads_read(run);
	while (read(run->sigfd, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGCHLD) {
			reap(run);
		} else if (!run->signal) {
			run->signal = si.ssi_signo;
			run->dead = true;
		}
	}
}

void run_hold(struct run *run, uint64_t until_ns)
{
	uint64_t now, checked = 0;

	while (!run->dead && (now = clock_now()) < until_ns) {
		uint64_t look = now + LIVENESS_NS;

		run_wait_signal(run, look < until_ns ? look : until_ns);
		if (now >= checked + LIVENESS_NS / 2) {
			run_check(run);
			checked = now;
		}
	}
}

static void wait_for_others(void *ctx, uint64_t until_ns)
{
	run_wait_signal(ctx, until_ns);
}

int run_make_cgroup(struct run *run, const struct cgroup_def *def)
{
	bool by_cgroup = def->confined && run->confinement == CONFINED_CPUSET;
	char *why;
	size_t i;
	int ret;

	ret = cgroup_make(&run->tree, def->name, by_cgroup ? &def->cpus : NULL, &why);
	for (i = 0; i < def->n_settings && !ret; i++)
		ret = cgroup_set(&run->tree, def->name, def->settings[i].file,
				 def->settings[i].value, &why);
	if (ret) {
		run_error(run, run->op_line, "%s", why);
		free(why);
		return ret;
	}
	run->places[def->index].made = true;
	return 0;
}

static bool is_made(const struct run *run, const char *name)
{
	size_t i;

	for (i = 0; i < run->sc->n_cgroups; i++) {
		if (run->places[i].made && !strcmp(run->places[i].def->name, name))
			return true;
	}
	return false;
}

/* What only came into being as part of a longer name goes with the last that has it. */
static void remove_parents(struct run *run, const char *name)
{
	_cleanup_free_ char *above = xstrdup(name);
	char *slash;

	while ((slash = strrchr(above, '/'))) {
		*slash = '\0';
		if (is_made(run, above) || cgroup_remove_empty(&run->tree, above))
			return;
	}
}

void run_remove_cgroup(struct run *run, const struct cgroup_def *def)
{
	struct place *place = &run->places[def->index];

	if (!place->made || def->at_root)
		return;
	cgroup_remove(&run->tree, def->name);
	place->made = false;
	remove_parents(run, def->name);
}

int run_start_group(struct run *run, const struct group_def *def)
{
	struct crew *crew = &run->crews[def->index];
	int ret;

	crew->place = &run->places[def->cgroup->index];
	placement_draw(run, crew, &def->affinity);
	crew_allow(crew, &crew->place->now, &run->machine->online);
	ptrlist_add(&run->made, &run->n_made, crew);
	/* Who has one leader is started with the last of them. */
	ret = def->mate ? 0 : crew_spawn(&run->crews[def->first->index], &run->spawn);
	if (ret == -EAGAIN)
		run_error(run, def->line,
			  "cannot start %u workers in cgroup '%s': out of processes", def->workers,
			  def->cgroup->name);
	else if (ret && !run->n_errors)
		run_error(run, def->line, "cannot start the workers of cgroup '%s': %s",
			  def->cgroup->name, strerror(-ret));
	return ret;
}

/* How long the workload is to run: the duration, or the steps' holds together. */
static uint64_t workload_ns(const struct scenario *sc)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 1; i < sc->n_steps; i++)
		sum += sc->steps[i]->hold_ns + sc->steps[i]->sleep_ns;
	return sum ? sum : sc->duration_ns;
}

/* SIGINT and the like arrive through a descriptor, so that no way out is an unclean one. */
static int signals_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/*
 * The parent sleeps but for a few moments. It leaves the class under test for them, where it is
 * allowed to, so that a scheduler which starves it cannot prolong the run; children start anew in
 * the normal class. Workers of a realtime policy are not to keep it from its moments either.
 */
static void leave_fair_class(const struct scenario *sc)
{
	struct sched_param param = {.sched_priority = 1};
	size_t i;

	for (i = 0; i < sc->n_groups; i++) {
		if (policy_is_realtime(&sc->groups[i]->policy))
			param.sched_priority = sched_get_priority_max(SCHED_FIFO);
	}

	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param))
		info("running under the scheduler that is tested: SCHED_FIFO is not allowed");
}

/* Lines and windows, in memory that the workers see. */
static void lines_init(struct run *run)
{
	size_t n = run->sc->n_steps, i;
	size_t size = n * (sizeof(*run->lines) + sizeof(*run->windows));

	run->lines = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run->lines == MAP_FAILED)
		die(EXIT_INTERNAL, "cannot map %zu bytes: %s", size, strerror(errno));
	run->windows = (void *)(run->lines + n);
	if (n > 1) {
		run->lines[0].windows = run->windows;
		run->lines[0].n_windows = n;
	}
	run->spill = (struct spill){.fd = -1};
	if (n > 1 && spill_open(&run->spill))
		die(EXIT_INTERNAL, "cannot make a temporary file: %s", strerror(errno));
	run->places = xcalloc(run->sc->n_cgroups, sizeof(*run->places));
	for (i = 0; i < run->sc->n_cgroups; i++) {
		const struct cgroup_def *def = run->sc->cgroups[i];

		run->places[i].def = def;
		run->places[i].now = (struct allowed){def->confined, def->cpus};
		run->places[i].made = def->at_root;
	}
	run->by_pid = own_memory(PID_MAX, sizeof(*run->by_pid));
	run->crews = xcalloc(run->sc->n_groups, sizeof(*run->crews));
	for (i = 0; i < run->sc->n_groups; i++) {
		const struct group_def *def = run->sc->groups[i];

		if (crew_init(&run->crews[i], def, &run->lines[def->step], n > 1 && !def->step))
			die(EXIT_INTERNAL, "cannot map the memory for %u workers of '%s': %s",
			    def->workers, def->cgroup->name, strerror(errno));
		crew_steps_init(&run->crews[i], &run->spill);
		run->crews[i].mate = def->mate ? &run->crews[def->mate->index] : NULL;
	}
}

static void open_tree(struct run *run)
{
	_cleanup_free_ const char **want = preflight_controllers(run->sc);
	char *why;

	if (cgroup_tree_open(&run->tree, want, &why))
		die(EXIT_INTERNAL, "%s", why);
	if (!run->sc->confines)
		return;
	run->confinement =
		cgroup_tree_has(&run->tree, "cpuset") ? CONFINED_CPUSET : CONFINED_AFFINITY;
	if (run->confinement == CONFINED_AFFINITY)
		warn("the cgroup2 tree has no cpuset controller: confining by CPU affinity");
}

void run_scenario(struct run *run, const char *sysfs)
{
	run->begin_ns = clock_now();
	run->sysfs = sysfs;
	run->sigfd = signals_open();
	if (run->sigfd < 0)
		die(EXIT_INTERNAL, "cannot watch for signals: %s", strerror(errno));
	sched_ext_read(&run->sched, sysfs);
	events_open(&run->events);
	lines_init(run);
	leave_fair_class(run->sc);
	orphans_adopt();
	run->spawn = (struct spawn){
		.units_per_check = work_calibrate(),
		.ticks_usable = worker_clock_usable(sysfs),
		.seeded = run->seeded,
		.seed = run->seed,
		.settle = placement_settle,
		.dress = placement_dress,
		.wait = wait_for_others,
		.ctx = run,
	};
	run->draw_seed = run->seed;
	if (!run->seeded && getrandom(&run->draw_seed, sizeof(run->draw_seed), 0) < 0)
		run->draw_seed = clock_now();
	run->tree = (struct cgroup_tree){.guard = -1, .guardian = -1};
	run->dead |= preflight_fails(run);
	if (!run->dead) {
		open_tree(run);
		run->dead |= preflight_lacks_controllers(run);
	}
	events_scenario(&run->events, run->sc->name, workload_ns(run->sc));
	run_steps(run);
	health_judge(run);
	orphans_end(run->tree.guardian);
	cgroup_tree_close(&run->tree);
	events_send(&run->events, "scenario-end", "exit",
		    run->signal	    ? "interrupted"
		    : run->n_errors ? "failed"
				    : "completed",
		    0);
}

void run_free(struct run *run)
{
	size_t i;

	for (i = 0; i < run->sc->n_groups; i++)
		crew_free(&run->crews[i]);
	for (i = 0; i < run->n_errors; i++)
		free(run->errors[i]);
	munmap(run->lines, run->sc->n_steps * (sizeof(*run->lines) + sizeof(*run->windows)));
	spill_close(&run->spill);
	free(run->places);
	free(run->crews);
	own_memory_free(run->by_pid, PID_MAX, sizeof(*run->by_pid));
	payloads_free(run);
	json_decref(run->requests);
	free(run->made);
	free(run->errors);
	sched_ext_free(&run->sched);
	close(run->sigfd);
}
