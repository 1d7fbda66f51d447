// SPDX-License-Identifier: GPL-2.0
#include "report.h"

#include <math.h>
#include <stdlib.h>

#include "cleanup.h"
#include "diag.h"
#include "text.h"

struct look {
	const char *word; /* opens the line of a verdict that is one, closes the header otherwise */
	const char *colour;
};

static const struct look looks[] = {
	[VERDICT_SKIP] = {"SKIP", "\033[36m"},
	[VERDICT_PASS] = {"PASS", "\033[32m"},
	[VERDICT_INCONCLUSIVE] = {"inconclusive:", "\033[33m"},
	[VERDICT_FAIL] = {"failed:", "\033[31m"},
};

static void print_word(const struct judgement *j, FILE *out, bool colour)
{
	const struct look *look = &looks[j->verdict];

	fprintf(out, colour ? "%s%s\033[0m" : "%s%s", colour ? look->colour : "", look->word);
}

/* "[sched=NAME] [topo=1n2l2c1t]", and "[step=NAME]" where that was asked for. */
static void print_tags(const struct judgement *j, FILE *out)
{
	const char *sched = judgement_sched(j), *topology = judgement_topology(j);

	if (sched) {
		fprintf(out, "[sched=");
		text_print_safe(out, sched);
		fprintf(out, "] ");
	}
	fprintf(out, "[topo=");
	text_print_safe(out, topology ? topology : "-");
	fprintf(out, "]");
	if (j->options->step && *j->options->step) {
		fprintf(out, " [step=");
		text_print_safe(out, j->options->step);
		fprintf(out, "]");
	}
}

void report_title(const struct judgement *j, FILE *out)
{
	text_print_safe(out, j->name);
	fputc(' ', out);
	print_tags(j, out);
}

const char *report_note(const struct judgement *j)
{
	if (j->verdict == VERDICT_SKIP)
		return "no check is on";
	if (j->verdict == VERDICT_PASS && j->observed == VERDICT_FAIL)
		return j->partial ? "inconclusive, which is allowed" : "failed as expected";
	if (j->verdict == VERDICT_PASS && j->observed == VERDICT_INCONCLUSIVE)
		return "inconclusive, which is allowed";
	return NULL;
}

char *report_surprise(const struct judgement *j)
{
	const char *message = j->run.exit_message;

	if (j->verdict != VERDICT_FAIL)
		return NULL;
	if (j->observed == VERDICT_PASS)
		return xstrdup("every check passed (expected a failure)");
	if (j->observed == VERDICT_SKIP)
		return xstrdup("no check is on (expected at least one)");
	if (!j->wrong_error)
		return NULL;
	if (!message)
		return xasprintf("the scheduler left no exit message (expected '%s')",
				 j->options->expect_error.text);
	return xasprintf("the scheduler exited with '%s' (expected '%s')", message,
			 j->options->expect_error.text);
}

static void print_head(const struct judgement *j, FILE *out, bool colour)
{
	bool one_line = j->verdict <= VERDICT_PASS;

	if (one_line) {
		print_word(j, out, colour);
		fputc(' ', out);
	} else {
		fprintf(out, "ktstr_test '");
	}
	text_print_safe(out, j->name);
	fprintf(out, one_line ? " " : "' ");
	print_tags(j, out);
	if (!one_line) {
		fputc(' ', out);
		print_word(j, out, colour);
	}
	if (one_line && report_note(j))
		fprintf(out, " (%s)", report_note(j));
	fputc('\n', out);
}

static void print_result(const struct result *r, enum verdict v, const char *check, FILE *out)
{
	size_t omitted = result_omitted(r, v), i;

	for (i = 0; i < r->n_findings; i++) {
		if (r->findings[i].verdict != v)
			continue;
		fprintf(out, "  ");
		text_print_safe(out, r->findings[i].text);
		fputc('\n', out);
	}
	if (omitted)
		fprintf(out, "  and %zu more of %s\n", omitted, check);
}

static void print_findings(const struct judgement *j, enum verdict v, FILE *out)
{
	size_t i;

	print_result(&j->completed, v, "completed", out);
	for (i = 0; i < checks_n; i++)
		print_result(&j->results[i], v, checks[i].name, out);
	for (i = 0; i < j->trends.n; i++)
		print_result(&j->trends.results[i].result, v, j->trends.results[i].type->name, out);
}

/* What the patterns looked at, and where a field was missing. */
static void print_series(const struct trend_report *t, FILE *out)
{
	size_t i;

	fprintf(out, "\n--- series ---\n%zu samples over %.0fms, %zu file%s\n", t->samples,
		t->duration_ns / 1e6, t->files, t->files == 1 ? "" : "s");
	for (i = 0; i < t->n; i++) {
		const struct trend_result *r = &t->results[i];

		fprintf(out, "  %s ", r->type->name);
		text_print_safe(out, r->text);
		fprintf(out, ": %s, %zu samples, %zu gaps", verdict_name(r->result.verdict),
			r->samples, r->gaps);
		if (r->first_gap) {
			fprintf(out, ", the first: ");
			text_print_safe(out, r->first_gap);
		}
		fputc('\n', out);
	}
}

/* "--- stats ---", or "--- stats in step load ---" where there are several. */
static void print_section(FILE *out, const char *title, const char *suffix)
{
	fprintf(out, "\n--- %s", title);
	text_print_safe(out, suffix ? suffix : "");
	fprintf(out, " ---\n");
}

/* "22.4%", or "-" when it was not measured. */
static char *percent_text(double pct)
{
	return isnan(pct) ? xstrdup("-") : xasprintf("%.1f%%", pct);
}

/* "180ms", or "-" when it was not measured. */
static char *gap_text(int64_t ns)
{
	return ns == BIND_NONE ? xstrdup("-") : xasprintf("%.0fms", ns / 1e6);
}

/* A count, or "-" when it is not known. */
static char *count_text(int64_t n)
{
	return n == BIND_NONE ? xstrdup("-") : xasprintf("%lld", (long long)n);
}

static void print_stats(const struct view *v, FILE *out)
{
	const struct measured *m = v->of;
	_cleanup_free_ char *spread = percent_text(m->worst_spread_pct);
	_cleanup_free_ char *gap = gap_text(m->worst_gap_ns);
	_cleanup_free_ char *cpus = count_text(m->cpus);
	size_t i;

	print_section(out, "stats", v->suffix);
	fprintf(out, "%zu workers, %s cpus, %lld migrations, worst_spread=%s, worst_gap=%s\n",
		m->all_workers, cpus, (long long)m->migrations, spread, gap);
	for (i = 0; i < m->n_cgroups; i++) {
		const struct cgroup *cg = &m->cgroups[i];
		_cleanup_free_ char *cg_spread = percent_text(cg->spread_pct);
		_cleanup_free_ char *cg_gap = gap_text(cg->gap_ns);

		if (m->step && !cg->workers)
			continue;
		fprintf(out,
			"  cg%zu: workers=%zu cpus=%zu spread=%s gap=%s migrations=%lld "
			"iter=%lld\n",
			i, cg->workers, cg->cpus, cg_spread, cg_gap, (long long)cg->migrations,
			(long long)cg->iterations);
	}
}

/* " key=1.5unit", or a dash when it was not measured. */
static void print_figure(FILE *out, const char *key, double value, const char *unit)
{
	if (isnan(value))
		fprintf(out, ", %s=-", key);
	else
		fprintf(out, ", %s=%.1f%s", key, value, unit);
}

static void print_monitor(const struct monitor *m, FILE *out)
{
	print_section(out, "monitor", m->scope.suffix);
	fprintf(out, "%zu samples over %.0fms, %zu cpus, %zu stalled", m->samples,
		(m->last_ns - m->first_ns) / 1e6, m->cpus, m->stalls);
	print_figure(out, "max_imbalance", m->max_imbalance, "");
	if (m->max_depth == BIND_NONE)
		fprintf(out, ", max_local_dsq=-");
	else
		fprintf(out, ", max_local_dsq=%lld", (long long)m->max_depth);
	print_figure(out, "fallback", event_rate(&m->fallback), "/s");
	print_figure(out, "keep_last", event_rate(&m->keep_last), "/s");
	fputc('\n', out);
}

void report_text(const struct judgement *j, FILE *out, bool colour, bool verbose)
{
	_cleanup_free_ char *surprise = report_surprise(j);
	size_t i;

	print_head(j, out, colour);
	if (j->verdict <= VERDICT_PASS && !verbose)
		return;
	if (surprise) {
		fprintf(out, "  ");
		text_print_safe(out, surprise);
		fputc('\n', out);
	}
	print_findings(j, VERDICT_FAIL, out);
	print_findings(j, VERDICT_INCONCLUSIVE, out);
	for (i = 0; j->has_stats && i < j->n_views; i++)
		print_stats(&j->views[i], out);
	for (i = 0; j->has_monitor && i < j->n_views; i++)
		print_monitor(&j->monitors[i], out);
	if (j->trends.samples)
		print_series(&j->trends, out);
	run_print_stderr(&j->run, out);
	run_print_scheduler(&j->run, out);
	run_print_timeline(&j->run, out);
}

static void text_verdict(struct report *r, const struct judgement *j)
{
	if (r->explain)
		policy_print(&j->policy, r->out);
	if (r->n_runs > 1)
		fprintf(r->out, "%s:\n", j->source);
	report_text(j, r->out, r->colour, r->verbose);
}

static void text_end(struct report *r)
{
	if (r->n_runs > 1)
		fprintf(r->out,
			"%zu runs: %zu passed, %zu failed, %zu inconclusive, %zu unreadable\n",
			r->n_runs, r->counts[VERDICT_PASS] + r->counts[VERDICT_SKIP],
			r->counts[VERDICT_FAIL], r->counts[VERDICT_INCONCLUSIVE], r->unreadable);
}

const struct report_format report_format_text = {
	.name = "text",
	.explains = true,
	.verdict = text_verdict,
	.end = text_end,
};

void report_checks_text(FILE *out)
{
	int width = check_name_width();
	size_t i;

	fprintf(out, "%-*s %-11s %-5s %s\n", width, "CHECK", "UNIT", "FAILS", "DEFAULT");
	for (i = 0; i < checks_n; i++) {
		const struct check *c = &checks[i];
		char value[32] = "off";

		if (c->on && c->kind == VALUE_SWITCH)
			snprintf(value, sizeof(value), "on");
		else if (c->on)
			snprintf(value, sizeof(value), "%.15g", c->threshold);
		fprintf(out, "%-*s %-11s %-5s %s\n", width, c->name, c->unit,
			direction_name(c->fails), value);
	}
}
