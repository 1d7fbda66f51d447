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

#define FIELD(struct_, key_, kind_, member_, flags_)                                              \
	{                                                                                         \
		.key = key_, .kind = kind_, .offset = offsetof(struct_, member_), .flags = flags_ \
	}

static const struct bind_field wake_fields[] = {
	FIELD(struct wake_latency, "count", BIND_INT, count, BIND_REQUIRED),
	FIELD(struct wake_latency, "p99_ns", BIND_INT, p99_ns, BIND_NULL),
	FIELD(struct wake_latency, "cv", BIND_REAL, cv, BIND_NULL),
};

static const struct bind_type wake_type = {
	.fields = wake_fields,
	.n_fields = ARRAY_SIZE(wake_fields),
};

static const struct bind_field cgroup_fields[] = {
	FIELD(struct cgroup, "name", BIND_STRING, name, BIND_REQUIRED),
	FIELD(struct cgroup, "index", BIND_INT, index, BIND_REQUIRED),
	{
		.key = "wake_latency",
		.kind = BIND_OBJECT,
		.offset = offsetof(struct cgroup, wake),
		.flags = BIND_NULL,
		.type = &wake_type,
	},
};

static void *cgroup_begin(void *owner)
{
	return &((struct stats *)owner)->next_cgroup;
}

/* Make room for one more entry of @size bytes in *@array. */
static void grow(void *array, size_t n, size_t *max, size_t size)
{
	if (n < *max)
		return;
	*max = *max ? *max + *max / 2 : 8;
	*(void **)array = xrealloc(*(void **)array, *max * size);
}

static const char *cgroup_end(void *owner, void *base, const char **key)
{
	struct stats *s = owner;
	struct cgroup *cg = base;

	if (cg->index != (int64_t)s->n_cgroups || cg->index >= CGROUPS_MAX) {
		*key = "index";
		return "expected the cgroup's position in the array, below 65536";
	}
	grow(&s->cgroups, s->n_cgroups, &s->max_cgroups, sizeof(*s->cgroups));
	s->cgroups[s->n_cgroups++] = *cg;
	memset(cg, 0, sizeof(*cg));
	return NULL;
}

static const struct bind_type cgroup_type = {
	.fields = cgroup_fields,
	.n_fields = ARRAY_SIZE(cgroup_fields),
	.begin = cgroup_begin,
	.end = cgroup_end,
};

#define MEASURED (BIND_REQUIRED | BIND_NULL)

static const struct bind_field worker_fields[] = {
	FIELD(struct worker, "tid", BIND_INT, tid, MEASURED),
	FIELD(struct worker, "cgroup_index", BIND_INT, cgroup, BIND_REQUIRED),
	FIELD(struct worker, "work_units", BIND_INT, work_units, MEASURED),
	FIELD(struct worker, "iterations", BIND_INT, iterations, MEASURED),
	FIELD(struct worker, "wall_ns", BIND_INT, wall_ns, MEASURED),
	FIELD(struct worker, "cpu_ns", BIND_INT, cpu_ns, MEASURED),
	FIELD(struct worker, "off_cpu_pct", BIND_REAL, off_cpu_pct, MEASURED),
	FIELD(struct worker, "migrations", BIND_INT, migrations, MEASURED),
	FIELD(struct worker, "cpus_used", BIND_STRING, cpus_used, MEASURED),
	FIELD(struct worker, "cpus_allowed", BIND_STRING, cpus_allowed, BIND_NULL),
	FIELD(struct worker, "isolation_violations", BIND_INT, isolation_violations, BIND_NULL),
	FIELD(struct worker, "max_gap_ns", BIND_INT, max_gap_ns, MEASURED),
	FIELD(struct worker, "max_gap_cpu", BIND_INT, max_gap_cpu, BIND_NULL),
	FIELD(struct worker, "max_gap_at_ns", BIND_INT, max_gap_at_ns, BIND_NULL),
	FIELD(struct worker, "exit", BIND_STRING, exit, BIND_REQUIRED),
};

static void *worker_begin(void *owner)
{
	return &((struct stats *)owner)->next_worker;
}

/* The CPUs of cgroup @index's workers; made when first asked for. */
static struct cpuset *cgroup_used(struct stats *s, size_t index)
{
	if (index >= s->n_used) {
		s->used = xrealloc(s->used, (index + 1) * sizeof(*s->used));
		memset(s->used + s->n_used, 0, (index + 1 - s->n_used) * sizeof(*s->used));
		s->n_used = index + 1;
	}
	if (!s->used[index])
		s->used[index] = xcalloc(1, sizeof(struct cpuset));
	return s->used[index];
}

/* Fold the worker's CPU sets into its cgroup's and keep their text only where a report needs it. */
static const char *worker_cpus(struct stats *s, struct worker *w, const char **key)
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
		cpuset_or(cgroup_used(s, w->cgroup), &used);
	if (!w->outside) {
		free(take_ptr(w->cpus_used));
		free(take_ptr(w->cpus_allowed));
	}
	return NULL;
}

static const char *worker_end(void *owner, void *base, const char **key)
{
	struct stats *s = owner;
	struct worker *w = base;
	const char *wrong;

	*key = "cgroup_index";
	if (w->cgroup >= CGROUPS_MAX)
		return "expected a cgroup's position, below 65536";
	wrong = worker_cpus(s, w, key);
	if (wrong)
		return wrong;
	if (!strcmp(w->exit, "completed"))
		free(take_ptr(w->exit));
	grow(&s->workers, s->n_workers, &s->max_workers, sizeof(*s->workers));
	s->workers[s->n_workers++] = *w;
	memset(w, 0, sizeof(*w));
	return NULL;
}

static const struct bind_type worker_type = {
	.fields = worker_fields,
	.n_fields = ARRAY_SIZE(worker_fields),
	.begin = worker_begin,
	.end = worker_end,
};

static const struct bind_field stats_fields[] = {
	{
		.key = "schema",
		.kind = BIND_STRING,
		.offset = offsetof(struct stats, schema),
		.flags = BIND_REQUIRED,
		.equals = "kt-stats/1",
	},
	FIELD(struct stats, "scenario", BIND_STRING, scenario, BIND_REQUIRED),
	FIELD(struct stats, "topology", BIND_STRING, topology, BIND_REQUIRED | BIND_NULL),
	FIELD(struct stats, "sched", BIND_STRING, sched, BIND_REQUIRED | BIND_NULL),
	FIELD(struct stats, "exit", BIND_STRING, exit, BIND_REQUIRED),
	FIELD(struct stats, "errors", BIND_STRINGS, errors, BIND_REQUIRED),
	{.key = "cgroups", .kind = BIND_LIST, .flags = BIND_REQUIRED, .type = &cgroup_type},
	{.key = "workers", .kind = BIND_LIST, .flags = BIND_REQUIRED, .type = &worker_type},
};

/* Arrays come in any order, so references are checked at the end. */
static const char *stats_end(void *owner, void *base, const char **key)
{
	struct stats *s = base;
	size_t i;

	(void)owner;
	*key = "workers";
	for (i = 0; i < s->n_workers; i++) {
		if (s->workers[i].cgroup >= (int64_t)s->n_cgroups)
			return "expected each worker's cgroup_index to be a position in cgroups";
	}
	return NULL;
}

const struct bind_type stats_type = {
	.fields = stats_fields,
	.n_fields = ARRAY_SIZE(stats_fields),
	.end = stats_end,
};

void stats_init(struct stats *s)
{
	memset(s, 0, sizeof(*s));
	bind_clear(&stats_type, s);
}

void stats_free(struct stats *s)
{
	size_t i;

	for (i = 0; i < s->n_cgroups; i++)
		bind_release(&cgroup_type, &s->cgroups[i]);
	for (i = 0; i < s->n_workers; i++)
		bind_release(&worker_type, &s->workers[i]);
	for (i = 0; i < s->n_used; i++)
		free(s->used[i]);
	bind_release(&cgroup_type, &s->next_cgroup);
	bind_release(&worker_type, &s->next_worker);
	bind_release(&stats_type, s);
	free(s->cgroups);
	free(s->workers);
	free(s->used);
	stats_init(s);
}

int stats_read(int fd, struct stats *s, char **message)
{
	_cleanup_free_ char *chunk = xmalloc(CHUNK_SIZE);
	struct bind *b = bind_open(&stats_type, s);
	ssize_t n;
	int err = 0;

	while (!err) {
		n = read(fd, chunk, CHUNK_SIZE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err = -errno;
		else
			err = n ? bind_feed(b, chunk, n) : bind_finish(b);
		if (n <= 0)
			break;
	}
	if (err)
		*message = xstrdup(bind_error(b) ? bind_error(b) : strerror(-err));
	bind_close(b);
	if (!err)
		stats_rollup(s);
	return err;
}

double worker_rate(const struct worker *w)
{
	if (w->cpu_ns <= 0 || w->work_units == BIND_NONE)
		return NAN;
	return w->work_units / (w->cpu_ns / 1e9);
}

static void add_saturated(int64_t *sum, int64_t v)
{
	if (__builtin_add_overflow(*sum, v, sum))
		*sum = INT64_MAX;
}

/* Running mean and sum of squared deviations of one cgroup's rates (Welford's method). */
struct moments {
	double mean, m2;
};

static void worker_rollup(struct cgroup *cg, struct moments *m, const struct worker *w)
{
	double rate = worker_rate(w);

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
	if (!isnan(rate)) {
		double delta = rate - m->mean;

		cg->rates++;
		m->mean += delta / cg->rates;
		m->m2 += delta * (rate - m->mean);
	}
}

void stats_rollup(struct stats *s)
{
	_cleanup_free_ struct moments *moments = xcalloc(s->n_cgroups, sizeof(*moments));
	struct cpuset all;
	size_t i;

	cpuset_clear(&all);
	s->worst_gap_ns = BIND_NONE;
	s->worst_spread_pct = NAN;
	for (i = 0; i < s->n_cgroups; i++) {
		struct cgroup *cg = &s->cgroups[i];

		cg->gap_ns = BIND_NONE;
		cg->off_min = cg->off_max = cg->throughput_cv = NAN;
	}
	for (i = 0; i < s->n_workers; i++) {
		const struct worker *w = &s->workers[i];

		worker_rollup(&s->cgroups[w->cgroup], &moments[w->cgroup], w);
	}
	for (i = 0; i < s->n_cgroups; i++) {
		struct cgroup *cg = &s->cgroups[i];

		if (i < s->n_used && s->used[i]) {
			cg->cpus = cpuset_count(s->used[i]);
			cpuset_or(&all, s->used[i]);
		}
		cg->spread_pct = cg->off_max - cg->off_min;
		if (cg->rates >= 2 && moments[i].mean > 0)
			cg->throughput_cv = sqrt(moments[i].m2 / cg->rates) / moments[i].mean;
		add_saturated(&s->migrations, cg->migrations);
		if (cg->gap_ns > s->worst_gap_ns)
			s->worst_gap_ns = cg->gap_ns;
		s->worst_spread_pct = fmax(s->worst_spread_pct, cg->spread_pct);
	}
	s->cpus = cpuset_count(&all);
}
