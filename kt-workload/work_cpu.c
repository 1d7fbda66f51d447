// SPDX-License-Identifier: GPL-2.0
/*
 * CPU family: workers that are always runnable.
 *
 * spin-wait never enters the kernel by itself, so all it meets is the tick: preemption, load
 * balancing, time slices (scheduler_tick(), sched_ext's ops.tick and slice expiry). A work unit is
 * 256 turns of an empty loop. The loop has no PAUSE instruction: under a hypervisor that traps it,
 * the load would become one of VM exits.
 *
 * yield-heavy gives its CPU away all the time: sched_yield(2), do_sched_yield(), the class's
 * yield_task, ops.yield, and the pick of the next task. A work unit is one yield.
 *
 * mixed alternates 64 spin units with one yield: a task that keeps its CPU for a while and then
 * goes behind the others of its queue. A work unit is one spin unit.
 *
 * An iteration is one piece of about 20 us (spin-wait), or what lies between two yields. None of
 * them sleeps, so none has wake latencies. Types that look at the use of the core are in
 * work_core.c.
 */
#include "work.h"

#define MIXED_BURST_UNITS 64

static void spin_wait(struct worker *w)
{
	uint64_t units = w->units_per_check;

	do {
		work_spin(units);
		worker_iteration(w);
	} while (worker_checkpoint(w, units));
}

static void yield_heavy(struct worker *w)
{
	do {
		sched_yield();
		worker_iteration(w);
	} while (worker_glance(w, 1));
}

static void mixed(struct worker *w)
{
	while (work_spin_checked(w, MIXED_BURST_UNITS)) {
		sched_yield();
		worker_iteration(w);
	}
}

const struct work_type work_cpu_types[] = {
	{
		.name = "spin-wait",
		.family = "cpu",
		.unit = "256 turns of an empty loop",
		.path = "the tick: preemption, slices, load balancing",
		.about = "Spins, and never enters the kernel by itself.",
		.run = spin_wait,
	},
	{
		.name = "yield-heavy",
		.family = "cpu",
		.unit = "one sched_yield(2)",
		.path = "yield and the pick of the next task",
		.about = "Gives its CPU away all the time.",
		.run = yield_heavy,
	},
	{
		.name = "mixed",
		.family = "cpu",
		.unit = "256 turns of an empty loop",
		.path = "the tick, and yields",
		.about = "Keeps its CPU for 64 units, then goes behind the others of its queue.",
		.run = mixed,
	},
	{},
};
