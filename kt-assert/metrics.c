// SPDX-License-Identifier: GPL-2.0
#include "metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "diag.h"

/* A member that is a number from 0, else NAN: null is "not measured". */
static double number(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	return json_is_number(v) ? json_number_value(v) : NAN;
}

/* The sum over workers that have both of @key / @per, each summed first; NAN without any. */
static double quotient(const json_t *workers, const char *key, const char *per)
{
	double sum = 0, per_sum = 0;
	json_t *w;
	size_t i;

	json_array_foreach(workers, i, w)
	{
		double a = number(w, key), b = number(w, per);

		if (isnan(a) || isnan(b))
			continue;
		sum += a;
		per_sum += b;
	}
	return per_sum > 0 ? sum / per_sum : NAN;
}

static double measure_work_rate(const json_t *cgroup, const json_t *workers)
{
	(void)cgroup;
	return quotient(workers, "work_units", "cpu_ns") * 1e9;
}

static double measure_iteration_rate(const json_t *cgroup, const json_t *workers)
{
	(void)cgroup;
	return quotient(workers, "iterations", "wall_ns") * 1e9;
}

static double measure_migration_ratio(const json_t *cgroup, const json_t *workers)
{
	(void)cgroup;
	return quotient(workers, "migrations", "iterations");
}

static double measure_spread(const json_t *cgroup, const json_t *workers)
{
	double low = NAN, high = NAN;
	json_t *w;
	size_t i;

	(void)cgroup;
	json_array_foreach(workers, i, w)
	{
		low = fmin(low, number(w, "off_cpu_pct"));
		high = fmax(high, number(w, "off_cpu_pct"));
	}
	return high - low;
}

static double measure_gap(const json_t *cgroup, const json_t *workers)
{
	double longest = NAN;
	json_t *w;
	size_t i;

	(void)cgroup;
	json_array_foreach(workers, i, w) longest = fmax(longest, number(w, "max_gap_ns") / 1e6);
	return longest;
}

/* Population, as the check of this name has it (Welford's method). */
static double measure_throughput_cv(const json_t *cgroup, const json_t *workers)
{
	double mean = 0, m2 = 0;
	size_t n = 0, i;
	json_t *w;

	(void)cgroup;
	json_array_foreach(workers, i, w)
	{
		double rate = number(w, "work_units") / number(w, "cpu_ns"), delta = rate - mean;

		if (!isfinite(rate))
			continue;
		mean += delta / ++n;
		m2 += delta * (rate - mean);
	}
	return n >= 2 && mean > 0 ? sqrt(m2 / n) / mean : NAN;
}

static double measure_wake_p99(const json_t *cgroup, const json_t *workers)
{
	(void)workers;
	return number(json_object_get(cgroup, "wake_latency"), "p99_ns");
}

static double measure_wake_cv(const json_t *cgroup, const json_t *workers)
{
	(void)workers;
	return number(json_object_get(cgroup, "wake_latency"), "cv");
}

static double measure_isolation(const json_t *cgroup, const json_t *workers)
{
	double sum = NAN;
	json_t *w;
	size_t i;

	(void)cgroup;
	json_array_foreach(workers, i, w)
	{
		double v = number(w, "isolation_violations");

		if (!isnan(v))
			sum = isnan(sum) ? v : sum + v;
	}
	return sum;
}

/* Named as the checks of the same figures are. */
const struct metric metrics[METRICS_N] = {
	{"work_rate", "1/cpu-s", true, 0.01, measure_work_rate},
	{"iteration_rate", "1/s", true, 0.01, measure_iteration_rate},
	{"spread_pct", "%", false, 0.5, measure_spread},
	{"max_gap_ms", "ms", false, 2, measure_gap},
	{"throughput_cv", "-", false, 0.01, measure_throughput_cv},
	{"migration_ratio", "-", false, 0.0001, measure_migration_ratio},
	{"p99_wake_latency_ns", "ns", false, 5000, measure_wake_p99},
	{"wake_latency_cv", "-", false, 0.05, measure_wake_cv},
	{"isolation_violations", "checkpoints", false, 1, measure_isolation},
};

const struct metric *metric_find(const char *name)
{
	size_t i;

	for (i = 0; i < METRICS_N; i++) {
		if (!strcmp(metrics[i].name, name))
			return &metrics[i];
	}
	return NULL;
}

static char *text_member(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? xstrdup(text) : NULL;
}

/* Load @path. Returns NULL with errno ENOENT when it is not there, or with *@why set. */
static json_t *document_load(const char *path, char **why)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	json_error_t error;
	json_t *root;

	if (!file && errno == ENOENT)
		return NULL;
	if (!file) {
		*why = xasprintf("cannot read '%s': %s", path, strerror(errno));
		return NULL;
	}
	root = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
	if (root && json_is_object(root))
		return root;
	*why = root ? xasprintf("%s: expected a JSON object", path)
		    : xasprintf("%s: line %d, column %d: expected JSON (%s)", path, error.line,
				error.column, error.text);
	json_decref(root);
	return NULL;
}

/* Did the run of this run.json end by its command's exit with status 0? Else says how. */
static bool ended_well(const json_t *run, char **why)
{
	const char *outcome = json_string_value(json_object_get(run, "outcome"));
	const json_t *status = json_object_get(run, "exit_status");

	if (!outcome)
		*why = xstrdup("its run.json tells no outcome");
	else if (strcmp(outcome, "exited"))
		*why = xasprintf("the run ended badly (outcome %s)", outcome);
	else if (json_is_integer(status) && json_integer_value(status))
		*why = xasprintf("its command exited with status %lld",
				 (long long)json_integer_value(status));
	return !*why;
}

/* Each cgroup's workers, as arrays of borrowed objects in an array. */
static json_t *workers_by_cgroup(const json_t *stats, size_t n_cgroups, const char **wrong)
{
	json_t *lists = json_array(), *w;
	size_t i;

	for (i = 0; i < n_cgroups; i++)
		json_array_append_new(lists, json_array());
	json_array_foreach(json_object_get(stats, "workers"), i, w)
	{
		const json_t *index = json_object_get(w, "cgroup_index");
		json_t *list = NULL;

		if (json_is_integer(index) && json_integer_value(index) >= 0)
			list = json_array_get(lists, json_integer_value(index));
		if (!list)
			*wrong = "workers: expected a cgroup_index that is a position in cgroups";
		json_array_append(list, w);
	}
	return lists;
}

static void measure_cgroups(const json_t *stats, struct run_figures *f, const char **wrong)
{
	const json_t *cgroups = json_object_get(stats, "cgroups");
	json_auto_t *lists = workers_by_cgroup(stats, json_array_size(cgroups), wrong);
	json_t *cgroup;
	size_t i, k;

	f->n_cgroups = json_array_size(cgroups);
	f->cgroups = xcalloc(f->n_cgroups + 1, sizeof(*f->cgroups));
	json_array_foreach(cgroups, i, cgroup)
	{
		struct run_cgroup *cg = &f->cgroups[i];

		cg->name = text_member(cgroup, "name");
		if (!cg->name)
			*wrong = "cgroups: expected objects with a name";
		for (k = 0; k < METRICS_N; k++)
			cg->values[k] = metrics[k].measure(cgroup, json_array_get(lists, i));
	}
}

static enum figures take_stats(const json_t *stats, const char *path, struct run_figures *f,
			       char **why)
{
	const char *schema = json_string_value(json_object_get(stats, "schema"));
	const char *exit = json_string_value(json_object_get(stats, "exit"));
	const char *wrong = NULL;

	if (schema && !strncmp(schema, "kt-stats/", 9) && strcmp(schema, "kt-stats/1")) {
		*why = xasprintf("its stats are %s (expected kt-stats/1)", schema);
		return FIGURES_LEFT_OUT;
	}
	f->scenario = text_member(stats, "scenario");
	if (!schema || strcmp(schema, "kt-stats/1"))
		wrong = "schema: expected \"kt-stats/1\"";
	else if (!f->scenario || !exit)
		wrong = "expected the keys \"scenario\" and \"exit\", each a string";
	else if (!json_is_array(json_object_get(stats, "cgroups")) ||
		 !json_is_array(json_object_get(stats, "workers")))
		wrong = "expected the keys \"cgroups\" and \"workers\", each an array";
	else
		measure_cgroups(stats, f, &wrong);
	if (wrong) {
		*why = xasprintf("%s: %s", path, wrong);
		return FIGURES_BAD;
	}
	f->topology = text_member(stats, "topology");
	f->kernel = text_member(stats, "kernel");
	f->sched = text_member(stats, "sched");
	if (!strcmp(exit, "completed"))
		return FIGURES_FOUND;
	*why = xasprintf("its workload ended '%s'", exit);
	return FIGURES_LEFT_OUT;
}

/* What run.json knows better: the scheduler's name and topology when the stats have none. */
static void take_run(const json_t *run, struct run_figures *f)
{
	if (!f->topology)
		f->topology = text_member(run, "topology");
	if (!f->kernel)
		f->kernel = text_member(json_object_get(run, "kernel"), "release");
	if (!f->sched)
		f->sched = text_member(json_object_get(run, "scheduler"), "name");
}

enum figures figures_read(const char *path, struct run_figures *f, char **why)
{
	_cleanup_free_ char *stats_path = NULL, *run_path = NULL;
	json_auto_t *stats = NULL, *run = NULL;
	enum figures found;
	struct stat st;
	bool is_dir;

	memset(f, 0, sizeof(*f));
	f->path = xstrdup(path);
	is_dir = !stat(path, &st) && S_ISDIR(st.st_mode);
	stats_path = is_dir ? xasprintf("%s/stats.json", path) : xstrdup(path);
	run_path = is_dir ? xasprintf("%s/run.json", path) : NULL;
	run = is_dir ? document_load(run_path, why) : NULL;
	if (*why)
		return FIGURES_BAD;
	if (run && !ended_well(run, why))
		return FIGURES_LEFT_OUT;
	stats = document_load(stats_path, why);
	if (!stats && *why)
		return FIGURES_BAD;
	if (!stats && !is_dir) {
		*why = xasprintf("cannot read '%s': %s", path, strerror(ENOENT));
		return FIGURES_BAD;
	}
	if (!stats) {
		*why = xstrdup("it has no stats.json");
		return FIGURES_LEFT_OUT;
	}
	found = take_stats(stats, stats_path, f, why);
	take_run(run, f);
	return found;
}

void figures_free(struct run_figures *f)
{
	size_t i;

	for (i = 0; i < f->n_cgroups; i++)
		free(f->cgroups[i].name);
	free(f->cgroups);
	free(f->path);
	free(f->scenario);
	free(f->topology);
	free(f->kernel);
	free(f->sched);
	memset(f, 0, sizeof(*f));
}
