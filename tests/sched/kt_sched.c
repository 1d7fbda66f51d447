// SPDX-License-Identifier: GPL-2.0
/* kt-sched: loads kt_sched and stays until it ends; options make it misbehave. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "diag.h"
#include "exits.h"
#include "loader.h"
#include "options.h"
#include "quantity.h"

#define EXIT_THROWN_OUT	 2     /* the kernel ended the scheduler, not its user */
#define SCX_EXIT_UNREG	 64    /* enum scx_exit_kind: detached by its user */
#define WATCHDOG_MAX_MS	 30000 /* SCX_WATCHDOG_MAX_TIMEOUT */
#define POLL_INTERVAL_MS 100

enum {
	OPT_VERBOSE = 1,
	OPT_SLICE,
	OPT_WATCHDOG,
	OPT_IGNORE_LLC,
	OPT_STALL,
	OPT_STARVE,
	OPT_ERROR_AFTER,
	OPT_CRASH_AFTER,
	OPT_EXIT_AFTER,
};

static const struct option_row rows[] = {
	{"slice", 0, "US", "time slice in microseconds (20000)", OPT_SLICE},
	{"watchdog", 0, "MS",
	 "how long a task may wait to run before the kernel\n"
	 "throws the scheduler out, at most 30000, the default",
	 OPT_WATCHDOG},
	{"exit-after", 0, "MS", "detach and exit 0", OPT_EXIT_AFTER},
	{"verbose", 'v', NULL, "-vv shows libbpf's messages", OPT_VERBOSE},
	{NULL, 0, NULL, "To misbehave", 0},
	{"ignore-llc", 0, NULL, "one queue for all, idle CPUs taken from anywhere", OPT_IGNORE_LLC},
	{"stall", 0, "[COMM]",
	 "never run one task again: the first one of this\n"
	 "name, or the first one of user space",
	 OPT_STALL},
	{"starve", 0, "CGROUP",
	 "run the tasks of cgroups with this name for half a\n"
	 "millisecond once a second",
	 OPT_STARVE},
	{"error-after", 0, "MS", "end with scx_bpf_error()", OPT_ERROR_AFTER},
	{"crash-after", 0, "MS", "abort this program", OPT_CRASH_AFTER},
};

struct plan {
	struct sched_config config;
	int64_t crash_after_ms, exit_after_ms; /* -1: never */
};

static int64_t number_option(const char *name, const char *value, const char *unit, int64_t min,
			     int64_t max)
{
	int64_t n;

	if (number_parse(value, min, max, &n))
		die(EXIT_USAGE, "--%s '%s': expected a number of %s from %lld to %lld", name, value,
		    unit, (long long)min, (long long)max);
	return n;
}

static int64_t after_option(const char *name, const char *value)
{
	return number_option(name, value, "milliseconds", 1, 86400000);
}

static const char *name_option(const char *name, const char *value, size_t max)
{
	if (!value[0] || strlen(value) > max)
		die(EXIT_USAGE, "--%s '%s': expected a name of 1 to %zu bytes", name, value, max);
	return value;
}

static void plan_parse(struct plan *plan, int argc, char **argv)
{
	struct options o = {
		.synopsis = "[OPTIONS]",
		.summary =
			"A small sched_ext scheduler to test with: LLC by LLC, first in, first out.",
		.epilogue =
			"SIGUSR1 prints the counts. Exit status: 0 detached, 2 thrown out by the "
			"kernel,\n64 usage, 70 could not be loaded.",
		.rows = rows,
		.n_rows = ARRAY_SIZE(rows),
		.argc = argc,
		.argv = argv,
	};
	struct sched_config *c = &plan->config;
	const char *value;
	int id, verbosity = 0;

	while ((id = options_next(&o, &value))) {
		switch (id) {
		case OPT_VERBOSE:
			diag_set_verbosity(++verbosity);
			break;
		case OPT_SLICE:
			c->slice_ns =
				1000 * number_option("slice", value, "microseconds", 10, 1000000);
			break;
		case OPT_WATCHDOG:
			c->watchdog_ms = number_option("watchdog", value, "milliseconds", 100,
						       WATCHDOG_MAX_MS);
			break;
		case OPT_IGNORE_LLC:
			c->ignore_llc = true;
			break;
		case OPT_STALL:
			c->stall = true;
			c->stall_comm = value ? name_option("stall", value, 15) : NULL;
			break;
		case OPT_STARVE:
			c->starve_cgroup = name_option("starve", value, KT_CGROUP_NAME - 1);
			break;
		case OPT_ERROR_AFTER:
			c->error_after_ns = 1000000 * after_option("error-after", value);
			break;
		case OPT_CRASH_AFTER:
			plan->crash_after_ms = after_option("crash-after", value);
			break;
		case OPT_EXIT_AFTER:
			plan->exit_after_ms = after_option("exit-after", value);
			break;
		}
	}
	if (options_operands(&o)[0])
		die(EXIT_USAGE, "unexpected argument '%s': expected only options",
		    options_operands(&o)[0]);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Stay until a signal, the time to exit, or the kernel ends it. */
static void watch(struct sched *s, const struct plan *plan, const sigset_t *signals)
{
	const struct timespec interval = {.tv_nsec = POLL_INTERVAL_MS * 1000000L};
	int64_t start = now_ms();
	int sig;

	while (!sched_exit(s)) {
		sig = sigtimedwait(signals, NULL, &interval);
		if (sig == SIGUSR1)
			sched_print_stats(s, true);
		else if (sig > 0)
			return;
		if (plan->crash_after_ms >= 0 && now_ms() - start >= plan->crash_after_ms) {
			warn("crash asked for with --crash-after %lld",
			     (long long)plan->crash_after_ms);
			abort();
		}
		if (plan->exit_after_ms >= 0 && now_ms() - start >= plan->exit_after_ms)
			return;
	}
}

static int report_end(const struct sched *s)
{
	const struct kt_exit *e = sched_exit(s);

	if (!e) {
		warn("detached, but the kernel did not say how the scheduler ended");
		return EXIT_INTERNAL;
	}
	printf("exit kind=%d code=%#llx reason=\"%s\" message=\"%s\"\n", e->kind, e->code,
	       e->reason, e->message);
	return e->kind == SCX_EXIT_UNREG ? 0 : EXIT_THROWN_OUT;
}

int main(int argc, char **argv)
{
	struct plan plan = {
		.config = {.slice_ns = 20000000},
		.crash_after_ms = -1,
		.exit_after_ms = -1,
	};
	struct sched *s = NULL;
	sigset_t signals;
	int status;

	diag_init("kt-sched");
	setvbuf(stdout, NULL, _IOLBF, 0);
	plan_parse(&plan, argc, argv);
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGUSR1);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	if (sched_attach(&s, &plan.config))
		return EXIT_INTERNAL;
	sched_print_attached(s, &plan.config);
	watch(s, &plan, &signals);
	if (!sched_exit(s))
		sched_detach(s);
	sched_print_stats(s, false);
	status = report_end(s);
	sched_free(s);
	return status;
}
