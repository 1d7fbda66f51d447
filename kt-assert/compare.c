// SPDX-License-Identifier: GPL-2.0
#include "compare.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "compare_runs.h"
#include "diag.h"
#include "options.h"
#include "quantity.h"
#include "rank_test.h"

/* Of 1000 comparisons of equal runs some 40 seem worse then, and hardly ever 50. */
#define DEFAULT_ALPHA	 0.04
#define DEFAULT_RELATIVE 5 /* percent */

void compare_options_init(struct compare_options *o)
{
	size_t i;

	*o = (struct compare_options){.alpha = DEFAULT_ALPHA};
	for (i = 0; i < METRICS_N; i++) {
		o->relative[i] = DEFAULT_RELATIVE;
		o->absolute[i] = metrics[i].absolute;
	}
}

static int metric_position(const char *name, size_t *at, char **why)
{
	const char *names[METRICS_N + 1] = {NULL}, *near;
	const struct metric *m = metric_find(name);
	size_t i;

	if (m) {
		*at = m - metrics;
		return 0;
	}
	for (i = 0; i < METRICS_N; i++)
		names[i] = metrics[i].name;
	near = nearest_name(name, names);
	*why = near ? xasprintf("unknown metric '%s': did you mean '%s'?", name, near)
		    : xasprintf("unknown metric '%s': expected one of work_rate, iteration_rate, "
				"spread_pct, max_gap_ms, throughput_cv, migration_ratio, "
				"p99_wake_latency_ns, wake_latency_cv, isolation_violations",
				name);
	return -EINVAL;
}

int compare_gate(struct compare_options *o, bool relative, const char *text, char **why)
{
	const char *equals = strchr(text, '=');
	_cleanup_free_ char *name = xstrndup(text, equals ? (size_t)(equals - text) : 0);
	double *gates = relative ? o->relative : o->absolute, value;
	size_t at, i;
	int err;

	if (fraction_parse(equals ? equals + 1 : text, &value) || value < 0 ||
	    (!equals && !relative)) {
		*why = xasprintf("expected %s, found '%s'",
				 relative ? "a percentage from 0, or METRIC=PCT"
					  : "METRIC=X, X a number from 0 in the metric's unit",
				 text);
		return -EINVAL;
	}
	for (i = 0; !equals && i < METRICS_N; i++)
		gates[i] = value;
	if (!equals)
		return 0;
	err = metric_position(name, &at, why);
	if (!err)
		gates[at] = value;
	return err;
}

int compare_choose(struct compare_options *o, const char *name, char **why)
{
	size_t at;
	int err = metric_position(name, &at, why);

	if (!err)
		o->chosen[at] = o->any_chosen = true;
	return err;
}

int compare_across(struct compare_options *o, const char *dimension, char **why)
{
	if (!strcmp(dimension, "scenario"))
		o->across_scenario = true;
	else if (!strcmp(dimension, "topology"))
		o->across_topology = true;
	else if (!strcmp(dimension, "kernel"))
		o->across_kernel = true;
	else
		*why = xasprintf("expected scenario, topology or kernel, found '%s'", dimension);
	return *why ? -EINVAL : 0;
}

const char *change_name(enum change change)
{
	static const char *const names[] = {
		[CHANGE_NONE] = "same",
		[CHANGE_BETTER] = "better",
		[CHANGE_WORSE] = "worse",
		[CHANGE_UNDECIDED] = "undecided",
	};

	return names[change];
}

const char *side_name(enum side side)
{
	return side == SIDE_BASELINE ? "baseline" : "now";
}

/* The row of that group, cgroup and metric. */
static struct comparison_row *row_find(struct comparison *c, size_t group, size_t cgroup,
				       const char *name, const struct metric *m)
{
	struct comparison_row *r;
	size_t i;

	for (i = 0; i < c->n_rows; i++) {
		r = &c->rows[(c->hint + i) % c->n_rows];
		if (r->group == group && r->cgroup == cgroup && r->metric == m &&
		    !strcmp(r->name, name)) {
			c->hint = r - c->rows + 1;
			return r;
		}
	}
	c->rows = xrealloc(c->rows, (c->n_rows + 1) * sizeof(*c->rows));
	r = &c->rows[c->n_rows++];
	*r = (struct comparison_row){.group = group, .cgroup = cgroup, .name = name, .metric = m};
	r->p = r->adjusted = NAN;
	return r;
}

static void add_samples(struct comparison *c, enum side side, size_t group,
			const struct run_figures *f)
{
	const struct compare_options *o = c->options;
	size_t i, k;

	for (i = 0; i < f->n_cgroups; i++) {
		for (k = 0; k < METRICS_N; k++) {
			double v = f->cgroups[i].values[k];
			struct comparison_row *r;

			if (isnan(v) || (o->any_chosen && !o->chosen[k]))
				continue;
			r = row_find(c, group, i, f->cgroups[i].name, &metrics[k]);
			r->samples[side] = xrealloc(r->samples[side],
						    (r->n[side] + 1) * sizeof(*r->samples[side]));
			r->samples[side][r->n[side]++] = v;
		}
	}
}

static void row_free(struct comparison_row *r)
{
	free(r->samples[SIDE_BASELINE]);
	free(r->samples[SIDE_NOW]);
}

/* A metric that one side alone has is not compared. */
static void drop_one_sided(struct comparison *c)
{
	size_t i, n = 0;

	for (i = 0; i < c->n_rows; i++) {
		if (c->rows[i].n[SIDE_BASELINE] && c->rows[i].n[SIDE_NOW])
			c->rows[n++] = c->rows[i];
		else
			row_free(&c->rows[i]);
	}
	c->n_rows = n;
}

static bool varies(const struct comparison_row *r)
{
	size_t side, i;

	for (side = 0; side < SIDES_N; side++) {
		for (i = 0; i < r->n[side]; i++) {
			if (r->samples[side][i] != r->samples[0][0])
				return true;
		}
	}
	return false;
}

/* Does @shift make the metric worse? */
static bool is_worse(const struct comparison_row *r, double shift)
{
	return r->metric->higher_is_better ? shift < 0 : shift > 0;
}

/*
 * Adjusted probabilities of all rows that vary, for getting worse (or better). What is the same in
 * all runs cannot differ, however they are dealt to the sides, and is no test.
 */
static void test_direction(struct comparison *c, bool worse)
{
	_cleanup_free_ double *p = xcalloc(c->n_rows + 1, sizeof(*p));
	_cleanup_free_ size_t *at = xcalloc(c->n_rows + 1, sizeof(*at));
	double least;
	size_t n = 0, i;

	for (i = 0; i < c->n_rows; i++) {
		struct comparison_row *r = &c->rows[i];
		bool up = r->metric->higher_is_better != worse;
		const double *a = r->samples[!up], *b = r->samples[up];

		if (r->n[SIDE_BASELINE] < RANK_TEST_RUNS || r->n[SIDE_NOW] < RANK_TEST_RUNS ||
		    !varies(r))
			continue;
		p[n] = rank_test(a, r->n[!up], b, r->n[up], &least);
		if (worse == is_worse(r, r->shift)) {
			r->p = p[n];
			r->clearest = p[n] <= least * (1 + 1e-9);
		}
		at[n++] = i;
	}
	holm_adjust(p, n);
	for (i = 0; i < n; i++) {
		if (worse == is_worse(&c->rows[at[i]], c->rows[at[i]].shift))
			c->rows[at[i]].adjusted = p[i];
	}
	c->tested = n;
}

/* The runs a side at which the clearest order would be significant among @tests. */
static size_t runs_enough(double alpha, size_t tests)
{
	double ways = 1;
	size_t n;

	for (n = 1; n < 1000; n++) {
		ways *= 2.0 * (2 * n - 1) / n; /* C(2n, n) */
		if (tests <= alpha * ways)
			return n;
	}
	return n;
}

static bool beyond_gates(const struct compare_options *o, const struct comparison_row *r)
{
	size_t k = r->metric - metrics;

	return fabs(r->shift_pct) > o->relative[k] && fabs(r->shift) > o->absolute[k];
}

static void decide(struct comparison *c, struct comparison_row *r)
{
	bool worse = is_worse(r, r->shift);
	bool tested = r->n[SIDE_BASELINE] >= RANK_TEST_RUNS && r->n[SIDE_NOW] >= RANK_TEST_RUNS;

	if (r->shift == 0 || !beyond_gates(c->options, r))
		r->change = CHANGE_NONE;
	else if (!tested || r->adjusted <= c->options->alpha)
		r->change = worse ? CHANGE_WORSE : CHANGE_BETTER;
	else if (worse && r->clearest)
		r->change = CHANGE_UNDECIDED;
	if (r->change == CHANGE_UNDECIDED)
		r->enough = runs_enough(c->options->alpha, c->tested);
	c->counts[r->change]++;
}

static void compare_rows(struct comparison *c)
{
	size_t i, side;

	for (i = 0; i < c->n_rows; i++) {
		struct comparison_row *r = &c->rows[i];

		for (side = 0; side < SIDES_N; side++)
			r->median[side] = median(r->samples[side], r->n[side]);
		r->shift = shift_estimate(r->samples[SIDE_BASELINE], r->n[SIDE_BASELINE],
					  r->samples[SIDE_NOW], r->n[SIDE_NOW]);
		r->shift_pct = r->shift ? 100 * r->shift / fabs(r->median[SIDE_BASELINE]) : 0;
	}
	test_direction(c, false);
	test_direction(c, true);
	for (i = 0; i < c->n_rows; i++)
		decide(c, &c->rows[i]);
}

int comparison_make(struct comparison *c, const struct compare_options *o, char *const *baseline,
		    char *const *now, char **message)
{
	size_t *group_of[SIDES_N], side, i;
	int err;

	*c = (struct comparison){.options = o};
	err = runs_collect(c, SIDE_BASELINE, baseline, message);
	if (!err)
		err = runs_collect(c, SIDE_NOW, now, message);
	if (err)
		return err;
	runs_group(c, group_of);
	for (side = 0; side < SIDES_N; side++) {
		for (i = 0; i < c->n_runs[side]; i++)
			add_samples(c, side, group_of[side][i], c->runs[side][i]);
		free(group_of[side]);
	}
	drop_one_sided(c);
	compare_rows(c);
	if (c->counts[CHANGE_WORSE])
		c->observed = VERDICT_FAIL;
	else if (c->counts[CHANGE_UNDECIDED] || c->n_left_out || !c->n_rows)
		c->observed = VERDICT_INCONCLUSIVE;
	else
		c->observed = VERDICT_PASS;
	c->verdict = c->observed;
	return 0;
}

void comparison_free(struct comparison *c)
{
	size_t side, i;

	for (side = 0; side < SIDES_N; side++) {
		for (i = 0; i < c->n_runs[side]; i++) {
			figures_free(c->runs[side][i]);
			free(c->runs[side][i]);
		}
		free(c->runs[side]);
	}
	for (i = 0; i < c->n_rows; i++)
		row_free(&c->rows[i]);
	for (i = 0; i < c->n_groups; i++)
		free(c->groups[i].key);
	for (i = 0; i < c->n_left_out; i++) {
		free(c->left_out[i].path);
		free(c->left_out[i].why);
	}
	free(c->rows);
	free(c->groups);
	free(c->left_out);
	memset(c, 0, sizeof(*c));
}

char *row_note(const struct comparison *c, const struct comparison_row *r)
{
	if (r->change == CHANGE_UNDECIDED)
		return xasprintf("too few runs to tell among %zu metrics: %zu a side could",
				 c->tested, r->enough);
	if (isnan(r->adjusted) && r->change != CHANGE_NONE)
		return xasprintf("no rank test with fewer than %d runs a side", RANK_TEST_RUNS);
	if (r->change == CHANGE_NONE && r->shift && beyond_gates(c->options, r))
		return xstrdup("could be chance");
	return NULL;
}
