// SPDX-License-Identifier: GPL-2.0
/* Reading scenario scripts: lines, the dispatch over the op table, and what only shows at the end.
 */
#include "scenario.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "names.h"
#include "parser.h"
#include "payload.h"
#include "request.h"
#include "words.h"

#define DURATION_DEFAULT_NS (12 * NSEC_PER_SEC)
#define WORKERS_DEFAULT	    2
#define MISTAKES_MAX	    20

static void report(struct parser *p, int line, const char *text)
{
	p->mistakes++;
	if (p->mistakes <= MISTAKES_MAX)
		warn("%s:%d: %s", p->file, line, text);
	else if (p->mistakes == MISTAKES_MAX + 1)
		warn("%s: more mistakes follow", p->file);
}

void parser_error(struct parser *p, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	report(p, p->line, n < 0 ? fmt : text);
}

void parser_error_at(struct parser *p, int line, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	report(p, line, n < 0 ? fmt : text);
}

void parser_error_take(struct parser *p, char *why)
{
	report(p, p->line, why);
	free(why);
}

struct step *parser_step(struct parser *p)
{
	return p->sc->steps[p->sc->n_steps - 1];
}

static const struct op_row *op_find(struct parser *p, const char *name)
{
	_cleanup_free_ const char **names = NULL;
	const struct op_row *row;
	size_t n = 0;

	for (row = op_rows; row->name; row++) {
		if (!strcmp(row->name, name))
			return row;
		ptrlist_add(&names, &n, row->name);
	}
	parser_error_take(p, unknown_name("op", name, names));
	return NULL;
}

static char *words_join(char **words)
{
	char *text = xstrdup(words[0]);

	while (*++words) {
		char *more = xasprintf("%s %s", text, *words);

		free(text);
		text = more;
	}
	return text;
}

static void op_free(struct op *op)
{
	request_free(op->request);
	affinity_free(&op->affinity);
	free(op->text);
	free(op);
}

static void parse_line(struct parser *p, const char *line)
{
	const struct op_row *row;
	const char *why;
	struct step *step;
	struct op *op = NULL;
	char **words = words_split(line, &why);

	if (!words) {
		parser_error(p, "%s", why);
		return;
	}
	row = words[0] ? op_find(p, words[0]) : NULL;
	if (row && row->apply) {
		op = xcalloc(1, sizeof(*op));
		*op = (struct op){.row = row, .line = p->line, .text = words_join(words)};
	}
	step = row ? parser_step(p) : NULL;
	if (op && step->hold != HOLD_MISSING)
		parser_error(p, "'%s' after the hold of step '%s': expected 'step NAME' first",
			     words[0], step->name);
	if (row)
		row->parse(p, words, op);
	if (op)
		ptrlist_add(&step->ops, &step->n_ops, op);
	words_free(words);
}

/* Holds in time, once the duration is known. */
static void resolve_holds(struct parser *p)
{
	struct scenario *sc = p->sc;
	uint64_t used = sc->steps[0]->sleep_ns;
	size_t i;

	if (sc->n_steps == 1 && used > sc->duration_ns)
		parser_error(p, "sleeps of %gs in all: expected no more than the duration of %gs",
			     used / 1e9, sc->duration_ns / 1e9);
	for (i = 1; i < sc->n_steps; i++) {
		struct step *step = sc->steps[i];

		used += step->sleep_ns;
		switch (step->hold) {
		case HOLD_MISSING:
			if (*step->name) /* else its line is wrong already */
				parser_error_at(p, step->line,
						"step '%s' has no hold: expected 'hold full', "
						"'hold 30%%' or 'hold 5s' at its end",
						step->name);
			continue;
		case HOLD_PERCENT:
			step->hold_ns = sc->duration_ns / 100.0 * step->hold_percent;
			break;
		case HOLD_FULL:
			if (used >= sc->duration_ns)
				parser_error_at(p, step->hold_line,
						"%s: the steps before have used up the "
						"duration of %gs",
						step->loop_ns ? "loop" : "hold full",
						sc->duration_ns / 1e9);
			else
				step->hold_ns = sc->duration_ns - used;
			break;
		case HOLD_TIME:
			break;
		}
		used += step->hold_ns;
	}
}

static void check_totals(struct parser *p)
{
	uint64_t workers = 0;
	size_t i;

	for (i = 0; i < p->sc->n_groups; i++)
		workers += p->sc->groups[i]->workers;
	if (workers > SCENARIO_WORKERS_MAX)
		parser_error(p, "%llu workers in all: expected at most %d",
			     (unsigned long long)workers, SCENARIO_WORKERS_MAX);
	if (!workers && !p->sc->n_payloads && !p->mistakes)
		parser_error(p, "no workers: expected at least one cgroup, for example "
				"'cgroup NAME workers=2 work=spin-wait'");
}

/* Something else than text is no script at all, and one message says so. */
static bool check_text(struct parser *p, const char *line, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if ((unsigned char)line[i] >= ' ' || (line[i] && strchr("\t\r\n", line[i])))
			continue;
		parser_error(p, "byte 0x%02x: expected text", (unsigned char)line[i]);
		return false;
	}
	return true;
}

static void parse_stream(struct parser *p, FILE *f)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, f)) >= 0 && p->mistakes <= MISTAKES_MAX) {
		p->line++;
		if (!check_text(p, line, n))
			return;
		parse_line(p, line);
	}
	if (ferror(f)) {
		warn("cannot read '%s': %s: expected a scenario script", p->file, strerror(errno));
		p->mistakes++;
	}
}

static void parse_file(struct parser *p)
{
	_cleanup_fclose_ FILE *f = NULL;

	if (!strcmp(p->file, "-")) {
		parse_stream(p, stdin);
		return;
	}
	f = fopen(p->file, "re");
	if (!f) {
		warn("cannot open '%s': %s: expected a scenario script, or - for stdin", p->file,
		     strerror(errno));
		p->mistakes++;
		return;
	}
	parse_stream(p, f);
}

/* "dir/name.kt" is "name". */
static char *scenario_name(const char *file)
{
	const char *base = strrchr(file, '/');
	size_t len;

	base = base ? base + 1 : file;
	len = strlen(base);
	if (len > 3 && !strcmp(base + len - 3, ".kt"))
		len -= 3;
	return xstrndup(base, len);
}

/* What is outside of the cgroups is told of after them. */
static void root_complete(struct scenario *sc)
{
	if (!sc->root)
		return;
	sc->root->index = sc->n_cgroups;
	ptrlist_add(&sc->cgroups, &sc->n_cgroups, sc->root);
}

struct scenario *scenario_read(const char *file, const char *const *lines,
			       const struct scenario_defaults *defaults, const struct machine *m)
{
	struct parser p = {.machine = m, .defaults = defaults, .file = file ? file : "-e"};
	struct scenario *sc = xcalloc(1, sizeof(*sc));
	struct step *backdrop = xcalloc(1, sizeof(*backdrop));

	p.sc = sc;
	sc->file = p.file;
	sc->name = file ? scenario_name(file) : xstrdup("-e");
	sc->duration_ns = defaults->duration_ns ? defaults->duration_ns : DURATION_DEFAULT_NS;
	sc->workers = defaults->workers ? defaults->workers : WORKERS_DEFAULT;
	ptrlist_add(&sc->steps, &sc->n_steps, backdrop);
	if (file) {
		parse_file(&p);
	} else {
		for (; *lines; lines++) {
			p.line++;
			if (check_text(&p, *lines, strlen(*lines)))
				parse_line(&p, *lines);
		}
	}
	p.line += !p.line; /* what an empty script lacks it lacks in its first line */
	root_complete(sc);
	resolve_holds(&p);
	if (!p.mistakes)
		check_totals(&p);
	if (!p.mistakes)
		return sc;
	scenario_free(sc);
	return NULL;
}

static void group_free(struct group_def *group)
{
	work_spec_free(&group->work);
	policy_free(&group->policy);
	affinity_free(&group->affinity);
	mempolicy_free(&group->mempolicy);
	free(group);
}

static void cgroup_def_free(struct cgroup_def *def)
{
	size_t i;

	for (i = 0; i < def->n_settings; i++)
		free(def->settings[i].value);
	for (i = 0; def->options && i < worker_keys_count(); i++)
		free(def->options[i]);
	free(def->settings);
	free(def->options);
	free(def->groups);
	free(def->name);
	free(def);
}

void scenario_free(struct scenario *sc)
{
	size_t i, o;

	if (!sc)
		return;
	for (i = 0; i < sc->n_groups; i++)
		group_free(sc->groups[i]);
	for (i = 0; i < sc->n_cgroups; i++)
		cgroup_def_free(sc->cgroups[i]);
	for (i = 0; i < sc->n_steps; i++) {
		for (o = 0; o < sc->steps[i]->n_ops; o++)
			op_free(sc->steps[i]->ops[o]);
		free(sc->steps[i]->ops);
		free(sc->steps[i]->name);
		free(sc->steps[i]);
	}
	for (i = 0; i < sc->n_payloads; i++)
		payload_def_free(sc->payloads[i]);
	free(sc->payloads);
	free(sc->groups);
	free(sc->cgroups);
	free(sc->steps);
	free(sc->name);
	free(sc);
}
