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
	VALUE_COUNT,   /* 1 and up, never off */
	VALUE_REAL,    /* 0 and up */
	VALUE_SHARE,   /* 0 to 1 */
};

enum check_input {
	CHECK_STATS,
	CHECK_MONITOR,	 /* judged when there is monitor data, or on the command line */
	CHECK_PARAMETER, /* no check but a value that others use */
};

struct check {
	const char *name;  /* long option; the policy key has _ for - */
	const char *arg;   /* its argument's name in --help */
	const char *unit;  /* "-" without one */
	const char *help;  /* for --help: a line, or several split by \n */
	const char *about; /* for the manual page: sentences */
	enum value_kind kind;
	enum check_input input;
	enum direction fails;
	bool on;	   /* by default */
	bool with_starved; /* its default counts only while not-starved is on */
	double threshold;  /* default; 0 when off by default */
	double relaxed;	   /* with --relaxed; 0: the same */
	/* CHECK_STATS: judge one worker, or one cgroup with workers; exactly one of them is set. */
	void (*judge_worker)(const struct check *c, const struct worker *w, double threshold,
			     struct result *r);
	void (*judge_cgroup)(const struct check *c, const struct cgroup *cg, double threshold,
			     struct result *r);
	const char *nothing; /* why no worker or cgroup may be one to judge */
};

#define CHECKS_MAX 64 /* room in arrays by position in checks[] */

extern const struct check checks[];
extern const size_t checks_n;

/*
 * Judge @m into @r by a check of stats: inconclusive when it lacks what the check needs. Returns
 * whether there was anything that the check applies to.
 */
bool check_judge(const struct check *c, const struct measured *m, double threshold,
		 struct result *r);

/* There was nothing that the check applies to: inconclusive, and says why. */
void check_nothing(const struct check *c, struct result *r);

/* "above", "below", "zero", "any", "-". */
const char *direction_name(enum direction d);

/* Room for any double in fixed notation with the decimals that value_text() gives. */
#define VALUE_TEXT 352

/*
 * @value with @decimals, or with as many more (at most 9) as show that it lies beyond @threshold,
 * so that no line says "spread=15% (threshold 15%)".
 */
const char *value_text(char text[VALUE_TEXT], double value, double threshold, enum direction fails,
		       int decimals);

/* Decimals for ratios and rates: two, more where that leaves no two digits, none from 100 on. */
int rate_decimals(double value);

/* The row named @name, with '-' or, for a policy key, '_'; NULL if there is none. */
const struct check *check_find(const char *name, char separator);

/* Characters of the longest name, for columns. */
int check_name_width(void);

/* The check's name with @separator between its words. Caller frees. */
char *check_key(const struct check *c, char separator);

#endif
