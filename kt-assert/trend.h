/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Temporal patterns: what a field does over the samples of a series. A pattern is a row of
 * trend_types[]; options, --help and reports follow from the rows. Each keeps a few numbers, so
 * that memory does not grow with the series.
 */
#ifndef KT_ASSERT_TREND_H
#define KT_ASSERT_TREND_H

#include <stdbool.h>
#include <stddef.h>

#include "result.h"
#include "series.h"

struct trend;

struct trend_type {
	const char *name; /* long option */
	const char *arg;  /* its argument's name in --help */
	const char *help;
	size_t enough;	  /* samples with the field, below which it is inconclusive */
	bool needs_field; /* a sample without the field fails, and is no gap */
	/* Parse what follows the field and its colon (@text is "" without). Returns NULL or what
	 * was expected. */
	const char *(*parse)(struct trend *t, char *text);
	/* A sample that has the field (and it is a number, unless any_kind). */
	void (*take)(struct trend *t, const struct sample *at, const struct field *v);
	bool any_kind;
	bool two_fields;
	void (*end)(struct trend *t); /* after the last sample, when there were enough; or NULL */
};

#define TRENDS_N 8

extern const struct trend_type trend_types[TRENDS_N];

/* The patterns of a command line. */
struct trends {
	struct trend **v;
	size_t n;
};

/*
 * Add a pattern of type @type for the option's argument @text. Returns 0, or -EINVAL with *@why a
 * line that says what was expected, for the caller to free.
 */
int trends_add(struct trends *ts, const struct trend_type *type, const char *text, char **why);
void trends_free(struct trends *ts);

/* What came of one pattern. */
struct trend_result {
	const struct trend_type *type;
	const char *text;     /* the option's argument; belongs to the trends */
	struct result result; /* .value: the worst that was measured, NAN where there is none */
	size_t samples, gaps; /* with the field, and without or with null or no number in it */
	char *first_gap;      /* where and why the first one was, NULL: none */
};

struct trend_report {
	struct trend_result *results; /* by pattern */
	size_t n;
	size_t samples, files;
	int64_t duration_ns; /* from the first sample to the last */
};

/*
 * Judge all patterns over the samples behind @operands (series_open()) into @report. Returns 0, or
 * a negative errno with *@message one line for the caller to free. Free @report with
 * trend_report_free() either way; it must not outlive @ts.
 */
int trends_judge(const struct trends *ts, char *const *operands, size_t n,
		 struct trend_report *report, char **message);

/* The same without any series: all is inconclusive, for the reason @why. */
void trends_lack(const struct trends *ts, const char *why, struct trend_report *report);
void trend_report_free(struct trend_report *report);

/* The patterns' verdicts folded; VERDICT_SKIP without any. */
enum verdict trend_report_verdict(const struct trend_report *report);

#endif
