/* SPDX-License-Identifier: GPL-2.0 */
/* One run, read and judged. */
#ifndef KT_ASSERT_JUDGE_H
#define KT_ASSERT_JUDGE_H

#include <stdbool.h>

#include "checks.h"
#include "monitor_checks.h"
#include "pattern.h"
#include "policy.h"
#include "result.h"
#include "run.h"
#include "stats.h"
#include "trend.h"

enum relax {
	RELAX_AUTO, /* where run.json says emulated or oversubscribed */
	RELAX_ALWAYS,
	RELAX_NEVER,
};

/* A time that is judged by itself: the whole run, or a step. */
struct view {
	struct scope scope;
	char *suffix;		   /* the scope's */
	const struct measured *of; /* NULL without stats */
};

struct judgement {
	char *source; /* the operand */
	char *name;   /* the scenario, or the run directory's name */
	struct stats stats;
	bool has_stats;
	bool partial; /* files of the run are missing, cut short, or of another version */
	struct view *views;
	struct monitor *monitors; /* of the views */
	size_t n_views;
	bool monitor_given;
	bool timed;	  /* it is known which of the monitor's samples are of which view */
	bool has_monitor; /* and it is judged, in the monitors */
	struct run run;
	struct policy policy;	 /* as applied to this run */
	const char *relaxed;	 /* why the relaxed defaults were used, NULL: they were not */
	struct result completed; /* how the run itself ended */
	struct result results[CHECKS_MAX]; /* SKIP for a check that is off */
	struct trend_report trends;	   /* the patterns over its series */
	enum verdict observed;		   /* all of them folded */
	enum verdict verdict;		   /* the same after what was expected and allowed */
	const struct judge_options *options;
	bool wrong_error; /* it failed as expected, but not with the expected error */
};

struct judge_options {
	const struct policy *policy;
	enum relax relax;
	bool expect_fail;	     /* fail becomes pass, pass becomes fail */
	struct pattern expect_error; /* the same, and this must be in the scheduler's message */
	bool allow_inconclusive;     /* inconclusive becomes pass */
	bool no_skip;		     /* skip becomes fail */
	const char *monitor;	     /* file of monitor data, NULL: the run directory's */
	const char *step;	     /* judge that step instead of the run, or STEP_EACH; or NULL */
	const struct trends *trends; /* patterns over the run's snapshots, or over: */
	char *const *series;	     /* these files, which are judged instead of a run; or NULL */
	size_t n_series;
};

/*
 * Read and judge @source: a stats file, a run directory, or "-" for stdin. @o must outlive @j.
 * Returns 0; -ESRCH when it has no step of the name asked for; or -EBADMSG or another negative
 * errno when it can't be read. *@message is then one line that names it. Free @j with
 * judgement_free() either way.
 */
int judgement_make(struct judgement *j, const char *source, const struct judge_options *o,
		   char **message);
void judgement_free(struct judgement *j);

/* What becomes of an observed verdict by what was expected and allowed. */
enum verdict judge_expected(const struct judge_options *o, enum verdict observed);

/* Is the check on, and is there what it judges, or was it asked for by the command line? */
bool judgement_checks(const struct judgement *j, const struct check *c);

/* Are its views steps, rather than the whole run? */
bool judgement_by_step(const struct judgement *j);

/* The scheduler that was loaded and the topology, NULL when there is none or it is unknown. */
const char *judgement_sched(const struct judgement *j);
const char *judgement_topology(const struct judgement *j);

#endif
