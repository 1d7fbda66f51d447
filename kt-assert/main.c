// SPDX-License-Identifier: GPL-2.0
/* kt-assert: judge what a run measured against thresholds. Options, wiring and exit status. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "compare.h"
#include "diag.h"
#include "exits.h"
#include "judge.h"
#include "options.h"
#include "policy.h"
#include "quantity.h"
#include "report.h"
#include "report_compare.h"
#include "trend.h"

enum {
	OPT_POLICY = 1,
	OPT_RELAXED,
	OPT_NO_RELAXED,
	OPT_EXPLAIN,
	OPT_LIST,
	OPT_FORMAT,
	OPT_EXPECT_FAIL,
	OPT_EXPECT_ERROR,
	OPT_ALLOW_INCONCLUSIVE,
	OPT_NO_SKIP,
	OPT_MONITOR,
	OPT_STEP,
	OPT_EACH_STEP,
	OPT_QUIET,
	OPT_VERBOSE,
	OPT_SERIES,
	OPT_BASELINE,
	OPT_METRIC, /* this and those up to OPT_ACROSS go with --baseline */
	OPT_RELATIVE_GATE,
	OPT_ABSOLUTE_GATE,
	OPT_ALPHA,
	OPT_ACROSS,
	OPT_TREND,			  /* and up: the patterns, by position */
	OPT_CHECK = OPT_TREND + TRENDS_N, /* and up: the checks, by position */
};

static const struct option_row general_rows[] = {
	{"policy", 'p', "FILE", "lay a policy file over the defaults; more may follow", OPT_POLICY},
	{"relaxed", 0, NULL, "defaults for emulated and oversubscribed VMs", OPT_RELAXED},
	{"no-relaxed", 0, NULL, "strict defaults, whatever run.json says", OPT_NO_RELAXED},
	{"expect-fail", 0, NULL, "a fail counts as a pass and a pass as a fail", OPT_EXPECT_FAIL},
	{"expect-error", 0, "TEXT|/REGEX/", "the same, and the scheduler's exit message must match",
	 OPT_EXPECT_ERROR},
	{"allow-inconclusive", 0, NULL, "inconclusive counts as a pass", OPT_ALLOW_INCONCLUSIVE},
	{"no-skip", 0, NULL, "skip counts as a fail", OPT_NO_SKIP},
	{"monitor", 0, "FILE", "monitor data of the run, instead of RUNDIR/monitor.jsonl",
	 OPT_MONITOR},
	{"step", 0, "NAME", "judge what happened in that step only", OPT_STEP},
	{"each-step", 0, NULL, "judge each step by itself, instead of the run", OPT_EACH_STEP},
	{"format", 0, "FORMAT", "text (default), json, tap or junit", OPT_FORMAT},
	{"explain", 0, NULL, "print each threshold and where it is from, as a policy", OPT_EXPLAIN},
	{"list-checks", 0, NULL, "print the checks with unit, direction and default", OPT_LIST},
	{"quiet", 'q', NULL, "print no verdict, only exit with it", OPT_QUIET},
	{"verbose", 'v', NULL, "print stats for a pass too", OPT_VERBOSE},
	{"series", 0, NULL, "operands are samples over time: snapshots, JSON Lines", OPT_SERIES},
	{"baseline", 0, NULL, "compare the runs after -- with those before it", OPT_BASELINE},
	{"metric", 0, "METRIC", "compare this one only; more may follow", OPT_METRIC},
	{"relative-gate", 0, "PCT|METRIC=PCT", "smaller changes are none (5)", OPT_RELATIVE_GATE},
	{"absolute-gate", 0, "METRIC=X", "the same, in the metric's unit", OPT_ABSOLUTE_GATE},
	{"alpha", 0, "P", "how often equal runs may seem to be worse (0.04)", OPT_ALPHA},
	{"across", 0, "DIM", "compare although scenario, topology or kernel differ", OPT_ACROSS},
	{NULL, 0, NULL, "Checks (takes off as its value, but for --sustained-samples)", 0},
};

/* The patterns stand behind a heading of their own. */
#define ROWS_MAX (ARRAY_SIZE(general_rows) + CHECKS_MAX + 1 + TRENDS_N)

struct settings {
	struct policy policy;
	struct judge_options judge;
	const struct report_format *format;
	bool explain, list, quiet, verbose;
	bool series, baseline;
	struct trends trends;
	struct compare_options compare;
	const char *compare_option; /* one that goes with --baseline */
	size_t n_before;	    /* operands before -- */
	/* Command-line values by check: laid over all policy files, whatever the order of options.
	 */
	bool given[CHECKS_MAX];
	const char *value[CHECKS_MAX];
};

static const char epilogue[] =
	"Reads stats JSON (kt-stats/1) from FILE, RUNDIR/stats.json, or stdin for - or nothing.\n"
	"Exits with 0 pass or skip, 1 fail, 2 inconclusive, 64 usage, 65 bad input.";

static void fill_rows(struct option_row rows[ROWS_MAX])
{
	size_t i;

	memcpy(rows, general_rows, sizeof(general_rows));
	for (i = 0; i < checks_n; i++) {
		const struct check *c = &checks[i];

		rows[ARRAY_SIZE(general_rows) + i] = (struct option_row){
			.name = c->name,
			.arg = c->kind == VALUE_SWITCH ? "[on|off]" : c->arg,
			.help = c->help,
			.id = OPT_CHECK + i,
		};
	}
	rows += ARRAY_SIZE(general_rows) + checks_n;
	*rows++ = (struct option_row){.help = "Patterns over the samples of a series"};
	for (i = 0; i < TRENDS_N; i++)
		rows[i] = (struct option_row){
			.name = trend_types[i].name,
			.arg = trend_types[i].arg,
			.help = trend_types[i].help,
			.id = OPT_TREND + i,
		};
}

static const struct report_format *format_find(const char *name)
{
	static const struct report_format *const formats[] = {
		&report_format_text, &report_format_json, &report_format_tap, &report_format_junit};
	const char *names[ARRAY_SIZE(formats) + 1] = {NULL}, *near;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		names[i] = formats[i]->name;
		if (!strcmp(name, names[i]))
			return formats[i];
	}
	near = nearest_name(name, names);
	if (near)
		die(EXIT_USAGE, "unknown format '%s': did you mean '%s'?", name, near);
	die(EXIT_USAGE, "unknown format '%s': expected text, json, tap or junit", name);
}

static void read_policy(struct settings *s, const char *path)
{
	_cleanup_free_ char *message = NULL;

	if (policy_read(&s->policy, path, &message))
		die(EXIT_BAD_INPUT, "%s", message);
}

static void expect_error(struct judge_options *o, const char *text)
{
	_cleanup_free_ char *wrong = NULL;

	pattern_free(&o->expect_error);
	if (pattern_init(&o->expect_error, text, &wrong))
		die(EXIT_USAGE, "--expect-error '%s': %s", text, wrong);
	o->expect_fail = true;
}

static void add_trend(struct settings *s, const struct trend_type *type, const char *value)
{
	_cleanup_free_ char *why = NULL;

	if (trends_add(&s->trends, type, value, &why))
		die(EXIT_USAGE, "--%s: %s", type->name, why);
}

static void take_compare_option(struct settings *s, int id, const char *value)
{
	_cleanup_free_ char *why = NULL;
	struct compare_options *o = &s->compare;
	const struct option_row *row = general_rows;
	int err = 0;

	while (row->id != id)
		row++;
	s->compare_option = row->name;
	if (id == OPT_METRIC)
		err = compare_choose(o, value, &why);
	else if (id == OPT_ACROSS)
		err = compare_across(o, value, &why);
	else if (id == OPT_ALPHA &&
		 (fraction_parse(value, &o->alpha) || o->alpha <= 0 || o->alpha >= 1))
		die(EXIT_USAGE, "--alpha: expected a number between 0 and 1, found '%s'", value);
	else if (id != OPT_ALPHA)
		err = compare_gate(o, id == OPT_RELATIVE_GATE, value, &why);
	if (err)
		die(EXIT_USAGE, "--%s: %s", row->name, why);
}

static void take_option(struct settings *s, int id, const char *value)
{
	switch (id) {
	case OPT_POLICY:
		read_policy(s, value);
		break;
	case OPT_RELAXED:
		s->judge.relax = RELAX_ALWAYS;
		break;
	case OPT_NO_RELAXED:
		s->judge.relax = RELAX_NEVER;
		break;
	case OPT_EXPLAIN:
		s->explain = true;
		break;
	case OPT_LIST:
		s->list = true;
		break;
	case OPT_FORMAT:
		s->format = format_find(value);
		break;
	case OPT_EXPECT_FAIL:
		s->judge.expect_fail = true;
		break;
	case OPT_EXPECT_ERROR:
		expect_error(&s->judge, value);
		break;
	case OPT_ALLOW_INCONCLUSIVE:
		s->judge.allow_inconclusive = true;
		break;
	case OPT_NO_SKIP:
		s->judge.no_skip = true;
		break;
	case OPT_MONITOR:
		s->judge.monitor = value;
		break;
	case OPT_STEP:
		if (!*value)
			die(EXIT_USAGE, "--step: expected a step's name, found ''");
		s->judge.step = value;
		break;
	case OPT_EACH_STEP:
		s->judge.step = STEP_EACH;
		break;
	case OPT_QUIET:
		s->quiet = true;
		break;
	case OPT_VERBOSE:
		s->verbose = true;
		break;
	case OPT_SERIES:
		s->series = true;
		break;
	case OPT_BASELINE:
		s->baseline = true;
		break;
	case OPT_METRIC ... OPT_ACROSS:
		take_compare_option(s, id, value);
		break;
	case OPT_TREND ... OPT_CHECK - 1:
		add_trend(s, &trend_types[id - OPT_TREND], value);
		break;
	default:
		s->given[id - OPT_CHECK] = true;
		s->value[id - OPT_CHECK] = value;
	}
}

/* The last layer. */
static void apply_command_line(struct settings *s)
{
	const char *expected;
	size_t i;

	for (i = 0; i < checks_n; i++) {
		if (s->given[i] &&
		    policy_set(&s->policy, &checks[i], s->value[i], COMMAND_LINE, &expected))
			die(EXIT_USAGE, "--%s: expected %s, found '%s'", checks[i].name, expected,
			    s->value[i]);
	}
}

static bool want_colour(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && term && strcmp(term, "dumb");
}

/* Judge one input and print its verdict. */
static void judge_one(const struct settings *s, const char *source, struct report *r)
{
	_cleanup_free_ char *message = NULL;
	struct judgement j;
	int err = judgement_make(&j, source, &s->judge, &message);

	if (err) {
		warn("%s", message);
		r->unreadable++;
		r->unknown_step |= err == -ESRCH;
		if (!s->quiet && s->format->unreadable)
			s->format->unreadable(r, source, message);
	} else {
		r->counts[j.verdict]++;
		if (!s->quiet)
			s->format->verdict(r, &j);
	}
	judgement_free(&j);
}

/* Judge every input; the exit status is the most severe, 64 before 65 before 1 before 2. */
static int judge_all(const struct settings *s, char *const *sources, size_t n)
{
	struct report r = {
		.out = stdout,
		.n_runs = n,
		.colour = want_colour(),
		.verbose = s->verbose,
		.explain = s->explain,
	};
	size_t i;

	if (!s->quiet && s->format->begin)
		s->format->begin(&r);
	for (i = 0; i < n; i++)
		judge_one(s, sources[i], &r);
	if (!s->quiet && s->format->end)
		s->format->end(&r);
	if (r.unknown_step)
		return EXIT_USAGE;
	if (r.unreadable)
		return EXIT_BAD_INPUT;
	return r.counts[VERDICT_FAIL] ? 1 : r.counts[VERDICT_INCONCLUSIVE] ? 2 : 0;
}

/* The verdict on a series of files as one. */
static int judge_series(struct settings *s, char *const *files, size_t n)
{
	s->judge.series = files;
	s->judge.n_series = n;
	return judge_all(s, files, 1);
}

/* What the operands of --baseline and their verdict come to; the exit status. */
static int judge_comparison(const struct settings *s, char **operands, size_t n)
{
	_cleanup_free_ char **baseline = xcalloc(s->n_before + 1, sizeof(*baseline));
	_cleanup_free_ char *message = NULL;
	struct comparison c;
	int status = EXIT_BAD_INPUT;

	if (!s->n_before || n == s->n_before)
		die(EXIT_USAGE,
		    "--baseline: expected baseline runs, --, and runs, found %zu and %zu",
		    s->n_before, n - s->n_before);
	memcpy(baseline, operands, s->n_before * sizeof(*baseline));
	if (comparison_make(&c, &s->compare, baseline, operands + s->n_before, &message)) {
		warn("%s", message);
	} else {
		c.verdict = judge_expected(&s->judge, c.observed);
		if (!s->quiet)
			report_comparison(&c, s->format->name, stdout);
		status = c.verdict == VERDICT_FAIL ? 1 : c.verdict == VERDICT_INCONCLUSIVE ? 2 : 0;
	}
	comparison_free(&c);
	return status;
}

/* Options that have nothing to do with what is judged are mistakes. */
static void check_mode(const struct settings *s)
{
	const char *mode = s->baseline ? "baseline" : "series";
	size_t i;

	if (s->compare_option && !s->baseline)
		die(EXIT_USAGE, "--%s goes with --baseline", s->compare_option);
	if (s->baseline && (s->series || s->trends.n))
		die(EXIT_USAGE, "--baseline compares runs: expected no series and no pattern");
	if (!s->baseline && !s->series)
		return;
	if (s->judge.monitor || s->judge.step || s->judge.expect_error.text || s->explain)
		die(EXIT_USAGE, "%s is for a run that is judged by itself, not for --%s",
		    s->judge.monitor		 ? "--monitor"
		    : s->judge.step		 ? "--step"
		    : s->judge.expect_error.text ? "--expect-error"
						 : "--explain",
		    mode);
	for (i = 0; i < checks_n; i++) {
		if (s->given[i])
			die(EXIT_USAGE, "--%s is for a run that is judged by itself, not for --%s",
			    checks[i].name, mode);
	}
}

static int run(struct settings *s, char **operands, size_t n)
{
	char *from_stdin[] = {"-"};

	if ((s->list || s->explain) && !s->format->explains)
		die(EXIT_USAGE, "%s goes with --format text or json, not %s",
		    s->list ? "--list-checks" : "--explain", s->format->name);
	if (s->judge.monitor && n > 1)
		die(EXIT_USAGE, "--monitor is the data of one run: expected one operand, found %zu",
		    n);
	if (s->list && s->format == &report_format_json)
		report_checks_json(stdout);
	else if (s->list)
		report_checks_text(stdout);
	if (s->list)
		return 0;
	check_mode(s);
	if (s->baseline)
		return judge_comparison(s, operands, n);
	if (s->series)
		return judge_series(s, n ? operands : from_stdin, n ? n : 1);
	if (s->explain && !n) {
		if (s->judge.relax == RELAX_ALWAYS)
			policy_relax(&s->policy, "--relaxed");
		policy_print(&s->policy, stdout);
		return 0;
	}
	return n ? judge_all(s, operands, n) : judge_all(s, from_stdin, 1);
}

int main(int argc, char **argv)
{
	struct option_row rows[ROWS_MAX];
	struct options o = {
		.synopsis = "[OPTIONS] [FILE|RUNDIR|-]...\n"
			    "       kt-assert --series PATTERN... [FILE|DIR|-]...\n"
			    "       kt-assert --baseline RUNDIR... -- RUNDIR...",
		.summary = "Judge what a run measured against thresholds.",
		.epilogue = epilogue,
		.rows = rows,
		.n_rows = ARRAY_SIZE(general_rows) + checks_n + 1 + TRENDS_N,
		.permute = 1,
		.argc = argc,
		.argv = argv,
	};
	struct settings s = {.format = &report_format_text};
	const char *value;
	char **operands;
	size_t n = 0;
	int id, status;

	diag_init("kt-assert");
	fill_rows(rows);
	policy_init(&s.policy);
	compare_options_init(&s.compare);
	s.judge.policy = &s.policy;
	s.judge.trends = &s.trends;
	while ((id = options_next(&o, &value)))
		take_option(&s, id, value);
	apply_command_line(&s);
	s.n_before = o.n_operands;
	operands = options_operands(&o);
	while (operands[n])
		n++;
	status = run(&s, operands, n);
	policy_free(&s.policy);
	trends_free(&s.trends);
	pattern_free(&s.judge.expect_error);
	free(operands);
	if (fflush(stdout) || ferror(stdout))
		die(EXIT_INTERNAL, "cannot write the verdict: %s", strerror(errno));
	return status;
}
