// SPDX-License-Identifier: GPL-2.0
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_gen.h>

#include "cleanup.h"
#include "diag.h"
#include "exits.h"

static void put(yajl_gen g, const char *text)
{
	_cleanup_free_ char *ascii = NULL;
	char *p;

	if (!text) {
		yajl_gen_null(g);
		return;
	}
	if (yajl_gen_string(g, (const unsigned char *)text, strlen(text)) !=
	    yajl_gen_invalid_string)
		return;
	/* A file name need not be UTF-8, JSON has to be. */
	ascii = xstrdup(text);
	for (p = ascii; *p; p++) {
		if (*p & 0x80)
			*p = '?';
	}
	yajl_gen_string(g, (const unsigned char *)ascii, strlen(ascii));
}

static void put_member(yajl_gen g, const char *key, const char *text)
{
	put(g, key);
	put(g, text);
}

static void put_integer(yajl_gen g, const char *key, int64_t v)
{
	put(g, key);
	if (v == BIND_NONE)
		yajl_gen_null(g);
	else
		yajl_gen_integer(g, v);
}

static void put_bool(yajl_gen g, const char *key, bool v)
{
	put(g, key);
	yajl_gen_bool(g, v);
}

/* 15 digits: what a double holds for sure; yajl's own form would print 22.399999999999999. */
static void put_real(yajl_gen g, const char *key, double v)
{
	char text[32];

	put(g, key);
	if (isnan(v)) {
		yajl_gen_null(g);
		return;
	}
	snprintf(text, sizeof(text), "%.15g", v);
	yajl_gen_number(g, text, strlen(text));
}

static void put_who(yajl_gen g, const struct subject *who)
{
	_cleanup_free_ char *text = subject_text(who);

	put_member(g, "who", text);
	put_integer(g, "cgroup_index", who->cgroup);
}

static void put_result(yajl_gen g, const struct result *r)
{
	size_t i;

	put_real(g, "value", r->value);
	if (isnan(r->value))
		put_member(g, "who", NULL);
	else
		put_who(g, &r->who);
	put_member(g, "step", r->step);
	put(g, "findings");
	yajl_gen_array_open(g);
	for (i = 0; i < r->n_findings; i++) {
		const struct finding *f = &r->findings[i];

		yajl_gen_map_open(g);
		put_member(g, "verdict", verdict_name(f->verdict));
		put_real(g, "value", f->value);
		put_who(g, &f->who);
		put_member(g, "step", f->step);
		put_member(g, "text", f->text);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
	put_integer(g, "findings_omitted",
		    result_omitted(r, VERDICT_FAIL) + result_omitted(r, VERDICT_INCONCLUSIVE));
}

static void put_check(yajl_gen g, const struct judgement *j, size_t i)
{
	const struct check *c = &checks[i];
	const struct setting *s = &j->policy.set[i];

	yajl_gen_map_open(g);
	put_member(g, "check", c->name);
	put_member(g, "verdict", verdict_name(j->results[i].verdict));
	put_bool(g, "on", judgement_checks(j, c));
	put_real(g, "threshold",
		 policy_on(&j->policy, c) && c->kind != VALUE_SWITCH ? s->threshold : NAN);
	put_member(g, "from", s->from);
	put_member(g, "overrides", s->overrides);
	put_member(g, "unit", c->unit);
	put_member(g, "fails", direction_name(c->fails));
	put_result(g, &j->results[i]);
	yajl_gen_map_close(g);
}

static void put_checks(yajl_gen g, const struct judgement *j)
{
	size_t i;

	put(g, "completed");
	yajl_gen_map_open(g);
	put_member(g, "verdict", verdict_name(j->completed.verdict));
	put_member(g, "outcome", j->run.outcome);
	put_integer(g, "exit_status", j->run.status);
	put_member(g, "exit", j->has_stats ? j->stats.exit : NULL);
	put_result(g, &j->completed);
	yajl_gen_map_close(g);
	put(g, "checks");
	yajl_gen_array_open(g);
	for (i = 0; i < checks_n; i++)
		put_check(g, j, i);
	yajl_gen_array_close(g);
}

static void put_trends(yajl_gen g, const struct trend_report *t)
{
	size_t i;

	put_integer(g, "samples", t->samples);
	put_integer(g, "duration_ns", t->duration_ns);
	put(g, "patterns");
	yajl_gen_array_open(g);
	for (i = 0; i < t->n; i++) {
		const struct trend_result *r = &t->results[i];

		yajl_gen_map_open(g);
		put_member(g, "pattern", r->type->name);
		put_member(g, "argument", r->text);
		put_member(g, "verdict", verdict_name(r->result.verdict));
		put_integer(g, "samples", r->samples);
		put_integer(g, "gaps", r->gaps);
		put_member(g, "first_gap", r->first_gap);
		put_result(g, &r->result);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
}

/* What was measured, as the text has it; of a step without the cgroups that were not in it. */
static void put_stats(yajl_gen g, const struct measured *s)
{
	size_t i;

	yajl_gen_map_open(g);
	put_integer(g, "workers", s->all_workers);
	put_integer(g, "cpus", s->cpus);
	put_integer(g, "migrations", s->migrations);
	put_real(g, "worst_spread_pct", s->worst_spread_pct);
	put_integer(g, "worst_gap_ns", s->worst_gap_ns);
	put(g, "cgroups");
	yajl_gen_array_open(g);
	for (i = 0; i < s->n_cgroups; i++) {
		const struct cgroup *cg = &s->cgroups[i];

		if (s->step && !cg->workers)
			continue;
		yajl_gen_map_open(g);
		put_integer(g, "index", i);
		put_member(g, "name", cg->name);
		put_integer(g, "workers", cg->workers);
		put_integer(g, "cpus", cg->cpus);
		put_real(g, "spread_pct", cg->spread_pct);
		put_real(g, "off_cpu_pct_min", cg->off_min);
		put_real(g, "off_cpu_pct_max", cg->off_max);
		put_integer(g, "max_gap_ns", cg->gap_ns);
		put_integer(g, "migrations", cg->migrations);
		put_integer(g, "iterations", cg->iterations);
		put_real(g, "throughput_cv", cg->throughput_cv);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
	yajl_gen_map_close(g);
}

static void put_monitor(yajl_gen g, const struct monitor *m)
{
	yajl_gen_map_open(g);
	put_integer(g, "samples", m->samples);
	put_integer(g, "duration_ns", m->last_ns - m->first_ns);
	put_integer(g, "cpus", m->cpus);
	put_real(g, "max_imbalance_ratio", m->max_imbalance);
	put_integer(g, "max_local_dsq_depth", m->max_depth);
	put_integer(g, "stalled_samples", m->stalls);
	put_real(g, "fallback_rate", event_rate(&m->fallback));
	put_real(g, "keep_last_rate", event_rate(&m->keep_last));
	yajl_gen_map_close(g);
}

static void put_view(yajl_gen g, const struct judgement *j, size_t i)
{
	put(g, "stats");
	if (i < j->n_views && j->views[i].of)
		put_stats(g, j->views[i].of);
	else
		yajl_gen_null(g);
	put(g, "monitor");
	if (i < j->n_views && j->has_monitor)
		put_monitor(g, &j->monitors[i]);
	else
		yajl_gen_null(g);
}

static void put_steps(yajl_gen g, const struct judgement *j)
{
	size_t i;

	put(g, "steps");
	yajl_gen_array_open(g);
	for (i = 0; i < j->n_views; i++) {
		const struct measured *m = j->views[i].of;

		yajl_gen_map_open(g);
		put_member(g, "step", m->step);
		put_integer(g, "number", m->position);
		put_integer(g, "start_ns", m->start_ns);
		put_integer(g, "end_ns", m->end_ns);
		put_view(g, j, i);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
}

static void write_piece(void *ctx, const char *text, size_t len)
{
	fwrite(text, 1, len, ctx);
}

static yajl_gen gen_open(FILE *out)
{
	yajl_gen g = yajl_gen_alloc(NULL);

	if (!g)
		die(EXIT_INTERNAL, "out of memory");
	yajl_gen_config(g, yajl_gen_print_callback, write_piece, out);
	yajl_gen_config(g, yajl_gen_validate_utf8, 1);
	return g;
}

void report_json(const struct judgement *j, FILE *out)
{
	yajl_gen g = gen_open(out);

	yajl_gen_map_open(g);
	put_member(g, "schema", "kt-verdict/1");
	put_member(g, "source", j->source);
	put_member(g, "name", j->name);
	put_member(g, "topology", judgement_topology(j));
	put_member(g, "sched", judgement_sched(j));
	put_member(g, "verdict", verdict_name(j->verdict));
	put_member(g, "observed", verdict_name(j->observed));
	put_bool(g, "expect_fail", j->options->expect_fail);
	put_member(g, "expect_error", j->options->expect_error.text);
	put_bool(g, "allow_inconclusive", j->options->allow_inconclusive);
	put_bool(g, "no_skip", j->options->no_skip);
	put_member(g, "relaxed", j->relaxed);
	put_checks(g, j);
	put(g, "series");
	if (j->trends.n) {
		yajl_gen_map_open(g);
		put_trends(g, &j->trends);
		yajl_gen_map_close(g);
	} else {
		yajl_gen_null(g);
	}
	if (judgement_by_step(j))
		put_steps(g, j);
	else
		put_view(g, j, 0);
	yajl_gen_map_close(g);
	yajl_gen_free(g);
	fputc('\n', out);
}

static void json_verdict(struct report *r, const struct judgement *j)
{
	report_json(j, r->out);
}

const struct report_format report_format_json = {
	.name = "json",
	.explains = true,
	.verdict = json_verdict,
};

/* "switch", "percent", ...: what values a check takes, docs/man/checks.jq has it in words. */
static const char *kind_name(enum value_kind kind)
{
	static const char *const names[] = {
		[VALUE_SWITCH] = "switch", [VALUE_PERCENT] = "percent", [VALUE_WHOLE] = "whole",
		[VALUE_COUNT] = "count",   [VALUE_REAL] = "real",	[VALUE_SHARE] = "share",
	};

	return names[kind];
}

static const char *input_name(enum check_input input)
{
	static const char *const names[] = {
		[CHECK_STATS] = "stats",
		[CHECK_MONITOR] = "monitor",
		[CHECK_PARAMETER] = "parameter",
	};

	return names[input];
}

void report_checks_json(FILE *out)
{
	yajl_gen g = gen_open(out);
	size_t i;

	yajl_gen_array_open(g);
	for (i = 0; i < checks_n; i++) {
		const struct check *c = &checks[i];
		_cleanup_free_ char *key = check_key(c, '_');

		yajl_gen_map_open(g);
		put_member(g, "check", c->name);
		put_member(g, "key", key);
		put_member(g, "argument", c->arg);
		put_member(g, "value", kind_name(c->kind));
		put_member(g, "unit", c->unit);
		put_member(g, "input", input_name(c->input));
		put_member(g, "fails", direction_name(c->fails));
		put_bool(g, "on", c->on);
		put_real(g, "threshold", c->on && c->kind != VALUE_SWITCH ? c->threshold : NAN);
		put_real(g, "relaxed", c->relaxed ? c->relaxed : NAN);
		put_member(g, "about", c->about);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
	yajl_gen_free(g);
	fputc('\n', out);
}
