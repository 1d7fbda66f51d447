// SPDX-License-Identifier: GPL-2.0
/* The ops of the scenario language: one row each, with what parses it and what does it. */
#include <ctype.h>
#include <string.h>

#include "cleanup.h"
#include "control.h"
#include "diag.h"
#include "parser.h"
#include "payload.h"
#include "quantity.h"
#include "request.h"
#include "run.h"

const char *parser_operand(struct parser *p, char **words, const char *expected)
{
	if (words[1] && !words[2])
		return words[1];
	if (words[1])
		parser_error(p, "'%s' after '%s %s': expected only %s", words[2], words[0],
			     words[1], expected);
	else
		parser_error(p, "%s: expected %s after it", words[0], expected);
	return NULL;
}

static void parse_duration(struct parser *p, char **words, struct op *op)
{
	const char *text = parser_operand(p, words, "a time");
	uint64_t ns;

	(void)op;
	if (!text)
		return;
	if (p->duration_line) {
		parser_error(p, "duration is already set in line %d", p->duration_line);
		return;
	}
	p->duration_line = p->line;
	if (duration_parse(text, &ns) || !ns || ns > SCENARIO_DURATION_MAX_NS)
		parser_error(p,
			     "duration '%s': expected a time above 0 and up to 24h, for example "
			     "20s or 500ms",
			     text);
	else if (!p->defaults->duration_ns)
		p->sc->duration_ns = ns;
}

/* Whether @part, up to a slash, may be the name of a file that the kernel has in every cgroup. */
static bool is_file_name(const char *part)
{
	static const char *const owners[] = {"cgroup", "cpu",  "cpuset",  "io",	  "memory", "pids",
					     "misc",   "rdma", "hugetlb", "dmem", "irq"};
	size_t len = strcspn(part, "./"), i;

	for (i = 0; part[len] == '.' && i < ARRAY_SIZE(owners); i++) {
		if (strlen(owners[i]) == len && !strncmp(part, owners[i], len))
			return true;
	}
	return false;
}

/* Names become directories below the run's root. */
static const char *cgroup_name_fault(const char *name)
{
	const char *part = name, *c;

	if (strlen(name) > 200)
		return "is longer than 200 bytes";
	if (!strncmp(name, "run.", 4))
		return "begins with 'run.', as those that the op run makes for its programs do";
	for (c = name; *c; c++) {
		if (!isalnum((unsigned char)*c) && !strchr("_-.:@/", *c))
			return "has other characters than letters, digits and _ - . : @ /";
	}
	for (;;) {
		size_t len = strcspn(part, "/");

		if (!len || part[0] == '.')
			return "has an empty part or one that begins with a dot";
		if (is_file_name(part))
			return "has a part that begins like one of the kernel's own files";
		if (!part[len])
			return NULL;
		part += len + 1;
	}
}

/* A cgroup that distributes controllers to others below holds no processes (cgroup-v2.rst). */
static void check_nesting(struct parser *p, const struct cgroup_def *def)
{
	size_t i;

	for (i = 0; i < p->sc->n_cgroups; i++) {
		const struct cgroup_def *other = p->sc->cgroups[i], *above;

		if (other == def || !cgroup_def_lives(p, other))
			continue;
		if (!strcmp(other->name, def->name)) {
			parser_error(p, "cgroup '%s' exists already, from line %d", def->name,
				     other->line);
			return;
		}
		above = cgroup_name_below(other->name, def->name)   ? def
			: cgroup_name_below(def->name, other->name) ? other
								    : NULL;
		if (above && cgroup_def_working(p, above)) {
			parser_error(p,
				     "cgroup '%s' has workers and others below it: expected "
				     "workers=0 there (cgroup v2 keeps processes in leaves)",
				     above->name);
			return;
		}
	}
}

/* Its workers would still wait for the start when an op acts on them. */
static void check_order(struct parser *p, const char *what)
{
	const struct step *step = parser_step(p);
	size_t i;

	for (i = 0; i < step->n_ops; i++) {
		const struct op *op = step->ops[i];

		if (!cgroup_def_starts(p, op->target) && !cgroup_def_starts(p, op->other))
			continue;
		parser_error(p,
			     "%s after '%s' in line %d: expected cgroups and workers before the "
			     "ops on those that start with them",
			     what, op->text, op->line);
		return;
	}
}

struct group_def *group_add(struct parser *p, struct cgroup_def *def)
{
	struct group_def *group = xcalloc(1, sizeof(*group));

	*group = (struct group_def){
		.cgroup = def,
		.line = p->line,
		.index = p->sc->n_groups,
		.step = p->sc->n_steps - 1,
		.where = def,
	};
	ptrlist_add(&def->groups, &def->n_groups, group);
	ptrlist_add(&p->sc->groups, &p->sc->n_groups, group);
	return group;
}

static void parse_cgroup(struct parser *p, char **words, struct op *op)
{
	struct cgroup_def *def;
	const char *fault;

	if (!words[1] || strchr(words[1], '=')) {
		parser_error(p, "cgroup: expected a name after it, then options: "
				"cgroup NAME [workers=N] [work=TYPE] [cpuset=SPEC]");
		return;
	}
	fault = cgroup_name_fault(words[1]);
	if (fault)
		parser_error(p, "cgroup name '%s' %s", words[1], fault);
	check_order(p, words[0]);
	def = xcalloc(1, sizeof(*def));
	def->name = xstrdup(words[1]);
	def->line = p->line;
	def->index = p->sc->n_cgroups;
	def->step = p->sc->n_steps - 1;
	op->cgroup = def;
	op->group = group_add(p, def);
	ptrlist_add(&p->sc->cgroups, &p->sc->n_cgroups, def);
	worker_keys_parse(p, words + 2, op->group, true);
	check_nesting(p, def);
}

static int apply_cgroup(struct run *run, const struct op *op)
{
	int ret = run_make_cgroup(run, op->cgroup);

	return ret ? ret : run_start_group(run, op->group);
}

/* More workers, for a cgroup that exists. */
static void parse_work(struct parser *p, char **words, struct op *op)
{
	struct cgroup_def *def;
	const struct cgroup_def *below;

	if (!words[1] || strchr(words[1], '=')) {
		parser_error(p, "work: expected the name of a cgroup after it, then options: "
				"work CGROUP [workers=N] [work=TYPE]");
		return;
	}
	def = cgroup_def_find(p, words[1]);
	if (!def)
		return;
	below = cgroup_def_below(p, def);
	if (below)
		parser_error(p,
			     "cgroup '%s' has '%s' below it: expected one that has not (cgroup v2 "
			     "keeps processes in leaves)",
			     def->name, below->name);
	if (def->frozen_line)
		parser_error(p, "cgroup '%s' is frozen since line %d: expected thaw before",
			     def->name, def->frozen_line);
	check_order(p, words[0]);
	op->group = group_add(p, def);
	worker_keys_parse(p, words + 2, op->group, false);
}

static int apply_work(struct run *run, const struct op *op)
{
	return run_start_group(run, op->group);
}

static void parse_spawn_root(struct parser *p, char **words, struct op *op)
{
	if (words[1] && !strchr(words[1], '=')) {
		parser_error(p,
			     "spawn-root: expected options after it, not '%s': spawn-root "
			     "[workers=N] [work=TYPE]",
			     words[1]);
		return;
	}
	check_order(p, words[0]);
	op->group = group_add(p, parser_root(p));
	worker_keys_parse(p, words + 1, op->group, false);
}

static void parse_step(struct parser *p, char **words, struct op *op)
{
	const char *name = parser_operand(p, words, "a name");
	struct step *step;
	size_t i;

	(void)op;
	if (!name)
		name = ""; /* reported; what follows still belongs to a step */
	for (i = 1; *name && i < p->sc->n_steps; i++) {
		if (!strcmp(p->sc->steps[i]->name, name))
			parser_error(p, "step '%s' exists already, from line %d", name,
				     p->sc->steps[i]->line);
	}
	step = xcalloc(1, sizeof(*step));
	step->name = xstrdup(name);
	step->line = p->line;
	ptrlist_add(&p->sc->steps, &p->sc->n_steps, step);
}

static int hold_parse(const char *text, struct step *step)
{
	_cleanup_free_ char *number = xstrdup(text);
	size_t len = strlen(number);

	if (!strcmp(text, "full")) {
		step->hold = HOLD_FULL;
		return 0;
	}
	if (len > 1 && number[len - 1] == '%') {
		number[len - 1] = '\0';
		step->hold = HOLD_PERCENT;
		return fraction_parse(number, &step->hold_percent) || step->hold_percent <= 0 ||
		       step->hold_percent > 100;
	}
	step->hold = HOLD_TIME;
	return duration_parse(text, &step->hold_ns) || !step->hold_ns ||
	       step->hold_ns > SCENARIO_DURATION_MAX_NS;
}

/* The current step, of which this line (@what) sets the hold, or NULL with the mistake told. */
static struct step *hold_begin(struct parser *p, const char *what)
{
	struct step *step = parser_step(p);

	if (p->sc->n_steps == 1) {
		parser_error(p, "%s before the first step: expected 'step NAME' first", what);
		return NULL;
	}
	if (step->hold != HOLD_MISSING) {
		parser_error(p, "step '%s' has its hold already, in line %d", step->name,
			     step->hold_line);
		return NULL;
	}
	step->hold_line = p->line;
	return step;
}

static void parse_hold(struct parser *p, char **words, struct op *op)
{
	const char *text = parser_operand(p, words, "full, a percentage or a time");
	struct step *step = text ? hold_begin(p, words[0]) : NULL;

	(void)op;
	if (!step || !hold_parse(text, step))
		return;
	step->hold_percent = step->hold_ns = 0;
	parser_error(p,
		     "hold '%s': expected full, a percentage up to 100%% or a time up "
		     "to 24h, for example 5s",
		     text);
}

static void parse_loop(struct parser *p, char **words, struct op *op)
{
	const char *text = parser_operand(p, words, "a time");
	struct step *step = text ? hold_begin(p, words[0]) : NULL;
	size_t i;

	(void)op;
	if (!step)
		return;
	step->hold = HOLD_FULL;
	if (duration_parse(text, &step->loop_ns) || step->loop_ns < NSEC_PER_MSEC ||
	    step->loop_ns > SCENARIO_DURATION_MAX_NS)
		parser_error(p, "loop '%s': expected a time from 1ms to 24h, for example 100ms",
			     text);
	for (i = 0; i < step->n_ops && step->ops[i]->row->once; i++)
		;
	if (i == step->n_ops)
		parser_error(p,
			     "loop: step '%s' has nothing to repeat: expected ops such as swap "
			     "or cpuset",
			     step->name);
}

const struct op_row op_rows[] = {
	{"duration", "duration T", parse_duration, NULL},
	{"cgroup", "cgroup NAME [KEY=VALUE...]", parse_cgroup, apply_cgroup, .once = true},
	{"work", "work CGROUP [KEY=VALUE...]", parse_work, apply_work, .once = true},
	{"spawn-root", "spawn-root [KEY=VALUE...]", parse_spawn_root, apply_work, .once = true},
	{"cpuset", "cpuset CGROUP SPEC|clear", parse_cpuset, apply_cpuset},
	{"swap", "swap CGROUP CGROUP", parse_swap, apply_swap},
	{"affinity", "affinity CGROUP SPEC", parse_affinity, apply_affinity},
	{"move", "move CGROUP CGROUP", parse_move, apply_move},
	{"stop", "stop CGROUP", parse_stop, apply_stop, .once = true},
	{"remove", "remove CGROUP", parse_remove, apply_remove, .once = true},
	{"freeze", "freeze CGROUP", parse_freeze, apply_freeze},
	{"thaw", "thaw CGROUP", parse_thaw, apply_thaw},
	{"sleep", "sleep T", parse_sleep, apply_sleep},
	{"assert-alive", "assert-alive", parse_assert_alive, apply_assert_alive},
	{"run", "run NAME [cgroup=CGROUP] [metric=REGEX...] -- COMMAND", parse_run, apply_run,
	 .once = true},
	{"wait", "wait NAME [T]", parse_wait, apply_wait, .once = true},
	{"kill", "kill NAME [SIGNAL]", parse_kill, apply_kill, .once = true},
	{"snapshot", "snapshot NAME", parse_request, apply_request},
	{"watch", "watch SYMBOL", parse_request, apply_request, .once = true},
	{"read", "read TARGET", parse_request, apply_request},
	{"write", "write TARGET VALUE", parse_request, apply_request},
	{"sched", "sched attach|detach|restart|replace [NAME]", parse_request, apply_request},
	{"step", "step NAME", parse_step, NULL},
	{"hold", "hold full|P%|T", parse_hold, NULL},
	{"loop", "loop T", parse_loop, NULL},
	{},
};
