// SPDX-License-Identifier: GPL-2.0
#include "stats.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"

#define CHUNK_SIZE  (128 * 1024)
#define CGROUPS_MAX 65536
/* Each step keeps a place for each cgroup. */
#define STEP_CGROUPS_MAX 1000000

/* A worker on its way into the list: its pages are added to its cgroup's. */
struct read_worker {
	struct worker worker;
	struct bind_counts pages;
};

/* A step's cgroup: the roll-up as the document has it. */
struct read_cgroup {
	struct cgroup cg;
	int64_t workers, cpus, migrations, iterations;
};

struct stats_reader {
	struct bind *bind;
	const char *step; /* which to keep */
	struct stats s;
	struct read_worker worker;
	struct cgroup cgroup;
	struct measured next_step;
	struct read_cgroup step_cgroup;
	struct numa_node node;
	/* How many elements the lists had. */
	int64_t n_cgroups, n_workers, n_steps, n_nodes, n_step_cgroups, n_step_workers;
};

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

static void measured_free(struct measured *m);

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

static void cgroup_free(struct cgroup *cg)
{
	free(cg->name);
	free(cg->mempolicy);
	free(cg->nodes_expected);
	memset(cg, 0, sizeof(*cg));
}

static char *copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

/* Put a step's cgroups where the run's are, so that positions are the same. */
static const char *step_place(const struct measured *run, struct measured *m)
{
	struct cgroup *all = xcalloc(run->n_cgroups + 1, sizeof(*all));
	const char *wrong = NULL;
	size_t i;

	for (i = 0; i < m->n_cgroups; i++) {
		struct cgroup *cg = &m->cgroups[i];

		if (cg->index >= (int64_t)run->n_cgroups || all[cg->index].name) {
			wrong = "expected each cgroup's index in a step to be one in cgroups, once";
			cgroup_free(cg);
		} else {
			all[cg->index] = *cg;
		}
	}
	for (i = 0; i < run->n_cgroups; i++) {
		const struct cgroup *whole = &run->cgroups[i];

		if (!all[i].name) {
			all[i].name = xstrdup(whole->name);
			all[i].wake.count = BIND_NONE;
		}
		if (!all[i].mempolicy && !all[i].nodes_expected) {
			all[i].mempolicy = copy(whole->mempolicy);
			all[i].nodes_expected = copy(whole->nodes_expected);
		}
		all[i].index = i;
	}
	free(m->cgroups);
	m->cgroups = all;
	m->n_cgroups = run->n_cgroups;
	return wrong;
}

static bool workers_placed(const struct measured *m, size_t n_cgroups)
{
	size_t i;

	for (i = 0; i < m->n_workers; i++) {
		if (m->workers[i].cgroup >= (int64_t)n_cgroups)
			return false;
	}
	return true;
}

/* Arrays come in any order, so references are checked at the end. */
static const char *stats_end(void *owner, void *base, const char **key)
{
	struct stats_reader *r = base;
	struct stats *s = &r->s;
	const char *wrong = NULL;
	size_t i;

	(void)owner;
	*key = "workers";
	s->run.has_workers = true;
	s->has_nodes = r->n_nodes != BIND_NONE;
	if (!workers_placed(&s->run, s->run.n_cgroups))
		return "expected each worker's cgroup_index to be a position in cgroups";
	*key = "steps";
	if (s->n_steps * s->run.n_cgroups > STEP_CGROUPS_MAX)
		return "expected at most a million cgroups over all steps";
	for (i = 0; i < s->n_steps && !wrong; i++) {
		if (!workers_placed(&s->steps[i], s->run.n_cgroups))
			return "expected each worker's cgroup_index to be a position in cgroups";
		wrong = step_place(&s->run, &s->steps[i]);
	}
	return wrong;
}

static const struct bind_type stats_type = {
	.fields = stats_fields,
	.n_fields = ARRAY_SIZE(stats_fields),
	.end = stats_end,
};

static void worker_free(struct worker *w)
{
	free(w->cpus_used);
	free(w->cpus_allowed);
	free(w->exit);
}

static void measured_free(struct measured *m)
{
	size_t i;

	for (i = 0; i < m->n_cgroups; i++)
		cgroup_free(&m->cgroups[i]);
	for (i = 0; i < m->n_workers; i++)
		worker_free(&m->workers[i]);
	for (i = 0; i < m->n_gathered; i++) {
		if (m->gathered[i])
			free(m->gathered[i]->pages.v);
		free(m->gathered[i]);
	}
	free(m->step);
	free(m->cgroups);
	free(m->workers);
	free(m->gathered);
	memset(m, 0, sizeof(*m));
}

static void strings_free(struct bind_strings *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		free(list->v[i]);
	free(list->v);
}

void stats_free(struct stats *s)
{
	size_t i;

	free(s->schema);
	free(s->scenario);
	free(s->topology);
	free(s->sched);
	free(s->exit);
	strings_free(&s->errors);
	strings_free(&s->step_names);
	measured_free(&s->run);
	for (i = 0; i < s->n_steps; i++)
		measured_free(&s->steps[i]);
	free(s->steps);
	memset(s, 0, sizeof(*s));
}

struct stats_reader *stats_open(const char *step)
{
	struct stats_reader *r = xcalloc(1, sizeof(*r));

	r->step = step;
	r->bind = bind_open(&stats_type, r);
	return r;
}

int stats_feed(struct stats_reader *r, const void *data, size_t len)
{
	return bind_feed(r->bind, data, len);
}

int stats_finish(struct stats_reader *r, struct stats *s)
{
	int err = bind_finish(r->bind);
	size_t i;

	if (err)
		return err;
	*s = r->s;
	memset(&r->s, 0, sizeof(r->s));
	measured_rollup(s, &s->run);
	for (i = 0; i < s->n_steps; i++)
		measured_rollup(s, &s->steps[i]);
	return 0;
}

const char *stats_error(const struct stats_reader *r)
{
	return bind_error(r->bind);
}

void stats_close(struct stats_reader *r)
{
	bind_close(r->bind);
	cgroup_free(&r->cgroup);
	cgroup_free(&r->step_cgroup.cg);
	worker_free(&r->worker.worker);
	free(r->worker.pages.v);
	measured_free(&r->next_step);
	stats_free(&r->s);
	free(r);
}

int stats_read(int fd, const char *step, struct stats *s, char **message)
{
	_cleanup_free_ char *chunk = xmalloc(CHUNK_SIZE);
	struct stats_reader *r = stats_open(step);
	ssize_t n;
	int err = 0;

	memset(s, 0, sizeof(*s));
	while (!err) {
		n = read(fd, chunk, CHUNK_SIZE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err = -errno;
		else
			err = n ? stats_feed(r, chunk, n) : stats_finish(r, s);
		if (n <= 0)
			break;
	}
	if (err)
		*message = xstrdup(stats_error(r) ? stats_error(r) : strerror(-err));
	stats_close(r);
	return err;
}
