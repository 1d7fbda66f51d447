// SPDX-License-Identifier: GPL-2.0
#include "histogram.h"

#include <math.h>

#include "cleanup.h"

#define SUB_BUCKETS (1u << HISTOGRAM_SUB_BITS)

/* Values below 128 have a bucket each; above, the leading seven bits choose it. */
static unsigned int bucket_of(uint64_t ns)
{
	unsigned int shift;

	if (ns < 2 * SUB_BUCKETS)
		return ns;
	if (ns >> HISTOGRAM_MAX_BITS)
		return HISTOGRAM_BUCKETS - 1;
	shift = 63 - __builtin_clzll(ns) - HISTOGRAM_SUB_BITS;
	return (shift << HISTOGRAM_SUB_BITS) + (ns >> shift);
}

static uint64_t bucket_middle(unsigned int bucket)
{
	unsigned int shift;

	if (bucket < 2 * SUB_BUCKETS)
		return bucket;
	shift = (bucket >> HISTOGRAM_SUB_BITS) - 1;
	return ((uint64_t)(bucket - (shift << HISTOGRAM_SUB_BITS)) << shift) + (1ULL << shift) / 2;
}

void histogram_add(struct histogram *h, uint64_t ns)
{
	if (!h->count || ns < h->min)
		h->min = ns;
	if (ns > h->max)
		h->max = ns;
	h->count++;
	h->sum += ns;
	h->buckets[bucket_of(ns)]++;
}

void histogram_merge(struct histogram *h, const struct histogram *other)
{
	unsigned int i;

	if (!other->count)
		return;
	if (!h->count || other->min < h->min)
		h->min = other->min;
	if (other->max > h->max)
		h->max = other->max;
	h->count += other->count;
	h->sum += other->sum;
	for (i = 0; i < HISTOGRAM_BUCKETS; i++)
		h->buckets[i] += other->buckets[i];
}

void histogram_subtract(const struct histogram *h, struct histogram *mark)
{
	uint64_t count = 0;
	unsigned int i;

	mark->sum = h->sum - mark->sum;
	mark->min = mark->max = 0;
	for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
		/* What its owner adds meanwhile may be in one place and not yet in another. */
		uint32_t n = h->buckets[i] - mark->buckets[i];

		mark->buckets[i] = n;
		if (!n)
			continue;
		mark->max = i == HISTOGRAM_BUCKETS - 1 ? h->max : bucket_middle(i);
		if (!count)
			mark->min = mark->max;
		count += n;
	}
	mark->count = count;
	if (mark->max > h->max)
		mark->max = h->max;
	if (count && mark->min < h->min)
		mark->min = h->min;
}

uint64_t histogram_percentile(const struct histogram *h, double p)
{
	uint64_t rank = ceil(p * h->count), seen = 0, value;
	unsigned int i;

	if (!h->count)
		return 0;
	if (rank < 1)
		rank = 1;
	for (i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
		seen += h->buckets[i];
		if (seen >= rank)
			break;
	}
	value = bucket_middle(i);
	if (value < h->min)
		return h->min;
	return value > h->max ? h->max : value;
}

double histogram_mean(const struct histogram *h)
{
	return h->count ? (double)h->sum / h->count : 0;
}

double histogram_cv(const struct histogram *h)
{
	double mean = histogram_mean(h), squares = 0;
	unsigned int i;

	if (mean <= 0 || h->min == h->max)
		return 0;
	for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
		/* The last bucket takes everything beyond it. */
		double value = i == HISTOGRAM_BUCKETS - 1 ? h->max : bucket_middle(i);

		if (h->buckets[i])
			squares += h->buckets[i] * (value - mean) * (value - mean);
	}
	return sqrt(squares / h->count) / mean;
}
