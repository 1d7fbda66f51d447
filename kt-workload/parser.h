/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of the scenario parser share: the state of the parse and the op table's rows. */
#ifndef KT_PARSER_H
#define KT_PARSER_H

#include "scenario.h"

struct run;

struct parser {
	struct scenario *sc;
	const struct machine *machine;
	const struct scenario_defaults *defaults;
	const char *file;
	int line;
	int mistakes;
	int duration_line; /* where the script set it, or 0 */
};

/*
 * One word of the language. parse() gets the words of the line (words[0] is the name) and reports
 * mistakes through parser_error(); with @op not NULL it fills in what apply() will need. A row
 * without apply() only describes the scenario.
 */
struct op_row {
	const char *name;
	const char *synopsis;
	void (*parse)(struct parser *p, char **words, struct op *op);
	/* Do it. Returns 0, or -errno with the error in the run's list. */
	int (*apply)(struct run *run, const struct op *op);
	bool once; /* a loop does not repeat it */
};

extern const struct op_row op_rows[]; /* ends with a row without a name */

/* Report a mistake in the current line, and in another one. */
void parser_error(struct parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void parser_error_at(struct parser *p, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The one operand of a line; NULL, with the mistake told, when there is none or more than one. */
const char *parser_operand(struct parser *p, char **words, const char *expected);

/* Report "@why" and free it. */
void parser_error_take(struct parser *p, char *why);

/* The cgroup that is called @name here, or NULL with the mistake told. */
struct cgroup_def *cgroup_def_find(struct parser *p, const char *name);

/* The same, with workers that run. */
struct cgroup_def *cgroup_def_find_working(struct parser *p, const char *name);

/* At the line that is being parsed: whether @def exists, ... */
bool cgroup_def_lives(const struct parser *p, const struct cgroup_def *def);

/* ... whether workers are in it, ... */
bool cgroup_def_working(const struct parser *p, const struct cgroup_def *def);

/* ... whether some of them start in this step (@def may be NULL), ... */
bool cgroup_def_starts(const struct parser *p, const struct cgroup_def *def);

/* ... and one that is below it, or NULL. */
const struct cgroup_def *cgroup_def_below(const struct parser *p, const struct cgroup_def *def);

/* The nearest one above it that has a CPU set, or (@mems) NUMA nodes; NULL if there is none. */
const struct cgroup_def *cgroup_def_above(const struct parser *p, const struct cgroup_def *def,
					  bool mems);

/* Whether what is above @def lets it have @cpus; else the mistake is told. */
bool cgroup_def_may_have(struct parser *p, const struct cgroup_def *def, const struct cpuset *cpus);

/* Whether @name lies below @above ("a/b" below "a"). */
bool cgroup_name_below(const char *name, const char *above);

/* Whether the workers @group run at this line. */
bool group_runs(const struct parser *p, const struct group_def *group);

/* The CPUs that workers in @def may run on at this line. */
const struct cpuset *cgroup_def_cpus(const struct parser *p, const struct cgroup_def *def);

/* What is outside of the cgroups, "/". */
struct cgroup_def *parser_root(struct parser *p);

/* The step that the current line belongs to. */
struct step *parser_step(struct parser *p);

/*
 * Parse the key=value options @words (NULL-terminated) of a line that makes @group: its cgroup's
 * own
 * (@make: those of the cgroup are allowed, too, and are kept for later lines), or others' for which
 * the cgroup's line says what they leave open. Then check and complete them.
 */
void worker_keys_parse(struct parser *p, char **words, struct group_def *group, bool make);

/* How many options there are: cgroup_def.options has as many entries. */
size_t worker_keys_count(void);

/* A new group of workers for @def that starts in the current step; belongs to the scenario. */
struct group_def *group_add(struct parser *p, struct cgroup_def *def);

#endif
