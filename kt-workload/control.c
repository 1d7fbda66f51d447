// SPDX-License-Identifier: GPL-2.0
#include "control.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "cleanup.h"
#include "cpuset_spec.h"
#include "crews.h"
#include "diag.h"
#include "placement.h"
#include "payload.h"
#include "quantity.h"
#include "run.h"

#define FREEZE_WAIT_NS (2 * NSEC_PER_SEC)

/* @def, or NULL with the mistake told when it is what is outside of the cgroups. */
static struct cgroup_def *not_root(struct parser *p, struct cgroup_def *def, const char *what)
{
	if (!def || !def->at_root)
		return def;
	parser_error(p, "%s: expected one of the scenario's cgroups, not '/'", what);
	return NULL;
}

/* For an op with one cgroup and nothing else. */
static struct cgroup_def *parse_target(struct parser *p, char **words, struct op *op)
{
	const char *name = parser_operand(p, words, "the name of a cgroup");

	op->target = name ? cgroup_def_find_working(p, name) : NULL;
	return op->target;
}

/* Whether there are two operands after the op's name. */
static bool two_operands(struct parser *p, char **words, const char *expected)
{
	if (words[1] && words[2] && !words[3])
		return true;
	parser_error(p, "%s: expected %s after it", words[0], expected);
	return false;
}

void parse_cpuset(struct parser *p, char **words, struct op *op)
{
	const struct cgroup_def *above;
	char *why;

	if (!two_operands(p, words, "the name of a cgroup and a CPU set or 'clear'"))
		return;
	op->target = not_root(p, cgroup_def_find_working(p, words[1]), words[0]);
	above = op->target ? cgroup_def_above(p, op->target, false) : NULL;
	op->clear = !strcmp(words[2], "clear") && !above;
	if (!strcmp(words[2], "clear"))
		op->cpus = above ? above->cpus_now : op->cpus;
	else if (cpuset_spec_resolve(words[2], p->machine, &op->cpus, &why))
		parser_error_take(p, why);
	else if (op->target && !cgroup_def_may_have(p, op->target, &op->cpus))
		return;
	if (op->target) {
		op->target->confined_now = !op->clear;
		op->target->cpus_now = op->cpus;
	}
	p->sc->confines |= !op->clear;
}

void parse_swap(struct parser *p, char **words, struct op *op)
{
	struct cpuset cpus;

	if (!two_operands(p, words, "the names of two cgroups"))
		return;
	op->target = not_root(p, cgroup_def_find_working(p, words[1]), words[0]);
	if (op->target)
		op->other = not_root(p, cgroup_def_find_working(p, words[2]), words[0]);
	if (!op->other)
		return;
	if (op->target == op->other)
		parser_error(p, "swap: expected two different cgroups, not '%s' twice", words[1]);
	else if (!op->target->confined_now || !op->other->confined_now)
		parser_error(p,
			     "swap: cgroup '%s' has no cpuset here: expected cpuset= or the op "
			     "cpuset before",
			     (op->target->confined_now ? op->other : op->target)->name);
	if (!cgroup_def_may_have(p, op->target, &op->other->cpus_now) ||
	    !cgroup_def_may_have(p, op->other, &op->target->cpus_now))
		return;
	cpus = op->target->cpus_now;
	op->target->cpus_now = op->other->cpus_now;
	op->other->cpus_now = cpus;
}

void parse_affinity(struct parser *p, char **words, struct op *op)
{
	char *why;

	if (!two_operands(p, words, "the name of a cgroup and a CPU affinity"))
		return;
	op->target = cgroup_def_find_working(p, words[1]);
	if (op->target && affinity_parse(words[2], p->machine, cgroup_def_cpus(p, op->target),
					 &op->affinity, &why))
		parser_error_take(p, why);
}

/* Whether what is in @from may be moved to @to. */
static bool check_move(struct parser *p, const struct cgroup_def *from, const struct cgroup_def *to)
{
	const struct cgroup_def *below = cgroup_def_below(p, to);
	size_t i;

	if (from == to) {
		parser_error(p, "move: expected two different cgroups, not '%s' twice", to->name);
		return false;
	}
	if (below) {
		parser_error(p,
			     "cgroup '%s' has '%s' below it: expected one that has not (cgroup v2 "
			     "keeps processes in leaves)",
			     to->name, below->name);
		return false;
	}
	for (i = 0; i < p->sc->n_groups; i++) {
		const struct group_def *group = p->sc->groups[i];

		if (group->where != from || !group_runs(p, group) || group->step == to->step ||
		    !to->step)
			continue;
		parser_error(
			p,
			"cgroup '%s' ends with this step, but workers of '%s' live on: expected "
			"a cgroup that lives as long",
			to->name, from->name);
		return false;
	}
	return true;
}

void parse_move(struct parser *p, char **words, struct op *op)
{
	size_t i;

	if (!two_operands(p, words, "the names of two cgroups"))
		return;
	op->target = cgroup_def_find_working(p, words[1]);
	op->other = op->target ? cgroup_def_find(p, words[2]) : NULL;
	if (!op->other || !check_move(p, op->target, op->other))
		return;
	for (i = 0; i < p->sc->n_groups; i++) {
		struct group_def *group = p->sc->groups[i];

		if (group->where == op->target && group_runs(p, group))
			group->where = op->other;
	}
}

/* The workers that are in @def are stopped by the current line. */
static void mark_stopped(struct parser *p, const struct cgroup_def *def)
{
	size_t i;

	for (i = 0; i < p->sc->n_groups; i++) {
		struct group_def *group = p->sc->groups[i];

		if (group->where == def && group_runs(p, group))
			group->stopped_line = p->line;
	}
}

void parse_stop(struct parser *p, char **words, struct op *op)
{
	if (parse_target(p, words, op))
		mark_stopped(p, op->target);
}

void parse_remove(struct parser *p, char **words, struct op *op)
{
	const char *name = parser_operand(p, words, "the name of a cgroup");
	struct cgroup_def *def = name ? not_root(p, cgroup_def_find(p, name), words[0]) : NULL;
	const struct cgroup_def *below = def ? cgroup_def_below(p, def) : NULL;

	if (below)
		parser_error(p, "cgroup '%s' has '%s' below it: expected that to be removed first",
			     def->name, below->name);
	if (def)
		check_no_payload(p, def);
	op->target = def;
	if (!def)
		return;
	mark_stopped(p, def);
	def->removed_line = p->line;
}

void parse_freeze(struct parser *p, char **words, struct op *op)
{
	op->target = not_root(p, parse_target(p, words, op), words[0]);
	if (op->target)
		op->target->frozen_line = p->line;
}

void parse_thaw(struct parser *p, char **words, struct op *op)
{
	op->target = not_root(p, parse_target(p, words, op), words[0]);
	if (op->target)
		op->target->frozen_line = 0;
}

void parse_sleep(struct parser *p, char **words, struct op *op)
{
	const char *text = parser_operand(p, words, "a time");

	if (!text)
		return;
	if (duration_parse(text, &op->ns) || !op->ns || op->ns > SCENARIO_DURATION_MAX_NS)
		parser_error(p,
			     "sleep '%s': expected a time above 0 and up to 24h, for example "
			     "500ms",
			     text);
	else
		parser_step(p)->sleep_ns += op->ns;
}

void parse_assert_alive(struct parser *p, char **words, struct op *op)
{
	(void)op;
	if (words[1])
		parser_error(p, "assert-alive: expected nothing after it, not '%s'", words[1]);
}

static struct place *place_of(struct run *run, const struct cgroup_def *def)
{
	return &run->places[def->index];
}

int apply_cpuset(struct run *run, const struct op *op)
{
	struct change c = {
		.place = place_of(run, op->target),
		.to = {.confined = !op->clear, .cpus = op->cpus},
	};

	return placement_change(run, &c, c.place->made ? 1 : 0);
}

int apply_swap(struct run *run, const struct op *op)
{
	struct place *a = place_of(run, op->target), *b = place_of(run, op->other);
	const struct change changes[] = {{.place = a, .to = b->now}, {.place = b, .to = a->now}};

	return placement_change(run, changes, a->made && b->made ? 2 : 0);
}

int apply_affinity(struct run *run, const struct op *op)
{
	return placement_affinity(run, place_of(run, op->target), &op->affinity);
}

int apply_move(struct run *run, const struct op *op)
{
	struct place *from = place_of(run, op->target), *to = place_of(run, op->other);

	return from->made && to->made ? placement_move(run, from, to) : 0;
}

int apply_stop(struct run *run, const struct op *op)
{
	const struct selection sel = {.place = place_of(run, op->target)};
	uint64_t now = clock_now();
	struct crew *crew;

	crews_stop_at(run, &sel, now);
	crews_finish(run, &sel, now);
	crews_for_each(crew, run, &(struct selection){.place = sel.place}) crew->stopped_ns = now;
	return 0;
}

int apply_remove(struct run *run, const struct op *op)
{
	int ret = apply_stop(run, op);

	run_remove_cgroup(run, op->target);
	return ret;
}

int apply_freeze(struct run *run, const struct op *op)
{
	struct place *place = place_of(run, op->target);
	uint64_t limit = clock_now() + FREEZE_WAIT_NS;
	int ret;

	if (!place->made)
		return 0;
	ret = cgroup_freeze(&run->tree, op->target->name, true);
	if (ret) {
		run_error(run, op->line, "cannot freeze cgroup '%s': %s", op->target->name,
			  strerror(-ret));
		return ret;
	}
	place->frozen = true;
	while (!run->dead && !cgroup_is_frozen(&run->tree, op->target->name)) {
		if (clock_now() >= limit) {
			run_error(run, op->line, "cgroup '%s' did not freeze within 2 s",
				  op->target->name);
			return -ETIMEDOUT;
		}
		run_hold(run, clock_now() + NSEC_PER_MSEC);
	}
	return 0;
}

int apply_thaw(struct run *run, const struct op *op)
{
	struct place *place = place_of(run, op->target);
	int ret = place->frozen ? cgroup_freeze(&run->tree, op->target->name, false) : 0;

	if (ret)
		run_error(run, op->line, "cannot thaw cgroup '%s': %s", op->target->name,
			  strerror(-ret));
	else
		place->frozen = false;
	return ret;
}

int apply_sleep(struct run *run, const struct op *op)
{
	run_hold(run, clock_now() + op->ns);
	return 0;
}

int apply_assert_alive(struct run *run, const struct op *op)
{
	size_t i;
	uint32_t k;

	run_wait_signal(run, clock_now()); /* who has died by now */
	run_check(run);
	for (i = 0; i < run->n_made; i++) {
		const struct crew *crew = run->made[i];

		for (k = 0; !crew->stopped_ns && k < crew->def->workers; k++) {
			const struct member *m = &crew->members[k];

			if (m->state != MEMBER_GONE || atomic_load(&m->rec->state) == RECORD_DONE)
				continue;
			run_error(run, op->line, "assert-alive: worker %d of cgroup '%s' is dead",
				  m->pid, crew->def->cgroup->name);
			return -ECHILD;
		}
	}
	return 0;
}
