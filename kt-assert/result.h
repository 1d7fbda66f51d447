/* SPDX-License-Identifier: GPL-2.0 */
/* What came of one check: its verdict, the worst value seen, and a line for each finding. */
#ifndef KT_ASSERT_RESULT_H
#define KT_ASSERT_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Verdicts fold to the most severe. */
enum verdict {
	VERDICT_SKIP,
	VERDICT_PASS,
	VERDICT_INCONCLUSIVE, /* could not be measured */
	VERDICT_FAIL,
};

/* "skip", "pass", "inconclusive", "fail". */
const char *verdict_name(enum verdict v);

/* Whom a value or a finding is about: a worker, a cgroup, a CPU, or else the run (cgroup < 0). */
struct subject {
	long cgroup;
	bool is_worker, is_cpu;
	int64_t tid; /* BIND_NONE: unknown */
	size_t cpu;
};

/* "tid 7", "cg0", "cpu3", "run". Caller frees. */
char *subject_text(const struct subject *who);

/* The time that is judged. */
struct scope {
	const char *step;   /* its name; NULL: the whole run */
	const char *suffix; /* for the lines of findings, " in step load"; NULL: none */
};

struct finding {
	enum verdict verdict; /* VERDICT_FAIL or VERDICT_INCONCLUSIVE */
	const char *step;     /* of the scope in which it was found */
	struct subject who;
	double value; /* NAN: none */
	char *text;   /* the report's line, not yet made safe for a terminal */
};

#define FINDINGS_MAX 100 /* kept for each check and verdict; more are only counted */

enum direction {
	FAILS_ABOVE, /* the threshold */
	FAILS_BELOW,
	FAILS_ZERO, /* no threshold: a count of 0 fails */
	FAILS_ANY,  /* no threshold: any occurrence fails */
	FAILS_NEVER,
};

struct result {
	enum verdict verdict;
	double value; /* the worst that was measured, in the check's unit; NAN: nothing was */
	struct subject who;
	const char *step;   /* in which it was */
	struct scope scope; /* of what is added from now on; its texts outlive the result */
	bool judged;	    /* something was measured or added since the caller cleared this */
	struct finding *findings;
	size_t n_findings, max_findings;
	size_t counts[VERDICT_FAIL + 1]; /* findings by verdict, those not kept included */
};

void result_init(struct result *r);
void result_free(struct result *r);

/* A value was measured: keeps the worst one and makes the verdict at least pass. */
void result_measured(struct result *r, enum direction fails, struct subject who, double value);

/* Findings of that verdict beyond FINDINGS_MAX. */
size_t result_omitted(const struct result *r, enum verdict v);

/* Add a finding and fold its verdict in; @value NAN: none. */
void result_add(struct result *r, enum verdict v, struct subject who, double value, const char *fmt,
		...) __attribute__((format(printf, 5, 6)));

#endif
