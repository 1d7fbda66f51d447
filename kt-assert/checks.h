/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The checks, one row each: the option and policy key, its unit and default, and the function
 * that judges. Options, --help, --list-checks, policy files and reports all follow from the rows.
 */
#ifndef KT_ASSERT_CHECKS_H
#define KT_ASSERT_CHECKS_H

#include <stdbool.h>
#include <stddef.h>

#include "result.h"
#include "stats.h"

enum value_kind {
	VALUE_SWITCH,  /* on or off, no threshold */
	VALUE_PERCENT, /* 0 to 100 */
	VALUE_WHOLE,   /* 0 and up */
	VALUE_REAL,    /* 0 and up */
};

struct check {
	const char *name; /* long option; the policy key has _ for - */
	const char *arg;  /* its argument's name in --help */
	const char *unit; /* "-" without one */
	const char *help;
	enum value_kind kind;
	enum direction fails;
	bool on;	   /* by default */
	bool with_starved; /* its default counts only while not-starved is on */
	double threshold;  /* default; 0 when off by default */
	double relaxed;	   /* with --relaxed; 0: the same */
	/* Judge one worker, or one cgroup that has workers; exactly one of them is set. */
	void (*judge_worker)(const struct check *c, const struct worker *w, double threshold,
			     struct result *r);
	void (*judge_cgroup)(const struct check *c, const struct cgroup *cg, double threshold,
			     struct result *r);
	const char *nothing; /* why no worker or cgroup may be one to judge */
};

#define CHECKS_N 10

extern const struct check checks[CHECKS_N];

/* Judge all of @s into @r: inconclusive when there is nothing that the check applies to. */
void check_judge(const struct check *c, const struct stats *s, double threshold, struct result *r);

/* "above", "below", "zero", "any". */
const char *direction_name(enum direction d);

/* The row named @name, with '-' or, for a policy key, '_'; NULL if there is none. */
const struct check *check_find(const char *name, char separator);

/* The check's name with @separator between its words. Caller frees. */
char *check_key(const struct check *c, char separator);

#endif
