// SPDX-License-Identifier: GPL-2.0
/*
 * Task life and class family, third part: workers that move tasks between cgroups.
 *
 * cgroup-churn moves itself from one cgroup to the next each cycle and spins there: a write to
 * cgroup.threads (cgroup_attach_task(), the cgroup_threadgroup_rwsem, sched_move_task(),
 * ops.cgroup_move). A work unit is one spin unit (256 turns of an empty loop), an iteration one
 * move. It does not block but for the locks of the move.
 *
 * cgroup-attach-storm makes a child that exits at once and moves it into another cgroup while it
 * does: fork(2), a write to cgroup.procs that races with do_exit() (cgroup_procs_write_start(),
 * cgroup_migrate_execute() against cgroup_exit()), and the wake-up of the parent. A work unit is
 * one child that was moved or was gone already, and reaped; an iteration is the same. The metric
 * attached_ratio is the share of the children that the move still found. The wake latency is the
 * time from the child's last instruction to the worker running again, where it waited for that. The
 * time from the fork to the child's first instruction counts as a gap.
 *
 * The cgroups are made below the worker's own, as threaded ones that have the cpu controller where
 * the machine has it ("Threads" in Documentation/admin-guide/cgroup-v2.rst): so the limits of the
 * scenario's cgroup stay in force, its freeze and its end reach what is in them, and a move still
 * changes the task group. Where there is no cpu controller in v2 the moves stay within one task
 * group, and a line on stderr says so.
 */
#include "work_common.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"

#define GROUPS_MAX 64

struct moves {
	int to[GROUPS_MAX]; /* cgroup.threads or cgroup.procs of the cgroups below */
	int home;	    /* cgroup.threads of its own */
};

static int text_write(const char *dir, const char *file, const char *text)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, file);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* Whether @dir gives the cpu controller to those below it; try to make it so. */
static bool cpu_enable(const char *dir)
{
	return !text_write(dir, "cgroup.subtree_control", "+cpu");
}

/* Make the threaded cgroup NAME.@i below @dir; others may have. Its @file is opened for writing. */
static int below_make(struct worker *w, const char *dir, unsigned int i, const char *file)
{
	_cleanup_free_ char *below = xasprintf("%s/%s.%u", dir, w->spec->type->name, i);
	_cleanup_free_ char *path = xasprintf("%s/%s", below, file);
	int fd, ret;

	if (mkdir(below, 0755) && errno != EEXIST)
		return worker_fail(w, errno, "cannot make the cgroup %.100s", below);
	ret = text_write(below, "cgroup.type", "threaded");
	if (ret)
		return worker_fail(w, -ret, "cannot make %.100s a threaded cgroup", below);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? worker_fail(w, errno, "cannot open %.100s", path) : fd;
}

/* Prepare @n cgroups below the worker's own. */
static int moves_setup(struct worker *w, unsigned int n, const char *file)
{
	struct moves *m = worker_memory(w, sizeof(*m));
	_cleanup_free_ char *dir = NULL, *path = NULL;
	unsigned int i;
	int ret;

	if (!m)
		return -ENOMEM;
	w->own = m;
	ret = worker_cgroup(w, &dir);
	if (ret)
		return ret;
	path = xasprintf("%s/cgroup.threads", dir);
	m->home = open(path, O_WRONLY | O_CLOEXEC);
	if (m->home < 0)
		return worker_fail(w, errno, "cannot open %.100s", path);
	for (i = 0; i < n; i++) {
		m->to[i] = below_make(w, dir, i, file);
		if (m->to[i] < 0)
			return m->to[i];
	}
	if (!cpu_enable(dir) && w->index == 0)
		warn("%s: no cpu controller for cgroups below %s: moves stay in one task group",
		     w->spec->type->name, dir);
	return 0;
}

enum { CHURN_GROUPS, CHURN_CYCLE };

static int churn_setup(struct worker *w)
{
	return moves_setup(w, w->spec->values[CHURN_GROUPS], "cgroup.threads");
}

/* "0" is the task that writes. */
static bool move_self(int fd)
{
	return write(fd, "0", 1) == 1;
}

static void cgroup_churn(struct worker *w)
{
	const struct moves *m = w->own;
	uint64_t turn = w->index;
	bool more = true;

	while (more) {
		uint64_t end = worker_now(w) + w->spec->values[CHURN_CYCLE];

		w->tally->iterations += move_self(m->to[turn++ % w->spec->values[CHURN_GROUPS]]);
		more = worker_checkpoint(w, 0);
		while (more && worker_now(w) < end) {
			work_spin(w->units_per_check);
			more = worker_checkpoint(w, w->units_per_check);
		}
	}
	move_self(m->home);
}

static int storm_setup(struct worker *w)
{
	return moves_setup(w, 1, "cgroup.procs");
}

/* One child. Returns what worker_checkpoint() does. */
static bool storm_once(struct worker *w, int fd, uint64_t *attached)
{
	uint64_t forked = worker_now(w);
	int pid = worker_fork(w, w->shared), n;
	char text[16];

	if (pid < 0) {
		worker_wait_end(w, false);
		return worker_sleep_until(w, worker_now(w) + NSEC_PER_MSEC);
	}
	n = snprintf(text, sizeof(text), "%d", pid);
	*attached += write(fd, text, n) == n; /* ESRCH: it has left already */
	return worker_join(w, w->shared, pid, forked);
}

static void cgroup_attach_storm(struct worker *w)
{
	const struct moves *m = w->own;
	uint64_t attached = 0, children = 0;

	do
		children++;
	while (storm_once(w, m->to[0], &attached));
	w->rec->metrics[0] = (struct metric){"attached_ratio", attached, children};
}

const struct work_type work_cgroup_types[] = {
	{
		.name = "cgroup-churn",
		.family = "task",
		.unit = "256 turns of an empty loop",
		.path = "moves of a task that runs between cgroups",
		.about =
			"Spins in one cgroup for the cycle, then moves itself to the next: cgroups "
			"that it makes below its own. Worker i begins in the i-th. It does not "
			"block.",
		.params = {[CHURN_GROUPS] = {"groups", PARAM_COUNT, 2, 2, GROUPS_MAX,
					     "cgroups to move between"},
			   [CHURN_CYCLE] = {"cycle", PARAM_DURATION, 100 * NSEC_PER_MSEC, 100000,
					    3600 * NSEC_PER_SEC, "time in a cgroup"}},
		.in_cgroup = true,
		.setup = churn_setup,
		.run = cgroup_churn,
	},
	{
		.name = "cgroup-attach-storm",
		.family = "task",
		.unit = "one child that exited while it was being moved",
		.path = "moves between cgroups that race with exit",
		.about =
			"Makes a child that exits at once, moves it to another cgroup meanwhile and "
			"waits for its end. The metric attached_ratio is the share that the move "
			"still found.",
		.wake = "the child's last instruction",
		.blocks = true,
		.shared_size = sizeof(struct birth),
		.in_cgroup = true,
		.setup = storm_setup,
		.run = cgroup_attach_storm,
	},
	{},
};
