// SPDX-License-Identifier: GPL-2.0
/*
 * Signal and preemption family: workers that are interrupted, by signals or by realtime tasks.
 *
 * signal-storm: two workers send each other signals (tgkill(2), SIGUSR2) between bursts of
 * computing: send_signal_locked(), signal_wake_up() and the kick of a running task on another CPU,
 * the return to user mode through get_signal(). A work unit is one signal sent. Signals of a kind
 * that is pending already are lost, as always: the metrics signals_sent and signals_received tell.
 * It never sleeps.
 *
 * preempt-storm: one SCHED_FIFO worker wakes by timer about a thousand times a second and preempts
 * its group's spinners: wakeup_preempt(), the class's put_prev_task and pick, sched_ext's
 * ops.cpu_release and its way back. A work unit is one burst of the realtime worker, or one spin
 * unit.
 *
 * rt-starvation: SCHED_FIFO workers take the CPU for a share of every period, and the victims of
 * their group, if they share that CPU, get nothing meanwhile: fair_server and ext's deadline
 * server, RT throttling, load balancing away from a CPU whose capacity is gone, a scheduler's
 * watchdog. The share is at most 95% (the kernel's own sched_rt_runtime_us), and the realtime
 * workers do sleep for the rest, so that the machine stays usable: with one for each CPU everything
 * else runs 5% of the time. A work unit is one spin unit.
 *
 * An iteration is one burst. The wake latency is that of the realtime workers' timers.
 */
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "work_wait.h"

/* ---- signal-storm ---- */

enum { SIGNAL_SIGNALS, SIGNAL_WORK };

/* Shared by the two, by rank. A tid is there when its owner is ready for signals. */
struct partners {
	_Atomic pid_t pid[2], tid[2];
};

/* How many this thread has received. */
static _Thread_local volatile sig_atomic_t received;

static void on_signal(int signal)
{
	(void)signal;
	received++;
}

static int signal_storm_setup(struct worker *w)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	struct partners *p = w->shared;
	uint32_t me = work_rank(w);

	/* Whoever comes first of a process's threads installs it for all. */
	sigaction(SIGUSR2, &action, NULL);
	atomic_store(&p->pid[me], getpid());
	atomic_store(&p->tid[me], gettid());
	return 0;
}

static void signal_storm(struct worker *w)
{
	uint64_t n = w->spec->values[SIGNAL_SIGNALS], sent = 0, i;
	struct partners *p = w->shared;
	uint32_t other = work_rank(w) ^ 1;
	bool more = true;

	while (more && work_spin_turns_checked(w, w->spec->values[SIGNAL_WORK])) {
		for (i = 0; i < n && more; i++) {
			pid_t tid = atomic_load(&p->tid[other]);

			if (tid && !syscall(SYS_tgkill, atomic_load(&p->pid[other]), tid, SIGUSR2))
				sent++;
			more = worker_checkpoint(w, 1);
		}
		worker_iteration(w);
	}
	w->rec->metrics[0] = (struct metric){.name = "signals_sent", .amount = sent};
	w->rec->metrics[1] = (struct metric){.name = "signals_received", .amount = received};
}

/* ---- preempt-storm ---- */

enum { PREEMPT_SPINNERS, PREEMPT_BURST, PREEMPT_SLEEP };

#define RT_PRIORITY 1 /* above all that is not realtime is enough */

static void spin_units(struct worker *w)
{
	do {
		work_spin(w->units_per_check);
		worker_iteration(w);
	} while (worker_checkpoint(w, w->units_per_check));
}

static int preempt_storm_complete(struct work_spec *spec, char **why)
{
	(void)why;
	spec->group = 1 + spec->values[PREEMPT_SPINNERS];
	return 0;
}

static int preempt_storm_setup(struct worker *w)
{
	return work_rank(w) ? 0 : work_class_set(w, WORK_CLASS_FIFO, RT_PRIORITY);
}

static void preempt_storm(struct worker *w)
{
	const uint64_t *values = w->spec->values;

	if (work_rank(w)) {
		spin_units(w);
		return;
	}
	preempt_storm_setup(w);
	while (worker_sleep_until(w, worker_now(w) + values[PREEMPT_SLEEP]) &&
	       work_spin_turns_checked(w, values[PREEMPT_BURST])) {
		worker_iteration(w);
		if (!worker_checkpoint(w, 1))
			return;
	}
}

/* ---- rt-starvation ---- */

enum { STARVATION_RT, STARVATION_VICTIMS, STARVATION_DUTY, STARVATION_PERIOD };

static int rt_starvation_complete(struct work_spec *spec, char **why)
{
	(void)why;
	spec->group = spec->values[STARVATION_RT] + spec->values[STARVATION_VICTIMS];
	return 0;
}

static int rt_starvation_setup(struct worker *w)
{
	if (work_rank(w) >= w->spec->values[STARVATION_RT])
		return 0;
	return work_class_set(w, WORK_CLASS_FIFO, RT_PRIORITY);
}

static void rt_starvation(struct worker *w)
{
	const uint64_t *values = w->spec->values;
	uint64_t period = values[STARVATION_PERIOD], start, end;

	if (work_rank(w) >= values[STARVATION_RT]) {
		spin_units(w);
		return;
	}
	rt_starvation_setup(w);
	for (;;) {
		/* What is held up is not made up for: it always sleeps for the rest of a period. */
		start = worker_now(w);
		end = start + period / 100 * values[STARVATION_DUTY];
		while (worker_now(w) < end) {
			if (!work_spin_checked(w, w->units_per_check))
				return;
		}
		worker_iteration(w);
		if (!worker_sleep_until(w, worker_now(w) +
						   period / 100 * (100 - values[STARVATION_DUTY])))
			return;
	}
}

const struct work_type work_signal_types[] = {
	{
		.name = "signal-storm",
		.family = "signal",
		.unit = "one signal sent",
		.path = "signal delivery to a task that runs, on another CPU or not",
		.about =
			"Two workers send each other signals between bursts of computing. The metrics "
			"signals_sent and signals_received differ by those that were pending already.",
		.params = {[SIGNAL_SIGNALS] = {"signals", PARAM_COUNT, 16, 1, 1000000,
					       "signals after each burst"},
			   [SIGNAL_WORK] = {"work", PARAM_COUNT, 1024, 0, 1000000000,
					    "turns of an empty loop in a burst"}},
		.group = 2,
		.shared_size = sizeof(struct partners),
		.setup = signal_storm_setup,
		.run = signal_storm,
	},
	{
		.name = "preempt-storm",
		.family = "signal",
		.unit = "one burst of the realtime worker, or 256 turns of an empty loop of a spinner",
		.path = "preemption by a realtime task, and the way back",
		.about = "The first of a group (SCHED_FIFO 1, whatever policy= says; it needs "
			 "CAP_SYS_NICE) sleeps and computes in turn, the others spin.",
		.wake = "the end of the realtime worker's sleep; spinners have none",
		.params = {[PREEMPT_SPINNERS] = {"spinners", PARAM_COUNT, 2, 1, 1024,
						 "spinners for a realtime worker"},
			   [PREEMPT_BURST] = {"burst", PARAM_COUNT, 1024, 0, 1000000,
					      "turns of an empty loop in a burst"},
			   [PREEMPT_SLEEP] = {"sleep", PARAM_DURATION, NSEC_PER_MSEC, 10000,
					      NSEC_PER_SEC, "sleep between bursts"}},
		.blocks = true,
		.group_text = "1 + spinners",
		.complete = preempt_storm_complete,
		.setup = preempt_storm_setup,
		.run = preempt_storm,
	},
	{
		.name = "rt-starvation",
		.family = "signal",
		.unit = "256 turns of an empty loop",
		.path = "realtime tasks that take the CPU: deadline servers, RT throttling, watchdogs",
		.about =
			"The first of a group (SCHED_FIFO 1, whatever policy= says; they need "
			"CAP_SYS_NICE) compute for a share of every period and sleep for the rest; the "
			"others, the victims, spin. To starve them there have to be as many realtime "
			"workers as CPUs (cpuset=). The machine stays usable, as at most 95% is taken.",
		.wake = "the end of a realtime worker's sleep; victims have none",
		.params = {[STARVATION_RT] = {"rt", PARAM_COUNT, 1, 1, 1024,
					      "realtime workers of a group"},
			   [STARVATION_VICTIMS] = {"victims", PARAM_COUNT, 1, 1, 1024,
						   "victims of a group"},
			   [STARVATION_DUTY] = {"duty", PARAM_COUNT, 90, 1, 95,
						"percent of the time that is taken"},
			   [STARVATION_PERIOD] = {"period", PARAM_DURATION, 100 * NSEC_PER_MSEC,
						  NSEC_PER_MSEC, NSEC_PER_SEC,
						  "of computing and sleeping"}},
		.blocks = true,
		.group_text = "rt + victims",
		.complete = rt_starvation_complete,
		.setup = rt_starvation_setup,
		.run = rt_starvation,
	},
	{},
};
