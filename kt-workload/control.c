// SPDX-License-Identifier: GPL-2.0
#include "control.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "cleanup.h"
#include "cpuset_spec.h"
#include "crews.h"
#include "diag.h"
#include "names.h"
#include "quantity.h"
#include "run.h"

#define GRACE_NS       (10 * NSEC_PER_MSEC) /* after a change of CPUs both the old and new count */
#define FREEZE_WAIT_NS (2 * NSEC_PER_SEC)

bool cgroup_def_lives(const struct parser *p, const struct cgroup_def *def)
{
	return !def->removed_line && (def->step == 0 || def->step == p->sc->n_steps - 1);
}

/* The cgroup that is called so here, or NULL with the mistake told. */
static struct cgroup_def *def_find(struct parser *p, const char *name)
{
	_cleanup_free_ const char **names = NULL;
	struct cgroup_def *removed = NULL;
	size_t n = 0, i;

	for (i = 0; i < p->sc->n_cgroups; i++) {
		struct cgroup_def *def = p->sc->cgroups[i];

		if (cgroup_def_lives(p, def)) {
			if (!strcmp(def->name, name))
				return def;
			ptrlist_add(&names, &n, def->name);
		} else if (def->removed_line && !strcmp(def->name, name)) {
			removed = def;
		}
	}
	if (removed)
		parser_error(p, "cgroup '%s' was removed in line %d", name, removed->removed_line);
	else if (!n)
		parser_error(p, "unknown cgroup '%s': there is none here", name);
	else
		parser_error_take(p, unknown_name("cgroup", name, names));
	return NULL;
}

/* The same, with workers that no op has stopped. */
static struct cgroup_def *def_running(struct parser *p, const char *name)
{
	struct cgroup_def *def = def_find(p, name);

	if (!def)
		return NULL;
	if (def->stopped_line)
		parser_error(p, "the workers of cgroup '%s' were stopped in line %d", name,
			     def->stopped_line);
	else if (!def->workers)
		parser_error(p, "cgroup '%s' has no workers: expected one that has", name);
	else
		return def;
	return NULL;
}

/* For an op with one cgroup and nothing else. */
static struct cgroup_def *parse_target(struct parser *p, char **words, struct op *op)
{
	const char *name = parser_operand(p, words, "the name of a cgroup");

	op->target = name ? def_running(p, name) : NULL;
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
	char *why;

	if (!two_operands(p, words, "the name of a cgroup and a CPU set or 'clear'"))
		return;
	op->target = def_running(p, words[1]);
	op->clear = !strcmp(words[2], "clear");
	if (!op->clear && cpuset_spec_resolve(words[2], p->machine, &op->cpus, &why))
		parser_error_take(p, why);
	if (op->target)
		op->target->confined_now = !op->clear;
	p->sc->confines |= !op->clear;
}

void parse_swap(struct parser *p, char **words, struct op *op)
{
	int i;

	if (!two_operands(p, words, "the names of two cgroups"))
		return;
	op->target = def_running(p, words[1]);
	op->other = def_running(p, words[2]);
	if (op->target && op->target == op->other)
		parser_error(p, "swap: expected two different cgroups, not '%s' twice", words[1]);
	for (i = 1; i <= 2; i++) {
		const struct cgroup_def *def = i == 1 ? op->target : op->other;

		if (def && !def->confined_now)
			parser_error(p,
				     "swap: cgroup '%s' has no cpuset here: expected cpuset= or "
				     "the op cpuset before",
				     def->name);
	}
}

void parse_stop(struct parser *p, char **words, struct op *op)
{
	if (parse_target(p, words, op))
		op->target->stopped_line = p->line;
}

void parse_remove(struct parser *p, char **words, struct op *op)
{
	const char *name = parser_operand(p, words, "the name of a cgroup");
	struct cgroup_def *def = name ? def_find(p, name) : NULL;
	size_t len = def ? strlen(def->name) : 0, i;

	for (i = 0; def && i < p->sc->n_cgroups; i++) {
		const struct cgroup_def *below = p->sc->cgroups[i];

		if (cgroup_def_lives(p, below) && !strncmp(below->name, def->name, len) &&
		    below->name[len] == '/')
			parser_error(p,
				     "cgroup '%s' has '%s' below it: expected that to be removed "
				     "first",
				     def->name, below->name);
	}
	op->target = def;
	if (def)
		def->stopped_line = def->removed_line = p->line;
}

void parse_freeze(struct parser *p, char **words, struct op *op)
{
	parse_target(p, words, op);
}

void parse_thaw(struct parser *p, char **words, struct op *op)
{
	parse_target(p, words, op);
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

struct change {
	struct crew *crew;
	struct allowed to;
};

static struct crew *crew_of(struct run *run, const struct cgroup_def *def)
{
	return &run->crews[def->index];
}

/* Have the kernel confine the crew. */
static int confine(struct run *run, const struct change *c)
{
	const struct cpuset *cpus = c->to.confined ? &c->to.cpus : NULL;
	const struct cpuset *mask = cpus ? cpus : &run->machine->online;
	uint32_t i;

	if (run->confinement == CONFINED_CPUSET)
		return cgroup_confine(&run->tree, c->crew->def->name, cpus);
	for (i = 0; run->confinement == CONFINED_AFFINITY && i < c->crew->def->workers; i++) {
		const struct member *m = &c->crew->members[i];

		if (m->state == MEMBER_ALIVE &&
		    sched_setaffinity(m->pid, sizeof(*mask), (const cpu_set_t *)mask) &&
		    errno != ESRCH)
			return -errno;
	}
	return 0;
}

/* Let the workers be judged by both sets while the kernel moves them, then by the new one. */
static void allow_both(const struct change *c)
{
	struct cpuset both = c->to.cpus;

	cpuset_or(&both, &c->crew->now.cpus);
	crew_allow(c->crew, c->to.confined && c->crew->now.confined ? &both : NULL);
}

static void allow_new(struct run *run, const struct change *c)
{
	struct crew *crew = c->crew;

	if (!crew->life.confined)
		crew->life.cpus = run->machine->online;
	crew->life.confined |= c->to.confined;
	cpuset_or(&crew->life.cpus, c->to.confined ? &c->to.cpus : &run->machine->online);
	crew->now = c->to;
	crew_allow(crew, c->to.confined ? &c->to.cpus : NULL);
}

static int change_cpus(struct run *run, const struct change *changes, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		allow_both(&changes[i]);
	for (i = 0; i < n; i++) {
		int ret = confine(run, &changes[i]);
		_cleanup_free_ char *list = ret ? cpuset_format(&changes[i].to.cpus) : NULL;

		if (!ret)
			continue;
		run_error(run, "cannot change the CPUs of cgroup '%s' to '%s': %s",
			  changes[i].crew->def->name, list, strerror(-ret));
		return ret;
	}
	run_hold(run, clock_now() + GRACE_NS);
	for (i = 0; i < n; i++)
		allow_new(run, &changes[i]);
	return 0;
}

int apply_cpuset(struct run *run, const struct op *op)
{
	struct change c = {
		.crew = crew_of(run, op->target),
		.to = {.confined = !op->clear, .cpus = op->cpus},
	};

	return c.crew->stopped_ns ? 0 : change_cpus(run, &c, 1);
}

int apply_swap(struct run *run, const struct op *op)
{
	struct crew *a = crew_of(run, op->target), *b = crew_of(run, op->other);
	const struct change changes[] = {{.crew = a, .to = b->now}, {.crew = b, .to = a->now}};

	return a->stopped_ns || b->stopped_ns ? 0 : change_cpus(run, changes, 2);
}

int apply_stop(struct run *run, const struct op *op)
{
	const struct selection sel = {.crew = crew_of(run, op->target)};
	uint64_t now = clock_now();

	crews_stop_at(run, &sel, now);
	crews_finish(run, &sel, now);
	crew_of(run, op->target)->stopped_ns = now;
	return 0;
}

int apply_remove(struct run *run, const struct op *op)
{
	int ret = crew_of(run, op->target)->stopped_ns ? 0 : apply_stop(run, op);

	cgroup_remove(&run->tree, op->target->name);
	return ret;
}

int apply_freeze(struct run *run, const struct op *op)
{
	struct crew *crew = crew_of(run, op->target);
	uint64_t limit = clock_now() + FREEZE_WAIT_NS;
	int ret;

	if (crew->stopped_ns)
		return 0;
	ret = cgroup_freeze(&run->tree, op->target->name, true);
	if (ret) {
		run_error(run, "cannot freeze cgroup '%s': %s", op->target->name, strerror(-ret));
		return ret;
	}
	crew->frozen = true;
	while (!run->dead && !cgroup_is_frozen(&run->tree, op->target->name)) {
		if (clock_now() >= limit) {
			run_error(run, "cgroup '%s' did not freeze within 2 s", op->target->name);
			return -ETIMEDOUT;
		}
		run_hold(run, clock_now() + NSEC_PER_MSEC);
	}
	return 0;
}

int apply_thaw(struct run *run, const struct op *op)
{
	struct crew *crew = crew_of(run, op->target);
	int ret = crew->frozen ? cgroup_freeze(&run->tree, op->target->name, false) : 0;

	if (ret)
		run_error(run, "cannot thaw cgroup '%s': %s", op->target->name, strerror(-ret));
	else
		crew->frozen = false;
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
	run_check_scheduler(run);
	for (i = 0; i < run->n_made; i++) {
		const struct crew *crew = run->made[i];

		for (k = 0; !crew->stopped_ns && k < crew->def->workers; k++) {
			const struct member *m = &crew->members[k];

			if (m->state != MEMBER_GONE || atomic_load(&m->rec->state) == RECORD_DONE)
				continue;
			run_error(run, "assert-alive in line %d: worker %d of cgroup '%s' is dead",
				  op->line, m->pid, crew->def->name);
			return -ECHILD;
		}
	}
	return 0;
}
