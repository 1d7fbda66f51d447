/* SPDX-License-Identifier: GPL-2.0 */
/* Runs against baseline runs, metric by metric, with repeated runs as samples. */
#ifndef KT_ASSERT_COMPARE_H
#define KT_ASSERT_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

#include "metrics.h"
#include "result.h"

#define RANK_TEST_RUNS 3 /* a side: with fewer there is no rank test */

enum side { SIDE_BASELINE, SIDE_NOW, SIDES_N };

struct compare_options {
	double alpha;		    /* level of the rank test, all metrics together */
	double relative[METRICS_N]; /* gates: percent of the baseline's median, */
	double absolute[METRICS_N]; /* and in the metric's unit */
	bool chosen[METRICS_N];	    /* compare these only, */
	bool any_chosen;	    /* if any is */
	bool across_scenario, across_topology, across_kernel; /* compare, though they differ */
};

void compare_options_init(struct compare_options *o);

/*
 * Set a gate from "5" (all metrics) or "METRIC=5", the relative one or the absolute one, which
 * needs a METRIC; choose a metric; let a dimension (scenario, topology or kernel) differ. Return 0,
 * or -EINVAL with *@why a line that says what was expected, for the caller to free.
 */
int compare_gate(struct compare_options *o, bool relative, const char *text, char **why);
int compare_choose(struct compare_options *o, const char *name, char **why);
int compare_across(struct compare_options *o, const char *dimension, char **why);

enum change {
	CHANGE_NONE, /* within the gates, or it could be chance */
	CHANGE_BETTER,
	CHANGE_WORSE,
	CHANGE_UNDECIDED, /* worse, and all runs agree, but they are too few to tell */
};

struct comparison_row {
	size_t group;
	size_t cgroup;	  /* position */
	const char *name; /* of the cgroup */
	const struct metric *metric;
	double *samples[SIDES_N];
	size_t n[SIDES_N];
	double median[SIDES_N];
	double shift;	    /* from the baseline */
	double shift_pct;   /* of the baseline's median; infinite when that is 0 */
	double p, adjusted; /* one-sided, alone and among all metrics; NAN: not tested */
	bool clearest;	    /* no order of the values would have given a smaller p */
	size_t enough;	    /* CHANGE_UNDECIDED: runs a side that could tell */
	enum change change;
};

/* Runs that are compared with each other: alike in what is not to differ. */
struct comparison_group {
	char *key;
	const char *scenario, *topology, *kernel, *sched[SIDES_N]; /* NULL: unknown, or several */
	size_t n[SIDES_N];					   /* runs */
	bool mixed; /* a side has several schedulers */
};

struct left_out {
	char *path, *why;
	enum side side;
};

struct comparison {
	const struct compare_options *options;
	struct run_figures **runs[SIDES_N];
	size_t n_runs[SIDES_N];
	struct comparison_group *groups; /* also those with runs on one side only */
	size_t n_groups;
	struct comparison_row *rows;
	size_t n_rows, tested; /* rows with a p */
	size_t hint;	       /* while the rows are made: where the next one is likely to be */
	size_t counts[CHANGE_UNDECIDED + 1];
	struct left_out *left_out;
	size_t n_left_out;
	enum verdict observed, verdict; /* before and after what was expected and allowed */
};

/*
 * Compare the runs below @now with those below @baseline: run directories, stats files, and
 * directories that hold such at any depth; both NULL-terminated. Returns 0, or -EBADMSG or another
 * negative errno with *@message one line for the caller to free. Free @c with comparison_free()
 * either way.
 */
int comparison_make(struct comparison *c, const struct compare_options *o, char *const *baseline,
		    char *const *now, char **message);
void comparison_free(struct comparison *c);

const char *change_name(enum change change); /* "same", "better", "worse", "undecided" */
const char *side_name(enum side side);	     /* "baseline", "now" */

/* Why the row is what it is, in a phrase, or NULL for a plain one. Caller frees. */
char *row_note(const struct comparison *c, const struct comparison_row *r);

#endif
