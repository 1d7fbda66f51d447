// SPDX-License-Identifier: GPL-2.0
#include "stats.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "diag.h"
#include "rollup.h"

static void set_int(json_t *o, const char *key, uint64_t value)
{
	json_object_set_new(o, key, json_integer(value));
}

/* Four decimals: beyond that there is no meaning, and the text stays short. */
static void set_real(json_t *o, const char *key, double value)
{
	json_object_set_new(o, key, json_real(round(value * 1e4) / 1e4));
}

static void set_text(json_t *o, const char *key, const char *value)
{
	json_object_set_new(o, key, value ? json_string(value) : json_null());
}

static void set_null(json_t *o, const char *key)
{
	json_object_set_new(o, key, json_null());
}

static void set_cpus(json_t *o, const char *key, const struct cpuset *cpus)
{
	_cleanup_free_ char *list = cpus ? cpuset_format(cpus) : NULL;

	set_text(o, key, list);
}

static void set_latency(json_t *o, const char *key, const struct histogram *h)
{
	static const struct {
		const char *key;
		double p;
	} percentiles[] = {
		{"p50_ns", 0.5},
		{"p90_ns", 0.9},
		{"p99_ns", 0.99},
		{"p999_ns", 0.999},
	};
	json_t *w;
	size_t i;

	if (!h->count) {
		set_null(o, key);
		return;
	}
	w = json_object();
	set_int(w, "count", h->count);
	set_int(w, "min_ns", h->min);
	set_int(w, "mean_ns", histogram_mean(h));
	for (i = 0; i < ARRAY_SIZE(percentiles); i++)
		set_int(w, percentiles[i].key, histogram_percentile(h, percentiles[i].p));
	set_int(w, "max_ns", h->max);
	set_real(w, "cv", histogram_cv(h));
	json_object_set_new(o, key, w);
}

/* {"name": value}; the key is there only where the work type has figures of its own. */
static void set_metrics(json_t *o, const struct metric *metrics)
{
	json_t *all = json_object();
	size_t i;

	for (i = 0; i < METRICS_MAX && metrics[i].name; i++) {
		const struct metric *m = &metrics[i];

		set_real(all, m->name, m->of ? m->amount / m->of : m->amount);
	}
	if (i)
		json_object_set_new(o, "metrics", all);
	else
		json_decref(all);
}

/* The gap's length, CPU and begin from the common start; @found is false with nobody measured. */
static void set_gap(const struct run *run, json_t *o, const struct gap *gap, bool found)
{
	uint64_t at = gap->at_ns > run->start_ns ? gap->at_ns - run->start_ns : 0;

	json_object_set_new(o, "max_gap_ns", found ? json_integer(gap->ns) : json_null());
	json_object_set_new(o, "max_gap_cpu",
			    found && gap->cpu >= 0 ? json_integer(gap->cpu) : json_null());
	json_object_set_new(o, "max_gap_at_ns", found ? json_integer(at) : json_null());
}

static json_t *rollup_json(const struct run *run, const struct rollup *r)
{
	double cv = rollup_throughput_cv(r);
	json_t *o = json_object();

	set_int(o, "workers", r->workers);
	set_int(o, "cpus", cpuset_count(&r->cpus));
	if (r->measured) {
		set_real(o, "off_cpu_pct_min", r->off_cpu_min);
		set_real(o, "off_cpu_pct_max", r->off_cpu_max);
		set_real(o, "spread_pct", r->off_cpu_max - r->off_cpu_min);
	} else {
		set_null(o, "off_cpu_pct_min");
		set_null(o, "off_cpu_pct_max");
		set_null(o, "spread_pct");
	}
	set_gap(run, o, &r->gap, r->measured);
	json_object_set_new(o, "max_gap_tid", r->gap_tid ? json_integer(r->gap_tid) : json_null());
	set_int(o, "migrations", r->migrations);
	set_int(o, "iterations", r->iterations);
	set_int(o, "work_units", r->units);
	if (cv < 0)
		set_null(o, "throughput_cv");
	else
		set_real(o, "throughput_cv", cv);
	set_latency(o, "wake_latency", &r->wake);
	if (r->request.count)
		set_latency(o, "request_latency", &r->request);
	set_metrics(o, r->metrics);
	return o;
}

/* {"name", "index", "cpuset"} and the roll-up. */
static json_t *cgroup_json(const struct place *place, bool with_cpuset, json_t *rollup)
{
	json_t *o = json_object();

	set_text(o, "name", place->def->name);
	set_int(o, "index", place->def->index);
	if (with_cpuset)
		set_cpus(o, "cpuset", place->now.confined ? &place->now.cpus : NULL);
	json_object_update(o, rollup);
	json_decref(rollup);
	return o;
}

/* Over all that were started in it. */
static json_t *cgroup_of_life(const struct run *run, const struct cgroup_def *def)
{
	_cleanup_free_ struct figures *f = xmalloc(sizeof(*f));
	_cleanup_free_ struct rollup *r = xcalloc(1, sizeof(*r));
	size_t g;
	uint32_t i;

	for (g = 0; g < def->n_groups; g++) {
		const struct crew *crew = &run->crews[def->groups[g]->index];

		for (i = 0; i < crew->def->workers; i++) {
			figures_of_life(&crew->members[i], f);
			rollup_add(r, &crew->members[i], f);
			rollup_add_metrics(r, crew->members[i].rec);
		}
	}
	return cgroup_json(&run->places[def->index], true, rollup_json(run, r));
}

static void crew_of_step(const struct run *run, const struct crew *crew, size_t step,
			 struct rollup *r)
{
	_cleanup_free_ struct figures *f = xmalloc(sizeof(*f));
	const struct window *w = &run->windows[step];
	uint32_t i;

	for (i = 0; i < crew->def->workers; i++) {
		const struct member *m = &crew->members[i];

		if (crew->def->step)
			figures_of_life(m, f);
		else
			figures_of_phase(m, step, w->start_ns, w->end_ns, f);
		rollup_add(r, m, f);
	}
}

/* Over those of its workers that lived in the step; NULL when it did not itself. */
static json_t *cgroup_of_step(const struct run *run, const struct cgroup_def *def, size_t step)
{
	_cleanup_free_ struct rollup *r = xcalloc(1, sizeof(*r));
	bool lived = false;
	size_t g;

	for (g = 0; g < def->n_groups; g++) {
		const struct crew *crew = &run->crews[def->groups[g]->index];

		if (crew->stopped_ns && crew->stopped_ns <= run->windows[step].start_ns)
			continue;
		if (crew->def->step && crew->def->step != step)
			continue;
		crew_of_step(run, crew, step, r);
		lived = true;
	}
	return lived ? cgroup_json(&run->places[def->index], false, rollup_json(run, r)) : NULL;
}

static json_t *steps_json(const struct run *run)
{
	json_t *steps = json_array();
	size_t i, c;

	for (i = 1; i < run->sc->n_steps && run->windows[i].start_ns; i++) {
		json_t *o = json_object(), *cgroups = json_array();

		set_text(o, "name", run->sc->steps[i]->name);
		set_int(o, "start_ns", run->windows[i].start_ns - run->start_ns);
		set_int(o, "end_ns", run->windows[i].end_ns - run->start_ns);
		for (c = 0; c < run->sc->n_cgroups; c++) {
			json_t *cgroup = cgroup_of_step(run, run->sc->cgroups[c], i);

			if (cgroup)
				json_array_append_new(cgroups, cgroup);
		}
		json_object_set_new(o, "cgroups", cgroups);
		json_array_append_new(steps, o);
	}
	return steps;
}

static void set_exit(json_t *o, const struct member *m)
{
	_cleanup_free_ char *text = NULL;

	if (m->state == MEMBER_PLANNED)
		text = xstrdup("never-started");
	else if (m->timed_out || m->state == MEMBER_ALIVE)
		text = xstrdup("timed-out");
	else if (WIFSIGNALED(m->status))
		text = xasprintf("signalled:%d", WTERMSIG(m->status));
	else if (WEXITSTATUS(m->status))
		text = xasprintf("exited:%d", WEXITSTATUS(m->status));
	else
		text = xstrdup("completed");
	set_text(o, "exit", text);
}

/* What the kernel counted between start and stop. */
static void set_usage(json_t *o, const struct member *m)
{
	const struct usage *a = &m->rec->after, *b = &m->rec->before;
	bool switches = m->usage_known || atomic_load(&m->rec->state) == RECORD_DONE;

	if (a->schedstat_known) {
		set_int(o, "run_delay_ns", a->run_delay_ns - b->run_delay_ns);
		set_int(o, "timeslices", a->timeslices - b->timeslices);
	} else {
		set_null(o, "run_delay_ns");
		set_null(o, "timeslices");
	}
	if (switches) {
		set_int(o, "voluntary_switches", a->voluntary_switches - b->voluntary_switches);
		set_int(o, "involuntary_switches",
			a->involuntary_switches - b->involuntary_switches);
	} else {
		set_null(o, "voluntary_switches");
		set_null(o, "involuntary_switches");
	}
}

static json_t *worker_json(const struct run *run, const struct member *m)
{
	_cleanup_free_ struct figures *f = xmalloc(sizeof(*f));
	json_t *o = json_object();

	figures_of_life(m, f);
	json_object_set_new(o, "tid", m->pid ? json_integer(m->pid) : json_null());
	set_text(o, "comm", m->crew->def->comm);
	set_text(o, "cgroup", m->crew->def->cgroup->name);
	set_int(o, "cgroup_index", m->crew->def->cgroup->index);
	set_text(o, "work", m->crew->def->work.text);
	set_int(o, "work_units", f->units);
	set_int(o, "iterations", f->iterations);
	if (f->measured) {
		set_int(o, "wall_ns", f->wall_ns);
		set_int(o, "cpu_ns", f->cpu_ns);
		set_real(o, "off_cpu_pct", f->off_cpu_pct);
	} else {
		set_null(o, "wall_ns");
		set_null(o, "cpu_ns");
		set_null(o, "off_cpu_pct");
	}
	set_usage(o, m);
	set_int(o, "migrations", f->migrations);
	set_cpus(o, "cpus_used", &f->cpus);
	set_cpus(o, "cpus_allowed", m->life.confined ? &m->life.cpus : NULL);
	json_object_set_new(o, "isolation_violations",
			    m->life.confined ? json_integer(f->violations) : json_null());
	set_gap(run, o, &f->gap, f->measured);
	set_latency(o, "wake_latency", &f->wake);
	if (f->request.count)
		set_latency(o, "request_latency", &f->request);
	set_metrics(o, m->rec->metrics);
	set_null(o, "numa_pages");
	set_null(o, "numa_pages_migrated");
	set_exit(o, m);
	return o;
}

static void set_run(json_t *o, const struct run *run)
{
	static const char *const confinements[] = {
		[CONFINED_NONE] = "none",
		[CONFINED_CPUSET] = "cpuset",
		[CONFINED_AFFINITY] = "affinity",
	};
	json_t *errors = json_array();
	struct utsname uts;
	size_t i;

	uname(&uts);
	set_text(o, "schema", "kt-stats/1");
	set_text(o, "scenario", run->sc->name);
	set_text(o, "kernel", uts.release);
	set_text(o, "topology", run->machine->shape);
	set_text(o, "sched", run->sched.name);
	json_object_set_new(o, "seed", run->seeded ? json_integer(run->seed) : json_null());
	set_cpus(o, "cpus", &run->machine->online);
	set_text(o, "confinement", confinements[run->confinement]);
	set_int(o, "duration_ns", run->sc->duration_ns);
	set_int(o, "wall_ns", run->stop_ns - run->start_ns);
	set_text(o, "exit", run->signal ? "interrupted" : run->n_errors ? "failed" : "completed");
	for (i = 0; i < run->n_errors; i++)
		json_array_append_new(errors, json_string(run->errors[i]));
	json_object_set_new(o, "errors", errors);
}

/* Print @o and release it. */
static int dump(json_t *o, FILE *f)
{
	int ret = json_dumpf(o, f, JSON_INDENT(1) | JSON_REAL_PRECISION(12));

	json_decref(o);
	if (ret || fputc('\n', f) == EOF || fflush(f))
		return errno ? -errno : -EIO;
	return 0;
}

int stats_write(const struct run *run, FILE *f)
{
	json_t *o = json_object(), *cgroups = json_array(), *workers = json_array();
	size_t i, g;
	uint32_t k;

	set_run(o, run);
	for (i = 0; i < run->sc->n_cgroups; i++) {
		const struct cgroup_def *def = run->sc->cgroups[i];

		json_array_append_new(cgroups, cgroup_of_life(run, def));
		for (g = 0; g < def->n_groups; g++) {
			const struct crew *crew = &run->crews[def->groups[g]->index];

			for (k = 0; k < crew->def->workers; k++)
				json_array_append_new(workers, worker_json(run, &crew->members[k]));
		}
	}
	json_object_set_new(o, "cgroups", cgroups);
	json_object_set_new(o, "steps", steps_json(run));
	json_object_set_new(o, "workers", workers);
	return dump(o, f);
}

static json_t *group_plan(const struct scenario *sc, const struct group_def *def)
{
	json_t *o = json_object();

	set_text(o, "step", sc->steps[def->step]->name);
	set_int(o, "workers", def->workers);
	set_text(o, "work", def->work.text);
	set_text(o, "policy", def->policy.text);
	json_object_set_new(o, "nice", def->has_nice ? json_integer(def->nice) : json_null());
	set_text(o, "comm", def->comm);
	return o;
}

/* A cgroup is told of with its first group of workers; "more" are the others. */
static json_t *cgroup_plan(const struct scenario *sc, const struct cgroup_def *def)
{
	json_t *o = json_object(), *first = group_plan(sc, def->groups[0]), *more = json_array();
	size_t i;

	set_text(o, "name", def->name);
	json_object_update(o, first);
	json_decref(first);
	set_cpus(o, "cpuset", def->confined ? &def->cpus : NULL);
	for (i = 1; i < def->n_groups; i++)
		json_array_append_new(more, group_plan(sc, def->groups[i]));
	if (def->n_groups > 1)
		json_object_set(o, "more", more);
	json_decref(more);
	return o;
}

int plan_write(const struct scenario *sc, const struct machine *m, FILE *f)
{
	json_t *o = json_object(), *cgroups = json_array(), *steps = json_array();
	size_t i;

	set_text(o, "schema", "kt-plan/1");
	set_text(o, "scenario", sc->name);
	set_text(o, "topology", m->shape);
	set_cpus(o, "cpus", &m->online);
	set_int(o, "duration_ns", sc->duration_ns);
	for (i = 0; i < sc->n_cgroups; i++) {
		if (sc->cgroups[i]->n_groups)
			json_array_append_new(cgroups, cgroup_plan(sc, sc->cgroups[i]));
	}
	for (i = 1; i < sc->n_steps; i++) {
		json_t *s = json_object();

		set_text(s, "name", sc->steps[i]->name);
		set_int(s, "hold_ns", sc->steps[i]->hold_ns);
		json_array_append_new(steps, s);
	}
	json_object_set_new(o, "cgroups", cgroups);
	json_object_set_new(o, "steps", steps);
	return dump(o, f);
}
