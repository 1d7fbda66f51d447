/* SPDX-License-Identifier: GPL-2.0 */
/* From tallies to the figures of a worker, and from workers to the figures of a cgroup. */
#ifndef KT_ROLLUP_H
#define KT_ROLLUP_H

#include "crew_steps.h"

/* One worker over its whole life, or within one step. */
struct figures {
	bool measured; /* it was started, and time has passed */
	uint64_t units, iterations, migrations, violations;
	uint64_t wall_ns, cpu_ns;
	double off_cpu_pct;
	struct gap gap;
	struct cpuset cpus;
	struct latency wake, request;
};

/* A cgroup's workers together. */
struct rollup {
	unsigned int workers, measured;
	uint64_t units, iterations, migrations;
	double off_cpu_min, off_cpu_max;
	struct gap gap;
	int gap_tid;
	struct cpuset cpus;
	struct histogram wake, request;
	struct metric metrics[METRICS_MAX]; /* over whole lives */
	/* units per CPU nanosecond, over workers with CPU time */
	unsigned int rates;
	double rate_sum, rate_sum_squares;
};

/* @m over its whole life. */
void figures_of_life(const struct member *m, struct figures *f);

/* @m within a step that it lived through, which lasted from @start_ns to @end_ns. */
void figures_of_step(const struct member *m, const struct crew_step *cs, uint64_t start_ns,
		     uint64_t end_ns, struct figures *f);

/* Add one worker (zero-initialise the roll-up first). */
void rollup_add(struct rollup *r, const struct member *m, const struct figures *f);

/* Add the latencies of one worker's life, or those of a whole crew within a step. */
void rollup_add_latencies(struct rollup *r, const struct record *rec);
void rollup_add_step_latencies(struct rollup *r, const struct crew_step *cs);

/* Add the metrics of one worker. */
void rollup_add_metrics(struct rollup *r, const struct record *rec);

/* Coefficient of variation (population) of the rates, or a negative number below two rates. */
double rollup_throughput_cv(const struct rollup *r);

#endif
