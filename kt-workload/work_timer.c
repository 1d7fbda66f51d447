// SPDX-License-Identifier: GPL-2.0
/*
 * Timers and interrupts family, first part (work_net.c has the second): workers that an hrtimer
 * wakes.
 *
 * timer-latency sleeps to absolute times, one interval apart, as cyclictest does:
 * clock_nanosleep(2), hrtimer interrupt, hrtimer_wakeup(), try_to_wake_up(), select_task_rq
 * (ops.select_cpu), the exit from idle. It computes nothing. A work unit is one wake-up, and so is
 * an iteration. The wake latency is the time from the moment that was asked for to the worker
 * running again. When it is late by more than an interval, the ones that passed are left out.
 */
#include "work.h"

enum { TIMER_INTERVAL };

static void timer_latency(struct worker *w)
{
	uint64_t interval = w->spec->values[TIMER_INTERVAL], next = worker_now(w);
	uint64_t seen;
	bool more;

	do {
		next += interval;
		more = worker_sleep_until(w, next);
		w->tally->units++;
		worker_iteration(w);
		/* The last checkpoint's time: a stall since then is still to be seen. */
		seen = atomic_load_explicit(&w->rec->last_ns, memory_order_relaxed);
		if (seen > next + interval)
			next = seen;
	} while (more);
}

const struct work_type work_timer_types[] = {
	{
		.name = "timer-latency",
		.family = "timer",
		.unit = "one wake-up by a timer",
		.path = "hrtimer interrupt, wake-up from it, exit from idle",
		.about = "Sleeps to absolute times, one interval apart, as cyclictest does.",
		.wake = "the time that was asked for",
		.params = {[TIMER_INTERVAL] = {"interval", PARAM_DURATION, NSEC_PER_MSEC, 10000,
					       3600 * NSEC_PER_SEC, "time between wake-ups"}},
		.blocks = true,
		.run = timer_latency,
	},
	{},
};
