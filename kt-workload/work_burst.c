// SPDX-License-Identifier: GPL-2.0
/*
 * Burst and sleep family: workers that come and go.
 *
 * bursty computes for a while, then sleeps: clock_nanosleep(2), hrtimer expiry, try_to_wake_up(),
 * select_task_rq (ops.select_cpu and ops.enqueue with SCX_ENQ_WAKEUP), placement of a task whose
 * deadline or vtime has aged. A work unit is one spin unit (256 turns of an empty loop), an
 * iteration one burst and its sleep. The wake latency is the time from the end of the sleep as
 * asked for to the worker running again.
 */
#include "work.h"

enum { BURSTY_BURST, BURSTY_SLEEP };

static void bursty(struct worker *w)
{
	uint64_t burst = w->spec->values[BURSTY_BURST], sleep = w->spec->values[BURSTY_SLEEP];
	uint64_t end;

	do {
		end = clock_now() + burst;
		while (clock_now() < end) {
			if (!work_spin_checked(w, w->units_per_check))
				return;
		}
		worker_iteration(w);
	} while (worker_sleep_until(w, clock_now() + sleep));
}

const struct work_type work_burst_types[] = {
	{
		.name = "bursty",
		.family = "burst",
		.unit = "256 turns of an empty loop",
		.path = "timer wake-up and placement after sleep",
		.params = {{"burst", PARAM_DURATION, 50 * NSEC_PER_MSEC, 1000, 3600 * NSEC_PER_SEC,
			    "how long it computes"},
			   {"sleep", PARAM_DURATION, 100 * NSEC_PER_MSEC, 1000, 3600 * NSEC_PER_SEC,
			    "how long it sleeps then"}},
		.blocks = true,
		.run = bursty,
	},
	{},
};
