// SPDX-License-Identifier: GPL-2.0
/* kt-snapshot monitor: sample a live VM while it runs on, print JSON Lines on stdout. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "clock.h"
#include "commands.h"
#include "diag.h"
#include "exits.h"
#include "monitor.h"
#include "options.h"
#include "quantity.h"

enum { OPT_INTERVAL = 1, OPT_COUNT, OPT_VERBOSE };

static const struct option_row rows[] = {
	{"interval", 'i', "T", "time between two samples, 1ms at least (100ms)", OPT_INTERVAL},
	{"count", 'n', "N", "end after as many samples", OPT_COUNT},
	{"verbose", 'v', NULL, "say at the end what a sample cost", OPT_VERBOSE},
};

struct plan {
	uint64_t interval_ns, count;
	const char *path;
};

static void plan_parse(struct plan *p, int argc, char **argv)
{
	struct options o = {
		.synopsis = "monitor [OPTIONS] RUNDIR|SOCKET",
		.summary = "Sample a live VM while it runs on; print JSON Lines until it ends.",
		.rows = rows,
		.n_rows = ARRAY_SIZE(rows),
		.permute = 1,
		.argc = argc,
		.argv = argv,
	};
	const char *value;
	char **operands;
	int64_t n;
	int id;

	*p = (struct plan){MONITOR_INTERVAL_NS, UINT64_MAX};
	while ((id = options_next(&o, &value))) {
		switch (id) {
		case OPT_INTERVAL:
			if (duration_parse(value, &p->interval_ns) ||
			    p->interval_ns < MONITOR_MIN_INTERVAL_NS)
				die(EXIT_USAGE, "--interval '%s': expected a time of at least 1ms",
				    value);
			break;
		case OPT_COUNT:
			if (number_parse(value, 1, INT64_MAX, &n))
				die(EXIT_USAGE, "--count '%s': expected a whole number from 1",
				    value);
			p->count = n;
			break;
		case OPT_VERBOSE:
			diag_set_verbosity(diag_verbosity() + 1);
		}
	}
	operands = options_operands(&o);
	if (!operands[0] || operands[1])
		die(EXIT_USAGE, "monitor: expected one run directory or control socket");
	p->path = operands[0];
}

static volatile sig_atomic_t ended_by;

static void note_signal(int signal)
{
	ended_by = signal;
}

/* What is to end this finds it waiting, and its lines are written first. */
static void signals_catch(sigset_t *waiting)
{
	static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
	const struct sigaction act = {.sa_handler = note_signal};
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < ARRAY_SIZE(ending); i++) {
		sigaction(ending[i], &act, NULL);
		sigaddset(&set, ending[i]);
	}
	sigprocmask(SIG_BLOCK, &set, waiting);
	signal(SIGPIPE, SIG_IGN);
}

/* Wait until @due_ns. Returns false when the VM has ended before, or a signal came. */
static bool wait_until(int socket, uint64_t due_ns, const sigset_t *waiting)
{
	struct pollfd p = {socket, 0, 0}; /* its end alone */
	uint64_t now = now_ns();
	uint64_t left = due_ns > now ? due_ns - now : 0;
	struct timespec t = {left / 1000000000, left % 1000000000};

	return ppoll(&p, 1, &t, waiting) <= 0 && !ended_by;
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static int sample_all(struct monitor *m, const struct session *s, const struct plan *p)
{
	sigset_t waiting;
	uint64_t cpu, spent = 0, taken = 0;
	int err = 0;

	signals_catch(&waiting);
	while (!err && monitor_count(m) < p->count &&
	       wait_until(s->vm.fd, monitor_due(m), &waiting)) {
		cpu = cpu_ns();
		err = monitor_sample(m);
		spent += cpu_ns() - cpu;
		taken++;
	}
	if (taken)
		info("%llu samples of %u CPUs, %llu ns of CPU each", (unsigned long long)taken,
		     s->kernel.n_cpus, (unsigned long long)(spent / taken));
	return err;
}

int command_monitor(int argc, char **argv)
{
	_cleanup_free_ char *why = NULL;
	struct monitor *m;
	struct session s;
	struct plan p;
	int err, closed;

	plan_parse(&p, argc, argv);
	if (session_open(&s, p.path, false, &why))
		die(EXIT_FAILURE, "%s", why);
	m = monitor_open(&s, STDOUT_FILENO, p.interval_ns, &why);
	if (!m)
		die(EXIT_FAILURE, "%s", why);
	err = sample_all(m, &s, &p);
	closed = monitor_close(m);
	err = err ? err : closed;
	session_close(&s);
	/* Who reads may have seen enough: head(1). */
	if (err && err != -EPIPE)
		die(EXIT_INTERNAL, "cannot write the samples: %s", strerror(-err));
	return ended_by ? 128 + ended_by : 0;
}
