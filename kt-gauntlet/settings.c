// SPDX-License-Identifier: GPL-2.0
#include "settings.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "exits.h"
#include "line.h"
#include "quantity.h"
#include "scenario.h"
#include "select.h"
#include "words.h"

/* What kt-workload runs for when nothing says (kt-workload(1)). */
#define RUN_DEFAULT_NS 12000000000ULL

/* As --work: leave the work types as the scenario has them. */
#define OWN_WORK "own"

void words_add(struct words *w, const char *word)
{
	ptrlist_add(&w->list, &w->n, word);
}

/* A negative errno of a step becomes the exit status that goes with it. */
static void step_check(int err, const char *why)
{
	if (err)
		die(err == -ENOENT ? EXIT_FAILURE : EXIT_USAGE, "%s", why);
}

/* A copy of @word fit for a message of one line. Caller frees. */
static char *one_line(const char *word)
{
	char *copy = xstrdup(word), *p;

	for (p = copy; (p = strchr(p, '\n'));)
		*p = '?';
	return copy;
}

void word_check(enum format format, const char *word)
{
	bool json = format == FORMAT_JSON || format == FORMAT_GITHUB;
	_cleanup_free_ char *shown = one_line(word);
	json_t *string;

	if ((format == FORMAT_LINES || format == FORMAT_NAMES) && !line_word_ok(word))
		die(EXIT_USAGE, "'%s': a newline cannot stand in a line of arguments", shown);
	if (!json)
		return;
	string = json_string(word);
	if (!string)
		die(EXIT_USAGE, "'%s': expected UTF-8, which is all that JSON can hold", shown);
	json_decref(string);
}

static void words_check(const struct settings *s)
{
	size_t i;

	if (s->list)
		return;
	for (i = 0; i < s->given.n; i++)
		word_check(s->format, s->given.list[i]);
	for (i = 0; s->command[i]; i++)
		word_check(s->format, s->command[i]);
}

static void topologies_add(struct matrix *m, struct settings *s)
{
	_cleanup_free_ char *why = NULL;
	const char *what;
	size_t i;
	int err;

	for (i = 0; i < s->topologies.n; i++) {
		err = presets_add(&s->all, s->topologies.list[i], &what);
		if (err == -EEXIST)
			die(EXIT_USAGE, "topology '%s' is given twice", s->topologies.list[i]);
		if (err)
			die(EXIT_USAGE, "topology '%s': %s", s->topologies.list[i], what);
	}
	presets_keep_named(&s->all);
	err = topologies_select(&s->constraints, &s->all, &why);
	step_check(err, why);
	for (i = 0; i < s->all.n; i++) {
		const struct preset *row = &s->all.rows[i];
		_cleanup_free_ char *spec = topology_format(&row->topology);
		_cleanup_free_ char *options = xasprintf("-t %s ", spec);

		if (!row->dropped_by)
			matrix_add(m, DIM_TOPOLOGY, row->name, NULL, options, NULL)->topology =
				row->topology;
	}
}

static void kernels_make(struct matrix *m, const struct settings *s)
{
	size_t i;

	for (i = 0; i < s->kernels.n; i++) {
		const char *label = s->kernels.rows[i].label;
		_cleanup_free_ char *part = part_name(label), *word = word_quote(label);
		_cleanup_free_ char *options = xasprintf("-k %s ", word);

		if (!part)
			die(EXIT_USAGE, "kernel '%s': expected a label or a file", label);
		matrix_add(m, DIM_KERNEL, part, NULL, options, NULL)->text = label;
	}
}

static void works_add(struct matrix *m, const struct settings *s)
{
	size_t i;

	if (s->works.n && (!*s->command || strcmp(base_name(*s->command), "kt-workload")))
		die(EXIT_USAGE, "--work: the command is '%s', expected kt-workload",
		    *s->command ? *s->command : "");
	for (i = 0; i < s->works.n; i++) {
		const char *work = s->works.list[i];
		_cleanup_free_ char *part = part_name(work), *option = xasprintf("--work=%s", work);
		_cleanup_free_ char *word = word_quote(option), *argument = xasprintf(" %s", word);
		bool own = !strcmp(work, OWN_WORK);

		if (!part)
			die(EXIT_USAGE, "work type '%s': expected one of kt-workload --list-work",
			    work);
		matrix_add(m, DIM_WORK, part, NULL, NULL, own ? NULL : argument)->text =
			own ? NULL : work;
	}
}

static void seeds_add(struct matrix *m, const char *text)
{
	const char *dots = strstr(text, "..");
	_cleanup_free_ char *first = dots ? xstrndup(text, dots - text) : xstrdup(text);
	int64_t from, to;

	if (number_parse(first, 0, INT64_MAX, &from) ||
	    number_parse(dots ? dots + 2 : first, from, INT64_MAX - 1, &to))
		die(EXIT_USAGE, "--seed '%s': expected a number from 0, or a range such as 1..9",
		    text);
	if (matrix_add_range(m, DIM_SEED, from, to))
		die(EXIT_USAGE, "--seed '%s': a seed is given twice", text);
}

/* Dimensions that nothing was given for have one value without a name. */
static void dimensions_fill(struct matrix *m)
{
	int d;

	for (d = 0; d < DIMS; d++) {
		if (!m->dims[d].n)
			matrix_add(m, d, NULL, NULL, NULL, NULL);
	}
}

/* Two variants whose runs would be kept in one directory are a mistake. */
static void names_check(const struct matrix *m)
{
	static const char *const words[DIMS] = {
		[DIM_TOPOLOGY] = "topologies",
		[DIM_SUBJECT] = "schedulers",
		[DIM_KERNEL] = "kernels",
		[DIM_WORK] = "work types",
	};
	size_t a, b, d;

	for (d = 0; d < DIMS; d++) {
		const struct value *values = m->dims[d].values;

		if (!matrix_same_parts(m, d, &a, &b))
			continue;
		if (d == DIM_SUBJECT)
			die(EXIT_USAGE, "schedulers '%s' and '%s' would share run directories",
			    values[a].subject.sched ? values[a].subject.sched : "none",
			    values[b].subject.sched ? values[b].subject.sched : "none");
		die(EXIT_USAGE, "%s '%s' and '%s' would share run directories", words[d],
		    values[a].text ? values[a].text : values[a].part[0].raw,
		    values[b].text ? values[b].text : values[b].part[0].raw);
	}
}

void globs_die(const struct settings *s, uint64_t variants)
{
	_cleanup_free_ char *hint = xstrdup("");
	size_t i, k;

	for (i = 0; i < s->all.n && !*hint; i++) {
		const struct preset *row = &s->all.rows[i];

		for (k = 0; k < s->globs.n && row->dropped_by; k++) {
			if (fnmatch(s->globs.list[k], row->name, 0))
				continue;
			free(hint);
			hint = xasprintf("; %s leaves out '%s'", row->dropped_by, row->name);
			break;
		}
	}
	die(EXIT_FAILURE, "--only '%s'%s matches none of %" PRIu64 " variants%s", s->globs.list[0],
	    s->globs.n > 1 ? " ..." : "", variants, hint);
}

void matrix_make(struct matrix *m, struct settings *s, uint64_t *run_ns)
{
	_cleanup_free_ char *scenario = *s->command ? scenario_name(s->command) : xstrdup("-");
	_cleanup_free_ char *why = NULL;
	size_t i;
	int err;

	if (!scenario)
		die(EXIT_USAGE, "command '%s': expected the name of a program", *s->command);
	words_check(s);
	*run_ns = RUN_DEFAULT_NS;
	if (*s->command) {
		err = scenarios_read(s->command, s->no_scenario ? NULL : &s->constraints, run_ns,
				     &why);
		step_check(err, why);
	}
	if (s->estimate_ns)
		*run_ns = s->estimate_ns;
	matrix_init(m, scenario);
	topologies_add(m, s);
	err = subjects_add(m, s->scheds.list, &s->declarations, &s->constraints, &why);
	step_check(err, why);
	kernels_make(m, s);
	works_add(m, s);
	for (i = 0; i < s->seeds.n; i++)
		seeds_add(m, s->seeds.list[i]);
	if (s->reps)
		matrix_add_range(m, DIM_REP, 1, s->reps);
	dimensions_fill(m);
	names_check(m);
	matrix_filter(m, s->globs.list);
}

void settings_free(struct settings *s)
{
	const struct words *lists[] = {&s->topologies, &s->globs, &s->scheds,	 &s->works,
				       &s->seeds,      &s->vmm,	  &s->histories, &s->given};
	size_t i;

	presets_free(&s->all);
	constraints_free(&s->constraints);
	for (i = 0; i < s->declarations.n; i++)
		flags_free(&s->declarations.rows[i]);
	free(s->declarations.rows);
	free(s->declarations.files);
	kernels_free(&s->kernels);
	for (i = 0; i < ARRAY_SIZE(lists); i++)
		free(lists[i]->list);
}
