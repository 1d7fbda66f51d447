/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a run measured: kt-stats/1 (docs/stats.md), read from JSON (stats.c), and the roll-ups per
 * cgroup that the checks need, computed from the workers (rollup.c).
 */
#ifndef KT_ASSERT_STATS_H
#define KT_ASSERT_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bind.h"
#include "cpuset.h"

/* Integers are BIND_NONE and reals NAN where a value is null: it could not be measured. */

/* Of a cgroup's workers together; only they have merged percentiles. */
struct wake_latency {
	int64_t count; /* BIND_NONE: the cgroup has none, its workers do not block */
	int64_t p99_ns;
	double cv;
};

struct worker {
	int64_t tid;
	int64_t cgroup; /* position in stats.cgroups */
	int64_t work_units, iterations;
	int64_t wall_ns, cpu_ns;
	double off_cpu_pct;
	int64_t migrations;
	int64_t max_gap_ns, max_gap_cpu, max_gap_at_ns;
	int64_t isolation_violations; /* checkpoints outside its cpuset */
	int64_t pages_migrated;
	char *cpus_used, *cpus_allowed; /* kept for workers that left their cpuset, else NULL */
	char *exit;			/* NULL: completed, or not told (in a step) */
	bool confined;			/* it had a cpuset */
	bool outside;			/* and ran outside it */
	bool no_pages;			/* numa_pages is null */
};

/* Pages of a cgroup's workers. */
struct pages {
	int64_t all, expected; /* expected: on the nodes where they should be */
	int64_t slow;	       /* on memory-only nodes; BIND_NONE: it is not known which are */
	int64_t migrated;
	size_t unknown, unknown_migrated; /* workers without the figure */
};

/* Sums saturate at INT64_MAX. Workers whose value is null are left out of each figure. */
struct cgroup {
	char *name;
	int64_t index;
	char *mempolicy;      /* "bind:0"; NULL: none, or not told */
	char *nodes_expected; /* list of nodes; NULL: its pages may be on any */
	struct wake_latency wake;
	size_t workers;
	size_t cpus; /* distinct ones that they ran on */
	int64_t migrations, iterations;
	int64_t gap_ns;		 /* longest, BIND_NONE without any */
	double off_min, off_max; /* NAN without any */
	double spread_pct;	 /* off_max - off_min */
	size_t rates;		 /* workers with CPU time and work units, in throughput_cv */
	double throughput_cv;	 /* population; NAN below two rates or a mean of 0 */
	struct pages pages;
	size_t null_off, null_migrations, null_iterations,
		null_rates; /* workers without the value */
	bool as_written;    /* the roll-up is the document's, not made from workers */
};

/* What a cgroup's workers add up to while they are read, for any order of the document's keys. */
struct gathered {
	struct cpuset cpus;
	struct bind_counts pages; /* by node */
};

/* What was measured in some time: the whole run, or one of its steps. */
struct measured {
	char *step;		  /* its name; NULL: the whole run */
	size_t position;	  /* of the step, from 1 */
	int64_t start_ns, end_ns; /* of the step, from the common start */
	struct cgroup *cgroups; /* all of the run's; a step's without workers did not live in it */
	size_t n_cgroups, max_cgroups;
	struct worker *workers;
	size_t n_workers, max_workers;
	/*
	 * Whether the workers' own figures are known. A step's may not be; its roll-ups are then
	 * those that the document has.
	 */
	bool has_workers;
	/* Over all cgroups. */
	size_t all_workers;
	int64_t cpus; /* distinct ones; BIND_NONE: not known */
	int64_t migrations, worst_gap_ns;
	double worst_spread_pct;
	struct gathered **gathered; /* by cgroup; NULL: nothing so far */
	size_t n_gathered;
};

struct numa_node {
	int64_t node;
	bool memory_only;
};

struct stats {
	char *schema, *scenario, *topology, *sched, *exit;
	int64_t wall_ns;
	struct bind_strings errors;
	struct measured run;
	struct measured *steps; /* those asked for */
	size_t n_steps, max_steps;
	struct bind_strings step_names; /* of all steps, asked for or not */
	bool has_nodes;			/* the stats tell the machine's nodes */
	struct cpuset memory_only;	/* of them */
};

#define STEP_EACH "" /* for "which steps": all of them */

/*
 * Read @fd to its end into @s, whatever was in it. @step says which steps to keep: NULL none,
 * STEP_EACH all, otherwise those of that name. Returns 0, what bind_finish() returns for malformed
 * input, or another negative errno from read(2); *@message is then one line, without the file's
 * name, that the caller frees, and @s is empty. Free @s with stats_free().
 */
int stats_read(int fd, const char *step, struct stats *s, char **message);
void stats_free(struct stats *s);

/* The same in pieces, fed and finished as a struct bind is; @s is filled by stats_finish(). */
struct stats_reader;
struct stats_reader *stats_open(const char *step);
int stats_feed(struct stats_reader *r, const void *data, size_t len);
int stats_finish(struct stats_reader *r, struct stats *s);
const char *stats_error(const struct stats_reader *r);
void stats_close(struct stats_reader *r);

/* Add @n, never beyond INT64_MAX. */
void add_saturated(int64_t *sum, int64_t n);

/* Compute the roll-ups of @m, of @s, from its workers; stats_finish() has done it for all. */
void measured_rollup(const struct stats *s, struct measured *m);

/* Work units per second of CPU time, or NAN when it could not be measured. */
double worker_rate(const struct worker *w);

#endif
