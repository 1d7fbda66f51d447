/* SPDX-License-Identifier: GPL-2.0 */
/* A pattern at work: what trend.c, which runs them, and trend_types.c, the patterns, share. */
#ifndef KT_ASSERT_TREND_STATE_H
#define KT_ASSERT_TREND_STATE_H

#include "trend.h"

/* A field's value in a sample. */
struct point {
	long double v;
	struct sample at;
};

enum trend_op { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE };

struct trend {
	const struct trend_type *type;
	char *text;		  /* the option's argument */
	struct jsonpath field[2]; /* the second with two_fields only */
	size_t path[2];		  /* their positions among all paths of the series */
	/* Parameters, by type. */
	long double low, high; /* -inf and inf where there is no bound */
	long double target, tolerance;
	bool relative; /* the tolerance is a share of the target or mean */
	uint64_t time_ns;
	enum trend_op op;
	const char *value; /* in .text */
	bool is_number, is_word;
	/* State; all zero before the first sample. */
	struct result result;
	struct sample now;
	struct point first, last, min, max; /* of the samples with the field */
	long double second;		    /* two_fields: of the second one, now */
	long double mean;
	size_t samples, gaps, counted, streak;
	struct sample held; /* the last one in which it held; .number 0: none */
	bool done, passed_deadline;
	struct point nearest;
	char *first_gap;
};

/*
 * Note a failure, "PATTERN FIELD: ..." (or "PATTERN A / B: ..."). The arguments take time to make:
 * ask trend_full() first, which counts the failure and returns true when no more are kept.
 */
bool trend_full(struct trend *t);
void trend_fail(struct trend *t, long double value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Note that it could not be measured. */
void trend_unmeasured(struct trend *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "sample 4 at +400ms", "sample 4 (c.json) at +400ms". Caller frees. */
char *sample_text(const struct sample *at);

/* ", last held in sample 3 at +300ms", or "". Caller frees. */
char *held_text(const struct trend *t);

/* 400000000 as "400", 1234567 as "1.234567". Caller frees. */
char *ms_text(int64_t ns);

/* A whole number in full, others with up to 15 digits. Caller frees. */
char *number_text(long double v);

/* What a field holds, for a message: "no such field (found var)", "null", "a string", "5". Caller
 * frees. */
char *field_text(const struct jsonpath *path, const struct field *v);

#endif
