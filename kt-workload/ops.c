// SPDX-License-Identifier: GPL-2.0
/* The ops of the scenario language: one row each, with what parses it and what does it. */
#include <ctype.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "parser.h"
#include "quantity.h"
#include "run.h"

/* The one operand of a line. Returns NULL when there is none or more than one. */
static const char *one_operand(struct parser *p, char **words, const char *expected)
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
	const char *text = one_operand(p, words, "a time");
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

/* Names become directories below the run's root. */
static const char *cgroup_name_fault(const char *name)
{
	const char *part = name, *c;

	if (strlen(name) > 200)
		return "is longer than 200 bytes";
	for (c = name; *c; c++) {
		if (!isalnum((unsigned char)*c) && !strchr("_-.:@/", *c))
			return "has other characters than letters, digits and _ - . : @ /";
	}
	for (;;) {
		size_t len = strcspn(part, "/");

		if (!len || part[0] == '.')
			return "has an empty part or one that begins with a dot";
		if (!strncmp(part, "cgroup.", 7))
			return "has a part that begins with 'cgroup.', as the kernel's own files do";
		if (!part[len])
			return NULL;
		part += len + 1;
	}
}

/* Whether @def still exists in the step that is being parsed. */
static bool cgroup_alive(struct parser *p, const struct cgroup_def *def)
{
	return def->step == 0 || def->step == p->sc->n_steps - 1;
}

/* Whether @name lies below @above ("a/b" below "a"). */
static bool name_below(const char *name, const char *above)
{
	size_t len = strlen(above);

	return !strncmp(name, above, len) && name[len] == '/';
}

/* A cgroup that distributes controllers to others below holds no processes (cgroup-v2.rst). */
static void check_nesting(struct parser *p, const struct cgroup_def *def)
{
	size_t i;

	for (i = 0; i < p->sc->n_cgroups; i++) {
		const struct cgroup_def *other = p->sc->cgroups[i], *above;

		if (other == def || !cgroup_alive(p, other))
			continue;
		if (!strcmp(other->name, def->name)) {
			parser_error(p, "cgroup '%s' exists already, from line %d", def->name,
				     other->line);
			return;
		}
		above = name_below(other->name, def->name)   ? def
			: name_below(def->name, other->name) ? other
							     : NULL;
		if (above && above->workers) {
			parser_error(p,
				     "cgroup '%s' has workers and others below it: expected "
				     "workers=0 there (cgroup v2 keeps processes in leaves)",
				     above->name);
			return;
		}
	}
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
	def = xcalloc(1, sizeof(*def));
	def->name = xstrdup(words[1]);
	def->line = p->line;
	def->index = p->sc->n_cgroups;
	def->step = p->sc->n_steps - 1;
	worker_keys_parse(p, words + 2, def);
	check_nesting(p, def);
	ptrlist_add(&p->sc->cgroups, &p->sc->n_cgroups, def);
	op->cgroup = def;
}

static int apply_cgroup(struct run *run, const struct op *op)
{
	return run_make_cgroup(run, op->cgroup);
}

static void parse_step(struct parser *p, char **words, struct op *op)
{
	const char *name = one_operand(p, words, "a name");
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

static void parse_hold(struct parser *p, char **words, struct op *op)
{
	const char *text = one_operand(p, words, "full, a percentage or a time");
	struct step *step = parser_step(p);

	(void)op;
	if (!text)
		return;
	if (p->sc->n_steps == 1) {
		parser_error(p, "hold before the first step: expected 'step NAME' first");
		return;
	}
	if (step->hold != HOLD_MISSING) {
		parser_error(p, "step '%s' has its hold already, in line %d", step->name,
			     step->hold_line);
		return;
	}
	step->hold_line = p->line;
	if (hold_parse(text, step))
		parser_error(p,
			     "hold '%s': expected full, a percentage up to 100%% or a time up "
			     "to 24h, for example 5s",
			     text);
}

const struct op_row op_rows[] = {
	{"duration", "duration T", parse_duration, NULL},
	{"cgroup", "cgroup NAME [KEY=VALUE...]", parse_cgroup, apply_cgroup},
	{"step", "step NAME", parse_step, NULL},
	{"hold", "hold full|P%|T", parse_hold, NULL},
	{},
};
