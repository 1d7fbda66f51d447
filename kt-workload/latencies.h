/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Latencies by step. A worker has one histogram of its whole life; the parent marks where it stands
 * when a step begins and takes the difference when it ends.
 */
#ifndef KT_LATENCIES_H
#define KT_LATENCIES_H

#include <stddef.h>
#include <stdint.h>

#include "histogram.h"

/* What the stats say of a histogram. */
struct latency {
	uint64_t count, min, mean, p50, p90, p99, p999, max;
	double cv;
};

void latency_of(struct latency *l, const struct histogram *h);

/* One step of a crew: its workers together, and each of them. */
struct step_latency {
	struct histogram *all; /* NULL: the step has not been taken */
	struct latency *each;
};

/* A crew's histograms of one kind. */
struct latencies {
	struct histogram *marks; /* by worker: as they were at the step's beginning; or NULL */
	struct step_latency *steps;
	size_t n_steps;
};

/* What they take of the parent's memory for each worker, in bytes. */
size_t latencies_size(const struct latencies *l);

/*
 * Mark the @n histograms at @of (which their workers go on to fill), and take what has come since
 * for @step.
 */
void latencies_mark(struct latencies *l, struct histogram *const *of, size_t n);
void latencies_take(struct latencies *l, struct histogram *const *of, size_t n, size_t step);
void latencies_free(struct latencies *l, size_t n);

#endif
