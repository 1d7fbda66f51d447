/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a run measured: kt-stats/1 (docs/stats.md), read from JSON, and the roll-ups per cgroup
 * that the checks need, computed here from the workers.
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
	int64_t isolation_violations;	/* checkpoints outside its cpuset */
	char *cpus_used, *cpus_allowed; /* kept for workers that left their cpuset, else NULL */
	char *exit;			/* NULL: completed */
	bool confined;			/* it had a cpuset */
	bool outside;			/* and ran outside it */
};

/* Sums saturate at INT64_MAX. Workers whose value is null are left out of each figure. */
struct cgroup {
	char *name;
	int64_t index;
	struct wake_latency wake;
	size_t workers;
	size_t cpus; /* distinct ones that they ran on */
	int64_t migrations, iterations;
	int64_t gap_ns;		 /* longest, BIND_NONE without any */
	double off_min, off_max; /* NAN without any */
	double spread_pct;	 /* off_max - off_min */
	size_t rates;		 /* workers with CPU time and work units, in throughput_cv */
	double throughput_cv;	 /* population; NAN below two rates or a mean of 0 */
	size_t null_off, null_migrations, null_iterations,
		null_rates; /* workers without the value */
};

struct stats {
	char *schema, *scenario, *topology, *sched, *exit;
	struct bind_strings errors;
	struct cgroup *cgroups;
	size_t n_cgroups, max_cgroups;
	struct worker *workers;
	size_t n_workers, max_workers;
	/* Over all cgroups. */
	size_t cpus;
	int64_t migrations, worst_gap_ns;
	double worst_spread_pct;
	/* While reading. */
	struct cgroup next_cgroup;
	struct worker next_worker;
	struct cpuset **used; /* by cgroup: CPUs its workers ran on, NULL: none yet */
	size_t n_used;
};

/* The document's tables, for bind_open(); the stats must be cleared with stats_init(). */
extern const struct bind_type stats_type;

void stats_init(struct stats *s);
void stats_free(struct stats *s);

/*
 * Read @fd to its end. Returns 0, -EBADMSG for malformed input, or another negative errno from
 * read(2); *@message is then one line, without the file's name, that the caller frees.
 */
int stats_read(int fd, struct stats *s, char **message);

/* Compute the roll-ups once everything is read; stats_read() has done it. */
void stats_rollup(struct stats *s);

/* Work units per second of CPU time, or NAN when it could not be measured. */
double worker_rate(const struct worker *w);

#endif
