// SPDX-License-Identifier: GPL-2.0
/*
 * Task life and class family, first part: workers that make tasks or change their own standing.
 * (work_affinity.c changes where tasks may run, work_cgroup.c the cgroup that they are in.)
 *
 * fork-exit makes a child that exits at once and waits for it: fork(2), sched_fork(),
 * wake_up_new_task() (ops.init_task, ops.enable, ops.select_cpu with SCX_WAKE_FORK), do_exit(),
 * wait_task_zombie(), and the wake-up of the parent. A work unit is one child that was born, died
 * and was reaped, and so is an iteration. The wake latency is the time from the child's last
 * instruction to the worker running again. The time from the fork to the child's first
 * instruction counts as a gap of the worker: nobody else would see a child that gets no CPU.
 *
 * nice-sweep goes through all nice levels from -20 to 19, one a turn: a short spin, setpriority(2)
 * (set_user_nice(), reweight_task(), ops.set_weight), sched_yield(2). A work unit is one change of
 * level, and so is an iteration. It does not block. At the end it has its own level again.
 *
 * policy-churn goes through the policies OTHER, BATCH, IDLE, FIFO 1 and RR 1: spin,
 * sched_setscheduler(2) (__sched_setscheduler(), switched_from and switched_to of the classes,
 * ops.disable and ops.enable), sched_yield(2). A work unit is one change of policy, and so is an
 * iteration. It does not block. At the end it has its own policy again.
 */
#include "work_common.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"

#define NICE_SPIN_TURNS 512

/* One child. Returns what worker_checkpoint() does. */
static bool fork_once(struct worker *w)
{
	uint64_t forked = worker_now(w);
	int pid = worker_fork(w, w->shared);

	if (pid > 0)
		return worker_join(w, w->shared, pid, forked);
	worker_wait_end(w, false);
	return worker_sleep_until(w, worker_now(w) + NSEC_PER_MSEC);
}

static void fork_exit(struct worker *w)
{
	while (fork_once(w))
		;
}

static int nice_try(void)
{
	return setpriority(PRIO_PROCESS, 0, -20);
}

static int nice_setup(struct worker *w)
{
	int ret = worker_try(nice_try);

	return ret ? worker_fail(w, -ret, "nice-sweep needs CAP_SYS_NICE for levels below 0") : 0;
}

/* setpriority() with 0 means the calling task, also where that is a thread (setpriority(2)). */
static void nice_sweep(struct worker *w)
{
	int own = getpriority(PRIO_PROCESS, 0), level = -20;

	while (work_spin_turns_checked(w, NICE_SPIN_TURNS)) {
		uint64_t done = !setpriority(PRIO_PROCESS, 0, level);

		if (!done)
			worker_lacks(w, errno, "nice-sweep cannot change its level");
		level = level == 19 ? -20 : level + 1;
		sched_yield();
		w->tally->iterations += done;
		if (!worker_checkpoint(w, done))
			break;
	}
	setpriority(PRIO_PROCESS, 0, own);
}

enum { POLICY_SPIN };

/* struct sched_attr of the kernel (sched_setattr(2)), which glibc before 2.41 lacks. */
struct policy_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static int policy_try(void)
{
	struct sched_param param = {.sched_priority = 1};

	return sched_setscheduler(0, SCHED_FIFO, &param);
}

static int policy_setup(struct worker *w)
{
	int ret = worker_try(policy_try);

	return ret ? worker_fail(w, -ret, "policy-churn needs CAP_SYS_NICE for SCHED_FIFO") : 0;
}

static void policy_churn(struct worker *w)
{
	static const struct {
		int policy, priority;
	} turns[] = {
		{SCHED_OTHER, 0}, {SCHED_BATCH, 0}, {SCHED_IDLE, 0}, {SCHED_FIFO, 1}, {SCHED_RR, 1},
	};
	struct policy_attr own = {.size = sizeof(own)};
	bool known = !syscall(SYS_sched_getattr, 0, &own, sizeof(own), 0);
	size_t turn = 0;

	while (work_spin_turns_checked(w, w->spec->values[POLICY_SPIN])) {
		struct sched_param param = {.sched_priority = turns[turn].priority};
		uint64_t done = !sched_setscheduler(0, turns[turn].policy, &param);

		if (!done)
			worker_lacks(w, errno, "policy-churn cannot change its policy");
		turn = (turn + 1) % ARRAY_SIZE(turns);
		sched_yield();
		w->tally->iterations += done;
		if (!worker_checkpoint(w, done))
			break;
	}
	if (known)
		syscall(SYS_sched_setattr, 0, &own, 0);
}

const struct work_type work_task_types[] = {
	{
		.name = "fork-exit",
		.family = "task",
		.unit = "one child that was born, exited and was reaped",
		.path = "fork, the first placement of a new task, exit, the wake-up of the parent",
		.about = "Makes a child that exits at once, and waits for it. The time to the "
			 "child's first instruction counts as a gap.",
		.wake = "the child's last instruction",
		.blocks = true,
		.shared_size = sizeof(struct birth),
		.run = fork_exit,
	},
	{
		.name = "nice-sweep",
		.family = "task",
		.unit = "one change of the nice level",
		.path = "reweighting of a task that runs, and yields",
		.about = "Goes through the nice levels from -20 to 19: 512 turns of an empty loop, "
			 "the next level, a yield. It does not block and leaves its level as it "
			 "was. Needs CAP_SYS_NICE.",
		.setup = nice_setup,
		.run = nice_sweep,
	},
	{
		.name = "policy-churn",
		.family = "task",
		.unit = "one change of the policy",
		.path = "changes of the scheduling class of a task that runs",
		.about =
			"Goes through the policies OTHER, BATCH, IDLE, FIFO and RR, with a spin and "
			"a yield at each. It does not block and leaves its policy as it was. Needs "
			"CAP_SYS_NICE.",
		.params = {[POLICY_SPIN] = {"spin", PARAM_COUNT, 1024, 0, 1000000000,
					    "turns of an empty loop between changes"}},
		.setup = policy_setup,
		.run = policy_churn,
	},
	{},
};
