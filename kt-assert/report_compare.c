// SPDX-License-Identifier: GPL-2.0
#include "report_compare.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "report.h"
#include "text.h"

static const char *or_dash(const char *text)
{
	return text ? text : "-";
}

/* "mixed_workloads [topo=1n2l2c1t] [kernel=7.3.4]". Caller frees. */
static char *group_title(const struct comparison_group *g)
{
	return xasprintf("%s [topo=%s] [kernel=%s]", or_dash(g->scenario), or_dash(g->topology),
			 or_dash(g->kernel));
}

static bool is_compared(const struct comparison_group *g)
{
	return g->n[SIDE_BASELINE] && g->n[SIDE_NOW];
}

static char *percent_text(const struct comparison_row *r)
{
	return isfinite(r->shift_pct) ? xasprintf("%+.1f%%", r->shift_pct)
				      : xasprintf("%+.6g", r->shift);
}

static char *p_text(double p)
{
	return isnan(p) ? xstrdup("-") : xasprintf("%.2g", p);
}

/* The values of one dimension over all groups with runs on @side, "a, b". */
static char *values_text(const struct comparison *c, enum side side, size_t dimension)
{
	char *text = xstrdup("");
	size_t i, k;

	for (i = 0; i < c->n_groups; i++) {
		const struct comparison_group *g = &c->groups[i];
		const char *own[] = {g->scenario, g->topology, g->kernel};
		char *longer;

		for (k = 0; k < i; k++) {
			const char *other[] = {c->groups[k].scenario, c->groups[k].topology,
					       c->groups[k].kernel};

			if (c->groups[k].n[side] &&
			    !strcmp(or_dash(other[dimension]), or_dash(own[dimension])))
				break;
		}
		if (!g->n[side] || k < i)
			continue;
		longer = xasprintf("%s%s%s", text, *text ? ", " : "", or_dash(own[dimension]));
		free(text);
		text = longer;
	}
	return text;
}

char *comparison_mismatch(const struct comparison *c)
{
	static const char *const dimensions[] = {"scenario", "topology", "kernel"};
	char *text = NULL;
	size_t i;

	if (!c->n_runs[SIDE_BASELINE] || !c->n_runs[SIDE_NOW])
		return xasprintf("nothing to compare: no complete run %s",
				 c->n_runs[SIDE_BASELINE] ? "after the --" : "in the baseline");
	for (i = 0; i < ARRAY_SIZE(dimensions); i++) {
		_cleanup_free_ char *a = values_text(c, SIDE_BASELINE, i);
		_cleanup_free_ char *b = values_text(c, SIDE_NOW, i);
		char *longer;

		if (!strcmp(a, b))
			continue;
		longer = xasprintf("%s%s%s %s (baseline) and %s", text ? text : "",
				   text ? "; " : "", dimensions[i], a, b);
		free(text);
		text = longer;
	}
	if (text) {
		char *all = xasprintf("nothing to compare: the runs differ in %s", text);

		free(text);
		return all;
	}
	return xstrdup("nothing to compare: no metric was measured on both sides");
}

/* What is to be known beside the rows, a line each. */
static void print_notes(const struct comparison *c, FILE *out)
{
	size_t i;

	if (!c->n_rows) {
		_cleanup_free_ char *why = comparison_mismatch(c);

		text_print_safe(out, why);
		fputc('\n', out);
	}
	for (i = 0; i < c->n_groups; i++) {
		const struct comparison_group *g = &c->groups[i];
		_cleanup_free_ char *title = group_title(g);

		if (is_compared(g))
			continue;
		fprintf(out, "only in %s: ", g->n[SIDE_BASELINE] ? "the baseline" : "the new runs");
		text_print_safe(out, title);
		fprintf(out, " (%zu runs)\n", g->n[SIDE_BASELINE] + g->n[SIDE_NOW]);
	}
	for (i = 0; i < c->n_left_out; i++) {
		fprintf(out, "left out: ");
		text_print_safe(out, c->left_out[i].path);
		fprintf(out, ": %s\n", c->left_out[i].why);
	}
}

static void print_group_head(const struct comparison_group *g, FILE *out)
{
	_cleanup_free_ char *title = group_title(g);

	text_print_safe(out, title);
	fprintf(out, ": %zu baseline runs [sched=", g->n[SIDE_BASELINE]);
	text_print_safe(out, or_dash(g->sched[SIDE_BASELINE]));
	fprintf(out, "], %zu now [sched=", g->n[SIDE_NOW]);
	text_print_safe(out, or_dash(g->sched[SIDE_NOW]));
	fprintf(out, "]\n  %-6s %-20s %-11s %12s %12s %9s %8s  %s\n", "CGROUP", "METRIC", "UNIT",
		"BASELINE", "NOW", "CHANGE", "P", "RESULT");
}

static void print_row(const struct comparison *c, const struct comparison_row *r, FILE *out)
{
	_cleanup_free_ char *cgroup = xasprintf("cg%zu", r->cgroup), *change = percent_text(r);
	_cleanup_free_ char *p = p_text(r->adjusted), *note = row_note(c, r);

	fprintf(out, "  %-6s %-20s %-11s %12.6g %12.6g %9s %8s  %s", cgroup, r->metric->name,
		r->metric->unit, r->median[SIDE_BASELINE], r->median[SIDE_NOW], change, p,
		change_name(r->change));
	fprintf(out, note ? " (%s)\n" : "\n", note);
}

static const char *verdict_word(enum verdict v)
{
	return v == VERDICT_FAIL ? "FAIL" : v == VERDICT_PASS ? "PASS" : "INCONCLUSIVE";
}

/* "PASS 16 metrics: 1 better, 0 worse, 0 undecided". */
static char *summary_text(const struct comparison *c)
{
	const char *turned = c->verdict == c->observed	   ? ""
			     : c->verdict == VERDICT_FAIL  ? " (expected a regression)"
			     : c->observed == VERDICT_FAIL ? " (a regression, as expected)"
							   : " (inconclusive, which is allowed)";

	return xasprintf("%zu metrics: %zu worse, %zu better, %zu undecided, %zu the same%s",
			 c->n_rows, c->counts[CHANGE_WORSE], c->counts[CHANGE_BETTER],
			 c->counts[CHANGE_UNDECIDED], c->counts[CHANGE_NONE], turned);
}

static void print_text(const struct comparison *c, FILE *out)
{
	_cleanup_free_ char *summary = summary_text(c);
	size_t g, i;

	for (g = 0; g < c->n_groups; g++) {
		if (!is_compared(&c->groups[g]))
			continue;
		print_group_head(&c->groups[g], out);
		for (i = 0; i < c->n_rows; i++) {
			if (c->rows[i].group == g)
				print_row(c, &c->rows[i], out);
		}
	}
	print_notes(c, out);
	fprintf(out, "%s %s\n", verdict_word(c->verdict), summary);
}

/* json_real() has no NAN and no infinity, and then null is right. */
static json_t *real(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

/* json_string() wants UTF-8; what is none (a file's name) is shown as text output shows it. */
static json_t *string(const char *text)
{
	_cleanup_free_ char *safe = NULL;
	json_t *v = text ? json_string(text) : json_null();
	char *p;

	if (v)
		return v;
	safe = xstrdup(text);
	for (p = safe; *p; p++) {
		if (*p & 0x80)
			*p = '?';
	}
	return json_string(safe);
}

static json_t *json_samples(const struct comparison_row *r, enum side side)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < r->n[side]; i++)
		json_array_append_new(list, real(r->samples[side][i]));
	return list;
}

static json_t *json_row(const struct comparison *c, const struct comparison_row *r)
{
	size_t k = r->metric - metrics;
	_cleanup_free_ char *note = row_note(c, r);
	json_t *v = json_object();

	json_object_set_new(v, "cgroup", string(r->name));
	json_object_set_new(v, "cgroup_index", json_integer(r->cgroup));
	json_object_set_new(v, "metric", json_string(r->metric->name));
	json_object_set_new(v, "unit", json_string(r->metric->unit));
	json_object_set_new(v, "better",
			    json_string(r->metric->higher_is_better ? "higher" : "lower"));
	json_object_set_new(v, "result", json_string(change_name(r->change)));
	json_object_set_new(v, "note", string(note));
	json_object_set_new(v, "baseline_median", real(r->median[SIDE_BASELINE]));
	json_object_set_new(v, "now_median", real(r->median[SIDE_NOW]));
	json_object_set_new(v, "shift", real(r->shift));
	json_object_set_new(v, "shift_pct", real(r->shift_pct));
	json_object_set_new(v, "relative_gate_pct", real(c->options->relative[k]));
	json_object_set_new(v, "absolute_gate", real(c->options->absolute[k]));
	json_object_set_new(v, "p", real(r->p));
	json_object_set_new(v, "p_adjusted", real(r->adjusted));
	json_object_set_new(v, "baseline_samples", json_samples(r, SIDE_BASELINE));
	json_object_set_new(v, "now_samples", json_samples(r, SIDE_NOW));
	return v;
}

static json_t *json_group(const struct comparison *c, size_t at)
{
	const struct comparison_group *g = &c->groups[at];
	json_t *v = json_object(), *rows = json_array();
	size_t i;

	json_object_set_new(v, "scenario", string(g->scenario));
	json_object_set_new(v, "topology", string(g->topology));
	json_object_set_new(v, "kernel", string(g->kernel));
	json_object_set_new(v, "baseline_runs", json_integer(g->n[SIDE_BASELINE]));
	json_object_set_new(v, "now_runs", json_integer(g->n[SIDE_NOW]));
	json_object_set_new(v, "baseline_sched", string(g->sched[SIDE_BASELINE]));
	json_object_set_new(v, "now_sched", string(g->sched[SIDE_NOW]));
	for (i = 0; i < c->n_rows; i++) {
		if (c->rows[i].group == at)
			json_array_append_new(rows, json_row(c, &c->rows[i]));
	}
	json_object_set_new(v, "metrics", rows);
	return v;
}

static void print_json(const struct comparison *c, FILE *out)
{
	_cleanup_free_ char *why = c->n_rows ? NULL : comparison_mismatch(c);
	json_t *groups = json_array(), *left_out = json_array();
	json_auto_t *root = json_object();
	size_t i;

	for (i = 0; i < c->n_groups; i++)
		json_array_append_new(groups, json_group(c, i));
	for (i = 0; i < c->n_left_out; i++) {
		json_t *v = json_object();

		json_object_set_new(v, "path", string(c->left_out[i].path));
		json_object_set_new(v, "side", json_string(side_name(c->left_out[i].side)));
		json_object_set_new(v, "why", string(c->left_out[i].why));
		json_array_append_new(left_out, v);
	}
	json_object_set_new(root, "schema", json_string("kt-comparison/1"));
	json_object_set_new(root, "verdict", json_string(verdict_name(c->verdict)));
	json_object_set_new(root, "observed", json_string(verdict_name(c->observed)));
	json_object_set_new(root, "why", string(why));
	json_object_set_new(root, "alpha", real(c->options->alpha));
	json_object_set_new(root, "tests", json_integer(c->tested));
	for (i = 0; i <= CHANGE_UNDECIDED; i++)
		json_object_set_new(root, change_name(i), json_integer(c->counts[i]));
	json_object_set_new(root, "groups", groups);
	json_object_set_new(root, "left_out", left_out);
	json_dumpf(root, out, JSON_COMPACT | JSON_REAL_PRECISION(15));
	fputc('\n', out);
}

/* One line about a row: "cg0 work_rate: 120 to 95 1/cpu-s (-20.8%, p=0.0001): worse". */
static char *row_line(const struct comparison *c, const struct comparison_row *r)
{
	_cleanup_free_ char *change = percent_text(r), *p = p_text(r->adjusted);
	_cleanup_free_ char *note = row_note(c, r);

	return xasprintf("%.6g to %.6g %s (%s, p=%s): %s%s%s", r->median[SIDE_BASELINE],
			 r->median[SIDE_NOW], r->metric->unit, change, p, change_name(r->change),
			 note ? ", " : "", note ? note : "");
}

/* A case of TAP or JUnit: a row, a run that was left out, or that there is nothing. */
struct test_case {
	char *name, *text;
	enum verdict verdict;
};

static size_t cases_make(const struct comparison *c, struct test_case **out)
{
	struct test_case *v = xcalloc(c->n_rows + c->n_left_out + 1, sizeof(*v));
	size_t n = 0, i;

	for (i = 0; i < c->n_rows; i++) {
		const struct comparison_row *r = &c->rows[i];
		_cleanup_free_ char *title = group_title(&c->groups[r->group]);

		v[n].name = xasprintf("%s cg%zu %s", title, r->cgroup, r->metric->name);
		v[n].text = row_line(c, r);
		v[n++].verdict = r->change == CHANGE_WORSE	 ? VERDICT_FAIL
				 : r->change == CHANGE_UNDECIDED ? VERDICT_INCONCLUSIVE
								 : VERDICT_PASS;
	}
	for (i = 0; i < c->n_left_out; i++) {
		v[n].name = xasprintf("left out: %s", c->left_out[i].path);
		v[n].text = xstrdup(c->left_out[i].why);
		v[n++].verdict = VERDICT_INCONCLUSIVE;
	}
	if (!n || !c->n_rows) {
		v[n].name = xstrdup("comparison");
		v[n].text = comparison_mismatch(c);
		v[n++].verdict = VERDICT_INCONCLUSIVE;
	}
	/* What turns the whole turns its parts; a regression that is missing is one more. */
	for (i = 0; i < n; i++) {
		if (c->verdict == VERDICT_PASS)
			v[i].verdict = VERDICT_PASS;
	}
	if (c->verdict == VERDICT_FAIL && c->observed != VERDICT_FAIL) {
		v = xrealloc(v, (n + 1) * sizeof(*v));
		v[n].name = xstrdup("comparison");
		v[n].text = xstrdup("no regression (expected one)");
		v[n++].verdict = VERDICT_FAIL;
	}
	*out = v;
	return n;
}

static void cases_free(struct test_case *v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		free(v[i].name);
		free(v[i].text);
	}
	free(v);
}

static void print_tap(const struct comparison *c, FILE *out)
{
	struct test_case *v;
	size_t n = cases_make(c, &v), i;

	fprintf(out, "TAP version 13\n1..%zu\n", n);
	for (i = 0; i < n; i++) {
		_cleanup_free_ char *name = text_safe(v[i].name);
		const char *p;

		fprintf(out, "%s %zu - ", v[i].verdict == VERDICT_PASS ? "ok" : "not ok", i + 1);
		/* An unescaped # would begin a directive. */
		for (p = name; *p; p++)
			fprintf(out, *p == '#' || *p == '\\' ? "\\%c" : "%c", *p);
		fprintf(out, "\n# ");
		text_print_safe(out, v[i].text);
		fputc('\n', out);
	}
	cases_free(v, n);
}

static void print_junit(const struct comparison *c, FILE *out)
{
	size_t counts[VERDICT_FAIL + 1] = {0}, n, i;
	struct test_case *v;

	n = cases_make(c, &v);
	for (i = 0; i < n; i++)
		counts[v[i].verdict]++;
	fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
	fprintf(out,
		"  <testsuite id=\"0\" package=\"kt\" name=\"kt-assert --baseline\" tests=\"%zu\" "
		"failures=\"%zu\" errors=\"%zu\" skipped=\"0\"",
		n, counts[VERDICT_FAIL], counts[VERDICT_INCONCLUSIVE]);
	report_junit_origin(out);
	fprintf(out, " time=\"0.000\">\n    <properties/>\n");
	for (i = 0; i < n; i++) {
		const char *element = v[i].verdict == VERDICT_FAIL ? "failure" : "error";

		fprintf(out, "    <testcase name=\"");
		text_print_xml(out, v[i].name, true);
		fprintf(out, "\" classname=\"baseline\" time=\"0.000\"");
		if (v[i].verdict == VERDICT_PASS) {
			fprintf(out, "/>\n");
			continue;
		}
		fprintf(out, ">\n      <%s type=\"%s\" message=\"", element,
			verdict_name(v[i].verdict));
		text_print_xml(out, v[i].text, true);
		fprintf(out, "\"/>\n    </testcase>\n");
	}
	fprintf(out, "    <system-out/>\n    <system-err/>\n  </testsuite>\n</testsuites>\n");
	cases_free(v, n);
}

void report_comparison(const struct comparison *c, const char *format, FILE *out)
{
	if (!strcmp(format, "json"))
		print_json(c, out);
	else if (!strcmp(format, "tap"))
		print_tap(c, out);
	else if (!strcmp(format, "junit"))
		print_junit(c, out);
	else
		print_text(c, out);
}
