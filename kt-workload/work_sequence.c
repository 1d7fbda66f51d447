// SPDX-License-Identifier: GPL-2.0
/*
 * Compound family: workers that go through phases, round and round.
 *
 * sequence takes any number of phases in any order, each for its wall time:
 *   spin   spin units, as spin-wait (the tick)
 *   alu    256 dependent multiplications a unit (the tick, another use of the core's units)
 *   yield  sched_yield(2), one a unit (yield_task, ops.yield)
 *   sleep  clock_nanosleep(2), one unit a sleep (timer wake-up, select_task_rq)
 *   io     64 KiB written in 4 KiB pieces to an unlinked file below TMPDIR or /tmp, one unit a
 *          piece, then fdatasync(2); where the file system keeps no disk, as tmpfs, a wait of
 *          100 us stands for the sync (page cache, blocking on completion, io_schedule())
 * What the changes of phase exercise is the scheduler's memory of a task: a CPU hog becomes
 * interactive and a sleeper a hog. A work unit is one unit of the phase it is in, an iteration one
 * round. The wake latency is that of the sleep phases and, as work_io.c has it, of the waits for
 * the disk or the missing one.
 */
#include <errno.h>

#include "work_common.h"
#include "work_io.h"

enum sequence_phase { PHASE_SPIN, PHASE_SLEEP, PHASE_YIELD, PHASE_IO, PHASE_ALU };

static bool phase_spin(struct worker *w, uint64_t end)
{
	bool more;

	do {
		work_spin(w->units_per_check);
		more = worker_checkpoint(w, w->units_per_check);
	} while (more && worker_now(w) < end);
	return more;
}

static bool phase_alu(struct worker *w, uint64_t end)
{
	/* A multiplication takes three to five turns' time of the empty loop. */
	uint64_t units = w->units_per_check / 4 + 1;
	bool more;

	do {
		work_alu(units);
		more = worker_checkpoint(w, units);
	} while (more && worker_now(w) < end);
	return more;
}

static bool phase_yield(struct worker *w, uint64_t end)
{
	bool more;

	do {
		sched_yield();
		more = worker_checkpoint(w, 1);
	} while (more && worker_now(w) < end);
	return more;
}

static bool phase_sleep(struct worker *w, uint64_t end)
{
	w->tally->units++;
	return worker_sleep_until(w, end);
}

static bool phase_io(struct worker *w, uint64_t end)
{
	const struct io_file *f = w->own;
	bool more;

	do
		more = io_write(w, f, 0) && io_flush(w, f);
	while (more && worker_now(w) < end);
	return more;
}

/* Indexed by enum sequence_phase, as the parameters below. */
static bool (*const phase_run[])(struct worker *w, uint64_t end) = {
	[PHASE_SPIN] = phase_spin, [PHASE_SLEEP] = phase_sleep, [PHASE_YIELD] = phase_yield,
	[PHASE_IO] = phase_io,	   [PHASE_ALU] = phase_alu,
};

static int sequence_setup(struct worker *w)
{
	size_t i;

	for (i = 0; i < w->spec->n_phases && w->spec->phases[i].param != PHASE_IO; i++)
		;
	if (i == w->spec->n_phases)
		return 0;
	w->own = worker_memory(w, sizeof(struct io_file));
	return w->own ? io_file_open(w, w->own) : -ENOMEM;
}

static void sequence(struct worker *w)
{
	const struct work_spec *s = w->spec;
	size_t i;

	for (;;) {
		for (i = 0; i < s->n_phases; i++) {
			const struct work_phase *p = &s->phases[i];

			if (!phase_run[p->param](w, worker_now(w) + p->value))
				return;
		}
		worker_iteration(w);
	}
}

#define PHASE_TIMES 0, 1000, 3600 * NSEC_PER_SEC

const struct work_type work_sequence_types[] = {
	{
		.name = "sequence",
		.family = "compound",
		.unit = "one unit of the phase it is in",
		.path = "tasks that change their nature",
		.params = {[PHASE_SPIN] = {"spin", PARAM_DURATION, PHASE_TIMES, "an empty loop"},
			   [PHASE_SLEEP] = {"sleep", PARAM_DURATION, PHASE_TIMES, "a timer"},
			   [PHASE_YIELD] = {"yield", PARAM_DURATION, PHASE_TIMES, "sched_yield(2)"},
			   [PHASE_IO] = {"io", PARAM_DURATION, PHASE_TIMES, "write and sync"},
			   [PHASE_ALU] = {"alu", PARAM_DURATION, PHASE_TIMES, "multiplications"}},
		.ordered = true,
		.blocks = true,
		.setup = sequence_setup,
		.run = sequence,
	},
	{},
};
