/* SPDX-License-Identifier: GPL-2.0 */
/* Verdicts in words, as JSON, as TAP and as JUnit XML. */
#ifndef KT_ASSERT_REPORT_H
#define KT_ASSERT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "judge.h"

/* A report in progress: of @n_runs runs, one after the other. */
struct report {
	FILE *out;
	size_t n_runs;	      /* all that will come; set by the caller, as are these: */
	bool colour, verbose; /* text only: colour the verdicts; sections for a pass too */
	bool explain;	      /* text only: print each run's policy before its verdict */
	size_t counts[VERDICT_FAIL + 1], unreadable; /* runs so far; add before reporting one */
	int64_t wall_ns;   /* of the runs so far, as far as it is known; the format adds them */
	bool unknown_step; /* one of the unreadable has no step of the name asked for */
	FILE *body;	   /* of the format's own, until end() */
};

/* How a format prints; a NULL member prints nothing. */
struct report_format {
	const char *name;
	bool explains; /* has room for the thresholds, and for the list of checks */
	void (*begin)(struct report *r);
	void (*verdict)(struct report *r, const struct judgement *j);
	/* @source could not be read; @message, a line, has gone to stderr already. */
	void (*unreadable)(struct report *r, const char *source, const char *message);
	void (*end)(struct report *r);
};

extern const struct report_format report_format_text, report_format_json, report_format_tap,
	report_format_junit;

/*
 * A line for a pass; otherwise the header, a line for each finding, and the sections that have
 * something in them. @verbose adds them to a pass too. The wording is a contract: kt-assert(1).
 */
void report_text(const struct judgement *j, FILE *out, bool colour, bool verbose);

/* "mixed_workloads [sched=simple] [topo=1n2l2c1t]", safe to show: names the run. */
void report_title(const struct judgement *j, FILE *out);

/* What is to be known of a pass or skip that is not a plain one, else NULL. */
const char *report_note(const struct judgement *j);

/*
 * Why the verdict is a fail although no failure, or one for another reason, was observed; else
 * NULL. A line, not yet safe to show, that the caller frees.
 */
char *report_surprise(const struct judgement *j);

/* When and where, as attributes of a JUnit suite. */
void report_junit_origin(FILE *out);

/* One line of JSON, schema kt-verdict/1. */
void report_json(const struct judgement *j, FILE *out);

/* The checks: name, unit, when it fails, default. */
void report_checks_text(FILE *out);
void report_checks_json(FILE *out);

#endif
