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

/* A crew's histograms of one kind as they were at a step's beginning, by worker; or NULL. */
struct latencies {
	struct histogram *marks;
};

/* Mark the @n histograms at @of, which their workers go on to fill. */
void latencies_mark(struct latencies *l, struct histogram *const *of, size_t n);

/*
 * What has come since then: of each worker into @each (@n of them), and of all together into @all
 * (zeroed). Marks are spent by it.
 */
void latencies_take(struct latencies *l, struct histogram *const *of, size_t n,
		    struct latency *each, struct histogram *all);
void latencies_free(struct latencies *l, size_t n);

#endif
