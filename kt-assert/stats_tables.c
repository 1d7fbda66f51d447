// SPDX-License-Identifier: GPL-2.0
/* Which keys kt-stats/1 has (docs/stats.md), and where their values go. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "stats_reader.h"

#define FIELD(struct_, key_, kind_, member_, flags_)                                              \
	{                                                                                         \
		.key = key_, .kind = kind_, .offset = offsetof(struct_, member_), .flags = flags_ \
	}
#define LIST(struct_, key_, member_, flags_, type_)                                   \
	{                                                                             \
		.key = key_, .kind = BIND_LIST, .offset = offsetof(struct_, member_), \
		.flags = flags_, .type = type_                                        \
	}

#define MEASURED (BIND_REQUIRED | BIND_NULL)

static const struct bind_field wake_fields[] = {
	FIELD(struct wake_latency, "count", BIND_INT, count, BIND_REQUIRED),
	FIELD(struct wake_latency, "p99_ns", BIND_INT, p99_ns, BIND_NULL),
	FIELD(struct wake_latency, "cv", BIND_REAL, cv, BIND_NULL),
};

static const struct bind_type wake_type = {
	.fields = wake_fields,
	.n_fields = ARRAY_SIZE(wake_fields),
};

/* What the cgroups of the run and of steps have in common. */
#define CGROUP_FIELDS(struct_, prefix_)                                                            \
	FIELD(struct_, "name", BIND_STRING, prefix_ name, BIND_REQUIRED),                          \
		FIELD(struct_, "index", BIND_INT, prefix_ index, BIND_REQUIRED),                   \
		FIELD(struct_, "mempolicy", BIND_STRING, prefix_ mempolicy, BIND_NULL),            \
		FIELD(struct_, "numa_nodes_expected", BIND_STRING, prefix_ nodes_expected,         \
		      BIND_NULL),                                                                  \
	{                                                                                          \
		.key = "wake_latency", .kind = BIND_OBJECT,                                        \
		.offset = offsetof(struct_, prefix_ wake), .flags = BIND_NULL, .type = &wake_type, \
	}

static const struct bind_field cgroup_fields[] = {
	CGROUP_FIELDS(struct cgroup, ),
};

/* Make room for one more entry of @size bytes in *@array. */
static void grow(void *array, size_t n, size_t *max, size_t size)
{
	if (n < *max)
		return;
	*max = *max ? *max + *max / 2 : 8;
	*(void **)array = xrealloc(*(void **)array, *max * size);
}

static const char *cgroup_nodes(const struct cgroup *cg, const char **key)
{
	struct cpuset nodes;

	*key = "numa_nodes_expected";
	if (cg->nodes_expected && cpuset_parse(cg->nodes_expected, &nodes))
		return "expected a list of nodes below 4096, for example \"0-1\"";
	return NULL;
}

static void cgroup_keep(struct measured *m, struct cgroup *cg)
{
	grow(&m->cgroups, m->n_cgroups, &m->max_cgroups, sizeof(*m->cgroups));
	m->cgroups[m->n_cgroups++] = *cg;
	memset(cg, 0, sizeof(*cg));
}

static void *cgroup_begin(void *owner)
{
	return &((struct stats_reader *)owner)->cgroup;
}

static const char *cgroup_end(void *owner, void *base, const char **key)
{
	struct stats_reader *r = owner;
	struct cgroup *cg = base;
	const char *wrong = cgroup_nodes(cg, key);

	if (wrong)
		return wrong;
	if (cg->index != (int64_t)r->s.run.n_cgroups || cg->index >= CGROUPS_MAX) {
		*key = "index";
		return "expected the cgroup's position in the array, below 65536";
	}
	cgroup_keep(&r->s.run, cg);
	return NULL;
}

static const struct bind_type cgroup_type = {
	.fields = cgroup_fields,
	.n_fields = ARRAY_SIZE(cgroup_fields),
	.begin = cgroup_begin,
	.end = cgroup_end,
};

static const struct bind_field worker_fields[] = {
	FIELD(struct read_worker, "tid", BIND_INT, worker.tid, MEASURED),
	FIELD(struct read_worker, "cgroup_index", BIND_INT, worker.cgroup, BIND_REQUIRED),
	FIELD(struct read_worker, "work_units", BIND_INT, worker.work_units, MEASURED),
	FIELD(struct read_worker, "iterations", BIND_INT, worker.iterations, MEASURED),
	FIELD(struct read_worker, "wall_ns", BIND_INT, worker.wall_ns, MEASURED),
	FIELD(struct read_worker, "cpu_ns", BIND_INT, worker.cpu_ns, MEASURED),
	FIELD(struct read_worker, "off_cpu_pct", BIND_REAL, worker.off_cpu_pct, MEASURED),
	FIELD(struct read_worker, "migrations", BIND_INT, worker.migrations, MEASURED),
	FIELD(struct read_worker, "cpus_used", BIND_STRING, worker.cpus_used, MEASURED),
	FIELD(struct read_worker, "cpus_allowed", BIND_STRING, worker.cpus_allowed, BIND_NULL),
	FIELD(struct read_worker, "isolation_violations", BIND_INT, worker.isolation_violations,
	      BIND_NULL),
	FIELD(struct read_worker, "max_gap_ns", BIND_INT, worker.max_gap_ns, MEASURED),
	FIELD(struct read_worker, "max_gap_cpu", BIND_INT, worker.max_gap_cpu, BIND_NULL),
	FIELD(struct read_worker, "max_gap_at_ns", BIND_INT, worker.max_gap_at_ns, BIND_NULL),
	FIELD(struct read_worker, "numa_pages", BIND_COUNTS, pages, BIND_NULL),
	FIELD(struct read_worker, "numa_pages_migrated", BIND_INT, worker.pages_migrated,
	      BIND_NULL),
	/* The last one: a step's worker has none. */
	FIELD(struct read_worker, "exit", BIND_STRING, worker.exit, BIND_REQUIRED),
};

static void *worker_begin(void *owner)
{
	return &((struct stats_reader *)owner)->worker;
}

/* What cgroup @index's workers add up to; made when first asked for. */
static struct gathered *gathered(struct measured *m, size_t index)
{
	if (index >= m->n_gathered) {
		m->gathered = xrealloc(m->gathered, (index + 1) * sizeof(*m->gathered));
		memset(m->gathered + m->n_gathered, 0,
		       (index + 1 - m->n_gathered) * sizeof(*m->gathered));
		m->n_gathered = index + 1;
	}
	if (!m->gathered[index])
		m->gathered[index] = xcalloc(1, sizeof(struct gathered));
	return m->gathered[index];
}

/* Fold the worker's CPU sets into its cgroup's and keep their text only where a report needs it. */
static const char *worker_cpus(struct measured *m, struct worker *w, const char **key)
{
	static const char list[] = "expected a CPU list below 4096, for example \"0-1,4\"";
	struct cpuset used, allowed;

	*key = "cpus_used";
	if (w->cpus_used && cpuset_parse(w->cpus_used, &used))
		return list;
	*key = "cpus_allowed";
	if (w->cpus_allowed && cpuset_parse(w->cpus_allowed, &allowed))
		return list;
	w->confined = w->cpus_allowed || w->isolation_violations != BIND_NONE;
	w->outside = w->isolation_violations > 0 ||
		     (w->cpus_used && w->cpus_allowed && !cpuset_subset(&used, &allowed));
	if (w->cpus_used)
		cpuset_or(&gathered(m, w->cgroup)->cpus, &used);
	if (!w->outside) {
		free(take_ptr(w->cpus_used));
		free(take_ptr(w->cpus_allowed));
	}
	return NULL;
}

static void worker_pages(struct measured *m, struct read_worker *rw)
{
	struct bind_counts *sum;
	size_t i, k;

	rw->worker.no_pages = !rw->pages.there;
	if (!rw->pages.n)
		return;
	sum = &gathered(m, rw->worker.cgroup)->pages;
	for (i = 0; i < rw->pages.n; i++) {
		for (k = 0; k < sum->n && sum->v[k].key != rw->pages.v[i].key; k++)
			;
		if (k < sum->n) {
			add_saturated(&sum->v[k].n, rw->pages.v[i].n);
			continue;
		}
		grow(&sum->v, sum->n, &sum->max, sizeof(*sum->v));
		sum->v[sum->n++] = rw->pages.v[i];
	}
}

static const char *worker_keep(struct measured *m, struct read_worker *rw, const char **key)
{
	struct worker *w = &rw->worker;
	const char *wrong;

	*key = "cgroup_index";
	if (w->cgroup >= CGROUPS_MAX)
		return "expected a cgroup's position, below 65536";
	wrong = worker_cpus(m, w, key);
	if (wrong)
		return wrong;
	worker_pages(m, rw);
	if (w->exit && !strcmp(w->exit, "completed"))
		free(take_ptr(w->exit));
	grow(&m->workers, m->n_workers, &m->max_workers, sizeof(*m->workers));
	m->workers[m->n_workers++] = *w;
	memset(w, 0, sizeof(*w));
	return NULL;
}

static const char *worker_end(void *owner, void *base, const char **key)
{
	return worker_keep(&((struct stats_reader *)owner)->s.run, base, key);
}

static const struct bind_type worker_type = {
	.fields = worker_fields,
	.n_fields = ARRAY_SIZE(worker_fields),
	.begin = worker_begin,
	.end = worker_end,
};

static const char *step_worker_end(void *owner, void *base, const char **key)
{
	return worker_keep(&((struct stats_reader *)owner)->next_step, base, key);
}

static const struct bind_type step_worker_type = {
	.fields = worker_fields,
	.n_fields = ARRAY_SIZE(worker_fields) - 1,
	.begin = worker_begin,
	.end = step_worker_end,
};

static const struct bind_field step_cgroup_fields[] = {
	CGROUP_FIELDS(struct read_cgroup, cg.),
	FIELD(struct read_cgroup, "workers", BIND_INT, workers, BIND_NULL),
	FIELD(struct read_cgroup, "cpus", BIND_INT, cpus, BIND_NULL),
	FIELD(struct read_cgroup, "off_cpu_pct_min", BIND_REAL, cg.off_min, BIND_NULL),
	FIELD(struct read_cgroup, "off_cpu_pct_max", BIND_REAL, cg.off_max, BIND_NULL),
	FIELD(struct read_cgroup, "spread_pct", BIND_REAL, cg.spread_pct, BIND_NULL),
	FIELD(struct read_cgroup, "max_gap_ns", BIND_INT, cg.gap_ns, BIND_NULL),
	FIELD(struct read_cgroup, "migrations", BIND_INT, migrations, BIND_NULL),
	FIELD(struct read_cgroup, "iterations", BIND_INT, iterations, BIND_NULL),
	FIELD(struct read_cgroup, "throughput_cv", BIND_REAL, cg.throughput_cv, BIND_NULL),
};

static void *step_cgroup_begin(void *owner)
{
	return &((struct stats_reader *)owner)->step_cgroup;
}

/* Figures that are null count as unknown for every worker. */
static const char *step_cgroup_end(void *owner, void *base, const char **key)
{
	struct stats_reader *r = owner;
	struct read_cgroup *rc = base;
	struct cgroup *cg = &rc->cg;
	const char *wrong = cgroup_nodes(cg, key);

	if (wrong)
		return wrong;
	cg->as_written = true;
	cg->workers = rc->workers > 0 ? rc->workers : 0;
	cg->cpus = rc->cpus > 0 ? rc->cpus : 0;
	cg->migrations = rc->migrations > 0 ? rc->migrations : 0;
	cg->iterations = rc->iterations > 0 ? rc->iterations : 0;
	cg->null_migrations = rc->migrations == BIND_NONE ? cg->workers : 0;
	cg->null_iterations = rc->iterations == BIND_NONE ? cg->workers : 0;
	cg->null_off = isnan(cg->spread_pct) ? cg->workers : 0;
	cg->pages.unknown = cg->pages.unknown_migrated = cg->workers;
	cgroup_keep(&r->next_step, cg);
	return NULL;
}

static const struct bind_type step_cgroup_type = {
	.fields = step_cgroup_fields,
	.n_fields = ARRAY_SIZE(step_cgroup_fields),
	.begin = step_cgroup_begin,
	.end = step_cgroup_end,
};

static const struct bind_field step_fields[] = {
	FIELD(struct stats_reader, "name", BIND_STRING, next_step.step, BIND_REQUIRED),
	FIELD(struct stats_reader, "start_ns", BIND_INT, next_step.start_ns, BIND_NULL),
	FIELD(struct stats_reader, "end_ns", BIND_INT, next_step.end_ns, BIND_NULL),
	LIST(struct stats_reader, "cgroups", n_step_cgroups, BIND_REQUIRED, &step_cgroup_type),
	LIST(struct stats_reader, "workers", n_step_workers, BIND_NULL, &step_worker_type),
};

/* The step's members stand in the reader itself, beside the counts of its lists. */
static void *step_begin(void *owner)
{
	return owner;
}

static const char *step_end(void *owner, void *base, const char **key)
{
	struct stats_reader *r = owner;
	struct stats *s = &r->s;
	struct measured *m = &r->next_step;

	(void)base;
	(void)key;
	m->position = s->step_names.n + 1;
	m->has_workers = r->n_step_workers != BIND_NONE;
	ptrlist_add(&s->step_names.v, &s->step_names.n, xstrdup(m->step));
	if (!r->step || (strcmp(r->step, STEP_EACH) && strcmp(r->step, m->step))) {
		measured_free(m);
		return NULL;
	}
	grow(&s->steps, s->n_steps, &s->max_steps, sizeof(*s->steps));
	s->steps[s->n_steps++] = *m;
	memset(m, 0, sizeof(*m));
	return NULL;
}

static const struct bind_type step_type = {
	.fields = step_fields,
	.n_fields = ARRAY_SIZE(step_fields),
	.begin = step_begin,
	.end = step_end,
};

static const struct bind_field node_fields[] = {
	FIELD(struct numa_node, "node", BIND_INT, node, BIND_REQUIRED),
	FIELD(struct numa_node, "memory_only", BIND_BOOL, memory_only, BIND_REQUIRED),
};

static void *node_begin(void *owner)
{
	return &((struct stats_reader *)owner)->node;
}

static const char *node_end(void *owner, void *base, const char **key)
{
	struct stats_reader *r = owner;
	const struct numa_node *n = base;

	*key = "node";
	if (n->node >= CPUSET_MAX)
		return "expected a node's number, below 4096";
	if (n->memory_only)
		cpuset_add(&r->s.memory_only, n->node);
	return NULL;
}

static const struct bind_type node_type = {
	.fields = node_fields,
	.n_fields = ARRAY_SIZE(node_fields),
	.begin = node_begin,
	.end = node_end,
};

static const struct bind_field stats_fields[] = {
	{
		.key = "schema",
		.kind = BIND_STRING,
		.offset = offsetof(struct stats_reader, s.schema),
		.flags = BIND_REQUIRED,
		.equals = "kt-stats/1",
	},
	FIELD(struct stats_reader, "scenario", BIND_STRING, s.scenario, BIND_REQUIRED),
	FIELD(struct stats_reader, "topology", BIND_STRING, s.topology, MEASURED),
	FIELD(struct stats_reader, "sched", BIND_STRING, s.sched, MEASURED),
	FIELD(struct stats_reader, "wall_ns", BIND_INT, s.wall_ns, BIND_NULL),
	FIELD(struct stats_reader, "exit", BIND_STRING, s.exit, BIND_REQUIRED),
	FIELD(struct stats_reader, "errors", BIND_STRINGS, s.errors, BIND_REQUIRED),
	LIST(struct stats_reader, "numa_nodes", n_nodes, BIND_NULL, &node_type),
	LIST(struct stats_reader, "cgroups", n_cgroups, BIND_REQUIRED, &cgroup_type),
	LIST(struct stats_reader, "steps", n_steps, BIND_NULL, &step_type),
	LIST(struct stats_reader, "workers", n_workers, BIND_REQUIRED, &worker_type),
};

/* Arrays come in any order, so references are checked at the end. */
static const char *stats_end(void *owner, void *base, const char **key)
{
	(void)owner;
	return stats_settle(base, key);
}

const struct bind_type stats_type = {
	.fields = stats_fields,
	.n_fields = ARRAY_SIZE(stats_fields),
	.end = stats_end,
};
