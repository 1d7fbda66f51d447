// SPDX-License-Identifier: GPL-2.0
#include "latencies.h"

#include "own_memory.h"

void latency_of(struct latency *l, const struct histogram *h)
{
	*l = (struct latency){
		.count = h->count,
		.min = h->min,
		.mean = histogram_mean(h),
		.p50 = histogram_percentile(h, 0.5),
		.p90 = histogram_percentile(h, 0.9),
		.p99 = histogram_percentile(h, 0.99),
		.p999 = histogram_percentile(h, 0.999),
		.max = h->max,
		.cv = histogram_cv(h),
	};
}

void latencies_mark(struct latencies *l, struct histogram *const *of, size_t n)
{
	size_t i;

	if (!l->marks)
		l->marks = own_memory(n, sizeof(*l->marks));
	for (i = 0; i < n; i++)
		l->marks[i] = *of[i];
}

void latencies_take(struct latencies *l, struct histogram *const *of, size_t n,
		    struct latency *each, struct histogram *all)
{
	size_t i;

	for (i = 0; i < n; i++) {
		histogram_subtract(of[i], &l->marks[i]);
		latency_of(&each[i], &l->marks[i]);
		histogram_merge(all, &l->marks[i]);
	}
}

void latencies_free(struct latencies *l, size_t n)
{
	if (l->marks)
		own_memory_free(l->marks, n, sizeof(*l->marks));
	*l = (struct latencies){};
}
