// SPDX-License-Identifier: GPL-2.0
/* From workers to the figures of a cgroup. */
#include <math.h>
#include <stdlib.h>

#include "cleanup.h"
#include "diag.h"
#include "stats.h"

double worker_rate(const struct worker *w)
{
	if (w->cpu_ns <= 0 || w->work_units == BIND_NONE)
		return NAN;
	return w->work_units / (w->cpu_ns / 1e9);
}

void add_saturated(int64_t *sum, int64_t n)
{
	if (__builtin_add_overflow(*sum, n, sum))
		*sum = INT64_MAX;
}

/* Running mean and sum of squared deviations of one cgroup's rates (Welford's method). */
struct moments {
	double mean, m2;
};

static void add_rate(struct cgroup *cg, struct moments *m, double rate)
{
	double delta = rate - m->mean;

	if (isnan(rate))
		return;
	cg->rates++;
	m->mean += delta / cg->rates;
	m->m2 += delta * (rate - m->mean);
}

static void add_worker(struct cgroup *cg, struct moments *m, const struct worker *w)
{
	cg->workers++;
	if (w->migrations == BIND_NONE)
		cg->null_migrations++;
	else
		add_saturated(&cg->migrations, w->migrations);
	if (w->iterations == BIND_NONE)
		cg->null_iterations++;
	else
		add_saturated(&cg->iterations, w->iterations);
	if (w->max_gap_ns > cg->gap_ns)
		cg->gap_ns = w->max_gap_ns;
	if (w->cpu_ns == BIND_NONE || w->work_units == BIND_NONE)
		cg->null_rates++;
	if (isnan(w->off_cpu_pct))
		cg->null_off++;
	cg->off_min = fmin(cg->off_min, w->off_cpu_pct);
	cg->off_max = fmax(cg->off_max, w->off_cpu_pct);
	cg->pages.unknown += w->no_pages;
	if (w->pages_migrated == BIND_NONE)
		cg->pages.unknown_migrated++;
	else
		add_saturated(&cg->pages.migrated, w->pages_migrated);
	add_rate(cg, m, worker_rate(w));
}

static void add_pages(const struct stats *s, struct cgroup *cg, const struct bind_counts *by_node)
{
	struct cpuset expected;
	size_t i;

	cpuset_clear(&expected);
	if (cg->nodes_expected)
		cpuset_parse(cg->nodes_expected, &expected);
	for (i = 0; i < by_node->n; i++) {
		const struct bind_count *c = &by_node->v[i];

		add_saturated(&cg->pages.all, c->n);
		if (cpuset_has(&expected, c->key))
			add_saturated(&cg->pages.expected, c->n);
		if (s->has_nodes && cpuset_has(&s->memory_only, c->key))
			add_saturated(&cg->pages.slow, c->n);
	}
}

/* The figures that are made here; what was read, and the name, stay. */
static void cgroup_reset(const struct stats *s, struct cgroup *cg)
{
	*cg = (struct cgroup){
		.name = cg->name,
		.index = cg->index,
		.mempolicy = cg->mempolicy,
		.nodes_expected = cg->nodes_expected,
		.wake = cg->wake,
		.gap_ns = BIND_NONE,
		.off_min = NAN,
		.off_max = NAN,
		.throughput_cv = NAN,
		.pages.slow = s->has_nodes ? 0 : BIND_NONE,
	};
}

static void from_workers(const struct stats *s, struct measured *m)
{
	_cleanup_free_ struct moments *moments = xcalloc(m->n_cgroups, sizeof(*moments));
	size_t i;

	for (i = 0; i < m->n_cgroups; i++)
		cgroup_reset(s, &m->cgroups[i]);
	for (i = 0; i < m->n_workers; i++) {
		const struct worker *w = &m->workers[i];

		add_worker(&m->cgroups[w->cgroup], &moments[w->cgroup], w);
	}
	for (i = 0; i < m->n_cgroups; i++) {
		struct cgroup *cg = &m->cgroups[i];

		cg->spread_pct = cg->off_max - cg->off_min;
		if (cg->rates >= 2 && moments[i].mean > 0)
			cg->throughput_cv = sqrt(moments[i].m2 / cg->rates) / moments[i].mean;
		if (i < m->n_gathered && m->gathered[i]) {
			cg->cpus = cpuset_count(&m->gathered[i]->cpus);
			add_pages(s, cg, &m->gathered[i]->pages);
		}
	}
}

void measured_rollup(const struct stats *s, struct measured *m)
{
	struct cpuset all;
	size_t i;

	if (m->has_workers)
		from_workers(s, m);
	cpuset_clear(&all);
	m->worst_gap_ns = BIND_NONE;
	m->worst_spread_pct = NAN;
	m->all_workers = 0;
	for (i = 0; i < m->n_cgroups; i++) {
		const struct cgroup *cg = &m->cgroups[i];

		if (i < m->n_gathered && m->gathered[i])
			cpuset_or(&all, &m->gathered[i]->cpus);
		m->all_workers += cg->workers;
		add_saturated(&m->migrations, cg->migrations);
		if (cg->gap_ns > m->worst_gap_ns)
			m->worst_gap_ns = cg->gap_ns;
		m->worst_spread_pct = fmax(m->worst_spread_pct, cg->spread_pct);
	}
	m->cpus = m->has_workers ? (int64_t)cpuset_count(&all) : BIND_NONE;
}
