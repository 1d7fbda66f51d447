// SPDX-License-Identifier: GPL-2.0
#include "latencies.h"

#include <stdlib.h>
#include <string.h>

#include "diag.h"
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

size_t latencies_size(const struct latencies *l)
{
	return l->n_steps > 1 ? sizeof(*l->marks) + l->n_steps * sizeof(struct latency) : 0;
}

void latencies_mark(struct latencies *l, struct histogram *const *of, size_t n)
{
	size_t i;

	if (!n)
		return;
	if (!l->marks) {
		l->marks = own_memory(n, sizeof(*l->marks));
		l->steps = xcalloc(l->n_steps, sizeof(*l->steps));
	}
	for (i = 0; i < n; i++)
		l->marks[i] = *of[i];
}

void latencies_take(struct latencies *l, struct histogram *const *of, size_t n, size_t step)
{
	struct step_latency *s;
	size_t i;

	if (!l->marks || step >= l->n_steps || l->steps[step].all)
		return;
	s = &l->steps[step];
	s->all = xcalloc(1, sizeof(*s->all));
	s->each = xcalloc(n, sizeof(*s->each));
	for (i = 0; i < n; i++) {
		histogram_subtract(of[i], &l->marks[i]);
		latency_of(&s->each[i], &l->marks[i]);
		histogram_merge(s->all, &l->marks[i]);
	}
}

void latencies_free(struct latencies *l, size_t n)
{
	size_t i;

	for (i = 0; l->steps && i < l->n_steps; i++) {
		free(l->steps[i].all);
		free(l->steps[i].each);
	}
	if (l->marks)
		own_memory_free(l->marks, n, sizeof(*l->marks));
	free(l->steps);
	*l = (struct latencies){};
}
