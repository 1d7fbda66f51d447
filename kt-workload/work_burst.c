// SPDX-License-Identifier: GPL-2.0
/*
 * Burst and sleep family: workers that come and go.
 *
 * bursty computes for a while, then sleeps: clock_nanosleep(2), hrtimer expiry, try_to_wake_up(),
 * select_task_rq (ops.select_cpu and ops.enqueue with SCX_ENQ_WAKEUP), placement of a task whose
 * deadline or vtime has aged. A work unit is one spin unit (256 turns of an empty loop), an
 * iteration one burst and its sleep. The wake latency is the time from the end of the sleep as
 * asked for to the worker running again.
 *
 * idle-churn does the same so fast that what it exercises is the CPU's way into idle and out of it:
 * hrtimer and tick stop, cpuidle, the idle class's pick (sched_ext's ops.update_idle), the idle
 * search of the wake-up. It has the timer slack that every program has by default (50 us), where
 * the workers' is 1 ns otherwise, so that its wake latency begins with that much.
 */
#include "work.h"

#include <sys/prctl.h>

#define DEFAULT_SLACK_NS 50000UL

enum { BURSTY_BURST, BURSTY_SLEEP };

static void bursty(struct worker *w)
{
	uint64_t burst = w->spec->values[BURSTY_BURST], sleep = w->spec->values[BURSTY_SLEEP];
	uint64_t end;

	do {
		end = worker_now(w) + burst;
		while (worker_now(w) < end) {
			if (!work_spin_checked(w, w->units_per_check))
				return;
		}
		worker_iteration(w);
	} while (worker_sleep_until(w, worker_now(w) + sleep));
}

static void idle_churn(struct worker *w)
{
	prctl(PR_SET_TIMERSLACK, DEFAULT_SLACK_NS);
	bursty(w);
}

#define BURST_TIMES 1000, 3600 * NSEC_PER_SEC

const struct work_type work_burst_types[] = {
	{
		.name = "bursty",
		.family = "burst",
		.unit = "256 turns of an empty loop",
		.path = "timer wake-up and placement after sleep",
		.about = "Computes for a while, then sleeps.",
		.wake = "the end of the sleep that was asked for; timer slack is 1 ns",
		.params = {{"burst", PARAM_DURATION, 50 * NSEC_PER_MSEC, BURST_TIMES,
			    "how long it computes"},
			   {"sleep", PARAM_DURATION, 100 * NSEC_PER_MSEC, BURST_TIMES,
			    "how long it sleeps then"}},
		.blocks = true,
		.run = bursty,
	},
	{
		.name = "idle-churn",
		.family = "burst",
		.unit = "256 turns of an empty loop",
		.path = "the way into idle and out of it: tick stop, hrtimer, cpuidle, the idle "
			"class",
		.about = "Computes for a moment, then sleeps for some, with the timer slack that "
			 "programs have by default (50 us).",
		.wake = "the end of the sleep that was asked for, slack included",
		.params = {{"burst", PARAM_DURATION, NSEC_PER_MSEC, BURST_TIMES,
			    "how long it computes"},
			   {"sleep", PARAM_DURATION, 5 * NSEC_PER_MSEC, BURST_TIMES,
			    "how long it sleeps then"}},
		.blocks = true,
		.run = idle_churn,
	},
	{},
};
