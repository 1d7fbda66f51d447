// SPDX-License-Identifier: GPL-2.0
#include "run_steps.h"

#include <string.h>

#include "crew_steps.h"
#include "crews.h"
#include "diag.h"
#include "patience.h"
#include "payload.h"

#define READY_WAIT_NS NSEC_PER_SEC /* without anyone new at the start line */

/*
 * Wait until all are at the start line. One that never gets a CPU must not hold up the rest: after
 * a while without progress they start without it, and its wait is in its record.
 */
static void wait_ready(struct run *run, struct start_line *line)
{
	const struct selection all = {.line = line};
	uint32_t ready = 0, before = 0;
	struct patience patience;

	patience_begin(&patience, READY_WAIT_NS);
	while (!run->dead && (ready = atomic_load(&line->ready)) < crews_alive(run, &all)) {
		if (ready > before)
			patience_begin(&patience, READY_WAIT_NS);
		before = ready;
		if (patience_over(&patience)) {
			warn("%zu of %zu workers did not get to the start: going on without them",
			     crews_alive(run, &all) - ready, crews_alive(run, &all));
			return;
		}
		run_wait_signal(run, clock_now() + NSEC_PER_MSEC);
	}
}

static void apply_op(struct run *run, const struct op *op)
{
	events_send(&run->events, "op", "op", op->text, op->line);
	run->op_line = op->line;
	if (op->row->apply(run, op))
		run->dead = true;
	run->op_line = 0;
}

/* How many of a step's ops come before its start: all up to the last that starts workers. */
static size_t ops_before_start(const struct step *step)
{
	size_t n = step->n_ops;

	while (n && !step->ops[n - 1]->group)
		n--;
	return n;
}

/* Apply them; what they spawn waits at the step's start line. */
static void prepare_step(struct run *run, const struct step *step)
{
	size_t i;

	for (i = 0; i < ops_before_start(step) && !run->dead; i++)
		apply_op(run, step->ops[i]);
	wait_ready(run, &run->lines[run->step]);
}

/* Apply the others, on what runs. Returns whether there were any. */
static bool apply_rest(struct run *run, const struct step *step)
{
	size_t first = ops_before_start(step), i;

	for (i = first; i < step->n_ops && !run->dead; i++)
		apply_op(run, step->ops[i]);
	return first < step->n_ops;
}

/* Apply what can be repeated, every loop_ns until @until_ns. */
static void loop_ops(struct run *run, const struct step *step, uint64_t until_ns)
{
	uint64_t next = clock_now() + step->loop_ns;
	size_t i;

	while (!run->dead && next < until_ns) {
		run_hold(run, next);
		for (i = 0; i < step->n_ops && !run->dead && clock_now() < until_ns; i++) {
			if (!step->ops[i]->row->once)
				apply_op(run, step->ops[i]);
		}
		next += step->loop_ns;
		if (next < clock_now()) /* the ops take longer than that */
			next = clock_now();
	}
	run_hold(run, until_ns);
}

static void remove_step_cgroups(struct run *run, size_t step)
{
	size_t i;

	for (i = run->sc->n_cgroups; i-- > 0;) {
		if (run->sc->cgroups[i]->step == step)
			run_remove_cgroup(run, run->sc->cgroups[i]);
	}
}

/* What the backdrop's workers live through from now on is the step's. */
static void begin_backdrop_step(struct run *run)
{
	size_t i;

	for (i = 0; i < run->n_made; i++) {
		if (!run->made[i]->def->step)
			crew_step_begin(run->made[i]);
	}
}

/* Start the step, and apply its ops. Returns when its hold ends; by then its workers know. */
static uint64_t start_step(struct run *run, size_t index)
{
	const struct step *step = run->sc->steps[index];
	struct start_line *line = &run->lines[index];
	bool more = ops_before_start(step) < step->n_ops;
	uint64_t stop;

	prepare_step(run, step);
	/* If that failed, release them all the same: they see the stop and leave. */
	start_line_release(line, run->made, run->n_made,
			   run->dead ? 0
			   : more    ? UINT64_MAX
				     : step->hold_ns);
	atomic_store(&run->windows[index].start_ns, line->start_ns);
	atomic_store(&run->lines[0].phase, index);
	begin_backdrop_step(run);
	if (!apply_rest(run, step))
		return line->start_ns + step->hold_ns;
	stop = clock_now() + step->hold_ns;
	crews_stop_at(run, &(struct selection){.line = line}, stop);
	return stop;
}

static void end_step_of(struct run *run, struct crew *crew)
{
	int ret = crew_step_end(crew, run->step);

	if (!ret || run->dead)
		return;
	run_error(run, 0, "cannot keep what the workers of cgroup '%s' did: %s",
		  crew->def->cgroup->name, strerror(-ret));
	run->dead = true;
}

/* What the backdrop's workers have lived through since the step began is that step's. */
static void end_backdrop_step(struct run *run)
{
	size_t i;

	for (i = 0; i < run->n_made; i++) {
		if (!run->made[i]->def->step)
			end_step_of(run, run->made[i]);
	}
}

static void run_step(struct run *run, size_t index)
{
	const struct step *step = run->sc->steps[index];
	const struct selection own = {.line = &run->lines[index]};
	const struct selection backdrop = {.line = &run->lines[0]};
	bool last = index + 1 == run->sc->n_steps;
	uint64_t stop;

	run->step = index;
	events_send(&run->events, "step-start", "step", step->name, step->line);
	stop = start_step(run, index);
	if (last && !run->dead)
		crews_stop_at(run, &backdrop, stop);
	if (step->loop_ns)
		loop_ops(run, step, stop);
	else
		run_hold(run, stop);
	if (run->dead) {
		stop = clock_now();
		crews_stop_at(run, &own, stop);
	}
	atomic_store(&run->windows[index].end_ns, stop);
	/* In the last step the backdrop stops too, and stays in it to the end. */
	if (!last && !run->dead) {
		atomic_store(&run->lines[0].phase, 0);
		end_backdrop_step(run);
	}
	run->stop_ns = stop;
	crews_finish(run, &own, stop);
	payloads_finish(run, index);
	events_send(&run->events, "step-end", "step", step->name, step->line);
	remove_step_cgroups(run, index);
	run_check(run);
}

/* The most that a worker has; histograms are the greater part of it. */
static size_t telemetry_size(const struct run *run)
{
	size_t most = 0, i;

	for (i = 0; i < run->sc->n_groups; i++) {
		const struct crew *crew = &run->crews[i];
		const struct work_type *type = crew->def->work.type;
		size_t size = crew->def->workers ? crew->memory_size / crew->def->workers : 0;

		if (crew->line->n_windows)
			size += (type->blocks + type->requests) * sizeof(struct histogram);
		most = size > most ? size : most;
	}
	return most;
}

void run_steps(struct run *run)
{
	const struct scenario *sc = run->sc;
	struct start_line *line = &run->lines[0];
	const struct selection backdrop = {.line = line};
	bool alone = sc->n_steps == 1;
	size_t i;

	prepare_step(run, sc->steps[0]);
	start_line_release(line, run->made, run->n_made,
			   run->dead ? 0
			   : alone   ? sc->duration_ns
				     : UINT64_MAX);
	run->start_ns = line->start_ns;
	info("the start took %.3f s, telemetry takes %zu bytes a worker",
	     (run->start_ns - run->begin_ns) / 1e9, telemetry_size(run));
	run->stop_ns = run->start_ns + (alone ? sc->duration_ns : 0);
	apply_rest(run, sc->steps[0]);
	if (alone)
		run_hold(run, run->stop_ns);
	for (i = 1; i < sc->n_steps && !run->dead; i++)
		run_step(run, i);
	if (run->dead) {
		run->stop_ns = clock_now();
		crews_stop_at(run, &backdrop, run->stop_ns);
	}
	crews_finish(run, &backdrop, run->stop_ns);
	if (run->step)
		end_backdrop_step(run);
	payloads_finish(run, 0);
	run_check(run);
}
