// SPDX-License-Identifier: GPL-2.0
/* The resolved scenario, for --dry-run. */
#include "cleanup.h"
#include "stats.h"
#include "stats_fields.h"

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
