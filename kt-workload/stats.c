// SPDX-License-Identifier: GPL-2.0
#include "stats.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "diag.h"
#include "exits.h"
#include "payload.h"
#include "request.h"
#include "rollup.h"
#include "stats_fields.h"
#include "text_json.h"

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
	struct latency l;
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
	latency_of(&l, &r->wake);
	set_latency(o, "wake_latency", &l);
	latency_of(&l, &r->request);
	if (l.count)
		set_latency(o, "request_latency", &l);
	set_metrics(o, r->metrics);
	return o;
}

/* Where @group's memory should lie: as its policy, its cgroup's mems or its CPUs have it. */
static bool expected_nodes(const struct machine *m, const struct group_def *group,
			   struct cpuset *nodes)
{
	const struct cgroup_def *def = group->cgroup;
	size_t i;

	if (cpuset_count(&group->mempolicy.nodes)) {
		*nodes = group->mempolicy.nodes;
		return true;
	}
	*nodes = def->mems;
	for (i = 0; !def->has_mems && def->confined && i < m->n_nodes; i++) {
		struct cpuset both = m->nodes[i];

		cpuset_and(&both, &def->cpus);
		if (cpuset_has(&m->memory_nodes, i) && cpuset_count(&both))
			cpuset_add(nodes, i);
	}
	return def->has_mems || def->confined;
}

/* The cgroup's memory policy, null where its groups differ, and the nodes that follow from it. */
static void set_memory(json_t *o, const struct run *run, const struct cgroup_def *def)
{
	const char *policy = def->n_groups ? def->groups[0]->mempolicy.text : NULL;
	struct cpuset nodes = {}, all = {};
	bool known = def->n_groups;
	size_t i;

	for (i = 0; i < def->n_groups; i++) {
		const char *other = def->groups[i]->mempolicy.text;

		if (!policy || !other || strcmp(policy, other))
			policy = NULL;
		known &= expected_nodes(run->machine, def->groups[i], &nodes);
		cpuset_or(&all, &nodes);
	}
	set_text(o, "mempolicy", policy);
	set_cpus(o, "numa_nodes_expected", known ? &all : NULL);
}

static json_t *nodes_json(const struct machine *m)
{
	json_t *nodes = json_array();
	size_t i;

	for (i = 0; i < m->n_nodes; i++) {
		bool cpus = cpuset_count(&m->nodes[i]), memory = cpuset_has(&m->memory_nodes, i);
		json_t *o;

		if (!cpus && !memory)
			continue;
		o = json_object();
		set_int(o, "node", i);
		set_cpus(o, "cpus", &m->nodes[i]);
		json_object_set_new(o, "memory_only", json_boolean(!cpus));
		json_array_append_new(nodes, o);
	}
	return nodes;
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
	json_t *o;
	size_t g;
	uint32_t i;

	for (g = 0; g < def->n_groups; g++) {
		const struct crew *crew = &run->crews[def->groups[g]->index];

		for (i = 0; i < crew->def->workers; i++) {
			figures_of_life(&crew->members[i], f);
			rollup_add(r, &crew->members[i], f);
			rollup_add_latencies(r, crew->members[i].rec);
			rollup_add_metrics(r, crew->members[i].rec);
		}
	}
	o = cgroup_json(&run->places[def->index], true, rollup_json(run, r));
	set_memory(o, run, def);
	return o;
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

/* Who a worker is and what @f says of it: a whole life, or one step of it. */
static json_t *figures_json(const struct run *run, const struct member *m, const struct figures *f)
{
	json_t *o = json_object();

	json_object_set_new(o, "tid", m->pid ? json_integer(m->pid) : json_null());
	set_text(o, "comm", m->crew->def->comm);
	set_text(o, "cgroup", m->crew->def->cgroup->name);
	set_int(o, "cgroup_index", m->crew->def->cgroup->index);
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
	set_int(o, "migrations", f->migrations);
	set_cpus(o, "cpus_used", &f->cpus);
	set_cpus(o, "cpus_allowed", m->life.confined ? &m->life.cpus : NULL);
	json_object_set_new(o, "isolation_violations",
			    m->life.confined ? json_integer(f->violations) : json_null());
	set_gap(run, o, &f->gap, f->measured);
	set_latency(o, "wake_latency", &f->wake);
	if (f->request.count)
		set_latency(o, "request_latency", &f->request);
	return o;
}

/* Memory is looked at once, at the worker's end. */
static void set_pages(json_t *o, const struct record *r)
{
	json_t *pages = json_object();
	size_t i;

	for (i = 0; i < NUMA_NODES_MAX; i++) {
		char node[8];

		snprintf(node, sizeof(node), "%zu", i);
		if (r->pages.on[i])
			set_int(pages, node, r->pages.on[i]);
	}
	if (!r->pages.known)
		json_object_clear(pages);
	json_object_set_new(o, "numa_pages", r->pages.known ? json_incref(pages) : json_null());
	json_decref(pages);
	json_object_set_new(o, "numa_pages_migrated",
			    r->pages.known && r->pages_migrated >= 0
				    ? json_integer(r->pages_migrated)
				    : json_null());
}

static json_t *worker_of_life(const struct run *run, const struct member *m)
{
	_cleanup_free_ struct figures *f = xmalloc(sizeof(*f));
	json_t *o;

	figures_of_life(m, f);
	o = figures_json(run, m, f);
	set_text(o, "work", m->crew->def->work.text);
	set_usage(o, m);
	set_metrics(o, m->rec->metrics);
	set_pages(o, m->rec);
	set_exit(o, m);
	return o;
}

/* Add a crew's workers to the roll-up of its cgroup, and each to @workers. */
static void crew_of_step(const struct run *run, const struct crew *crew, size_t step,
			 struct rollup *r, json_t *workers)
{
	_cleanup_free_ struct figures *f = xmalloc(sizeof(*f));
	const struct window *w = &run->windows[step];
	struct crew_step cs = {};
	uint32_t i;
	int ret;

	ret = crew->def->step ? 0 : crew_step_load(crew, step, &cs);
	if (ret)
		die(EXIT_INTERNAL, "cannot read what the workers did: %s", strerror(-ret));
	for (i = 0; i < crew->def->workers; i++) {
		const struct member *m = &crew->members[i];
		json_t *o;

		if (crew->def->step)
			figures_of_life(m, f);
		else
			figures_of_step(m, &cs, w->start_ns, w->end_ns, f);
		rollup_add(r, m, f);
		o = figures_json(run, m, f);
		if (crew->def->step) {
			rollup_add_latencies(r, m->rec);
			set_pages(o, m->rec);
		} else { /* not looked at in between: that would disturb what is measured */
			set_null(o, "numa_pages");
			set_null(o, "numa_pages_migrated");
		}
		json_array_append_new(workers, o);
	}
	rollup_add_step_latencies(r, &cs);
	crew_step_free(&cs);
}

/* Over those of its workers that lived in the step; NULL when it did not itself. */
static json_t *cgroup_of_step(const struct run *run, const struct cgroup_def *def, size_t step,
			      json_t *workers)
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
		crew_of_step(run, crew, step, r, workers);
		lived = true;
	}
	return lived ? cgroup_json(&run->places[def->index], false, rollup_json(run, r)) : NULL;
}

static json_t *steps_json(const struct run *run)
{
	json_t *steps = json_array();
	size_t i, c;

	for (i = 1; i < run->sc->n_steps && run->windows[i].start_ns; i++) {
		json_t *o = json_object(), *cgroups = json_array(), *workers = json_array();

		set_text(o, "name", run->sc->steps[i]->name);
		set_int(o, "start_ns", run->windows[i].start_ns - run->start_ns);
		set_int(o, "end_ns", run->windows[i].end_ns - run->start_ns);
		for (c = 0; c < run->sc->n_cgroups; c++) {
			json_t *cgroup = cgroup_of_step(run, run->sc->cgroups[c], i, workers);

			if (cgroup)
				json_array_append_new(cgroups, cgroup);
		}
		json_object_set_new(o, "cgroups", cgroups);
		json_object_set_new(o, "workers", workers);
		json_array_append_new(steps, o);
	}
	return steps;
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
	set_text(o, "sched", run->sched.first);
	json_object_set_new(o, "seed", run->seeded ? json_integer(run->seed) : json_null());
	set_cpus(o, "cpus", &run->machine->online);
	json_object_set_new(o, "numa_nodes", nodes_json(run->machine));
	set_text(o, "confinement", confinements[run->confinement]);
	set_int(o, "duration_ns", run->sc->duration_ns);
	set_int(o, "wall_ns", run->stop_ns - run->start_ns);
	set_text(o, "exit", run->signal ? "interrupted" : run->n_errors ? "failed" : "completed");
	for (i = 0; i < run->n_errors; i++)
		json_array_append_new(errors, text_json(run->errors[i]));
	json_object_set_new(o, "errors", errors);
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
				json_array_append_new(workers,
						      worker_of_life(run, &crew->members[k]));
		}
	}
	json_object_set_new(o, "cgroups", cgroups);
	json_object_set_new(o, "steps", steps_json(run));
	json_object_set_new(o, "workers", workers);
	json_object_set_new(o, "payloads", payloads_json(run));
	json_object_set_new(o, "requests", requests_json(run));
	return dump(o, f);
}
