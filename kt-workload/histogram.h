/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Log-linear histogram of nanoseconds: 64 buckets for each power of two, so that a bucket's middle
 * is within 0.8% of every value in it. Adding is a few instructions and never allocates.
 */
#ifndef KT_HISTOGRAM_H
#define KT_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_SUB_BITS 6
#define HISTOGRAM_MAX_BITS 42 /* 73 minutes; longer times count in the last bucket */
#define HISTOGRAM_BUCKETS  ((HISTOGRAM_MAX_BITS - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS)

struct histogram {
	uint64_t count, min, max;
	uint64_t sum;
	uint32_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t ns);
void histogram_merge(struct histogram *h, const struct histogram *other);

/*
 * Turn @mark, an earlier state of @h, into what has been added since: @h - @mark. Its min and max
 * are those of its buckets, within 0.8%.
 */
void histogram_subtract(const struct histogram *h, struct histogram *mark);

/* The value below or at which the share @p (0 to 1) of all values lies; 0 for an empty one. */
uint64_t histogram_percentile(const struct histogram *h, double p);
double histogram_mean(const struct histogram *h);

/*
 * Coefficient of variation (population), from the buckets; 0 for an empty one or a zero mean.
 */
double histogram_cv(const struct histogram *h);

#endif
