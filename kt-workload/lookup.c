// SPDX-License-Identifier: GPL-2.0
/* What the cgroups and workers of a scenario are like at the line that is being parsed. */
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "names.h"
#include "parser.h"

bool cgroup_name_below(const char *name, const char *above)
{
	size_t len = strlen(above);

	return !strncmp(name, above, len) && name[len] == '/';
}

bool cgroup_def_lives(const struct parser *p, const struct cgroup_def *def)
{
	return !def->removed_line && (def->step == 0 || def->step == p->sc->n_steps - 1);
}

bool group_runs(const struct parser *p, const struct group_def *group)
{
	return group->workers && !group->stopped_line &&
	       (group->step == 0 || group->step == p->sc->n_steps - 1);
}

bool cgroup_def_working(const struct parser *p, const struct cgroup_def *def)
{
	size_t i;

	for (i = 0; i < p->sc->n_groups; i++) {
		if (p->sc->groups[i]->where == def && group_runs(p, p->sc->groups[i]))
			return true;
	}
	return false;
}

bool cgroup_def_starts(const struct parser *p, const struct cgroup_def *def)
{
	size_t i;

	for (i = 0; def && i < p->sc->n_groups; i++) {
		if (p->sc->groups[i]->where == def && p->sc->groups[i]->step == p->sc->n_steps - 1)
			return true;
	}
	return false;
}

const struct cgroup_def *cgroup_def_below(const struct parser *p, const struct cgroup_def *def)
{
	size_t i;

	for (i = 0; i < p->sc->n_cgroups; i++) {
		const struct cgroup_def *below = p->sc->cgroups[i];

		if (cgroup_def_lives(p, below) && cgroup_name_below(below->name, def->name))
			return below;
	}
	return NULL;
}

const struct cgroup_def *cgroup_def_above(const struct parser *p, const struct cgroup_def *def,
					  bool mems)
{
	const struct cgroup_def *nearest = NULL;
	size_t i;

	for (i = 0; i < p->sc->n_cgroups; i++) {
		const struct cgroup_def *above = p->sc->cgroups[i];

		if (!cgroup_def_lives(p, above) || !cgroup_name_below(def->name, above->name))
			continue;
		if ((mems ? above->has_mems : above->confined_now) &&
		    (!nearest || cgroup_name_below(above->name, nearest->name)))
			nearest = above;
	}
	return nearest;
}

bool cgroup_def_may_have(struct parser *p, const struct cgroup_def *def, const struct cpuset *cpus)
{
	const struct cgroup_def *above = cgroup_def_above(p, def, false);
	_cleanup_free_ char *list = NULL, *all = NULL;

	if (!above || cpuset_subset(cpus, &above->cpus_now))
		return true;
	list = cpuset_format(cpus);
	all = cpuset_format(&above->cpus_now);
	parser_error(p, "CPUs %s for cgroup '%s': expected some of %s, the CPUs of '%s' above it",
		     list, def->name, all, above->name);
	return false;
}

const struct cpuset *cgroup_def_cpus(const struct parser *p, const struct cgroup_def *def)
{
	return def->confined_now ? &def->cpus_now : &p->machine->online;
}

struct cgroup_def *parser_root(struct parser *p)
{
	if (!p->sc->root) {
		p->sc->root = xcalloc(1, sizeof(*p->sc->root));
		*p->sc->root = (struct cgroup_def){
			.name = xstrdup("/"),
			.at_root = true,
			.line = p->line,
		};
	}
	return p->sc->root;
}

struct cgroup_def *cgroup_def_find(struct parser *p, const char *name)
{
	_cleanup_free_ const char **names = NULL;
	struct cgroup_def *removed = NULL;
	size_t n = 0, i;

	if (!strcmp(name, "/"))
		return parser_root(p);
	for (i = 0; i < p->sc->n_cgroups; i++) {
		struct cgroup_def *def = p->sc->cgroups[i];

		if (cgroup_def_lives(p, def)) {
			if (!strcmp(def->name, name))
				return def;
			ptrlist_add(&names, &n, def->name);
		} else if (def->removed_line && !strcmp(def->name, name)) {
			removed = def;
		}
	}
	if (removed)
		parser_error(p, "cgroup '%s' was removed in line %d", name, removed->removed_line);
	else if (!n)
		parser_error(p, "unknown cgroup '%s': there is none here", name);
	else
		parser_error_take(p, unknown_name("cgroup", name, names));
	return NULL;
}

struct cgroup_def *cgroup_def_find_working(struct parser *p, const char *name)
{
	struct cgroup_def *def = cgroup_def_find(p, name);
	int stopped_line = 0;
	size_t i;

	if (!def || cgroup_def_working(p, def))
		return def;
	for (i = 0; i < p->sc->n_groups; i++) {
		const struct group_def *group = p->sc->groups[i];

		if (group->where == def && group->stopped_line)
			stopped_line = group->stopped_line;
	}
	if (stopped_line)
		parser_error(p, "the workers of cgroup '%s' were stopped in line %d", name,
			     stopped_line);
	else
		parser_error(p, "cgroup '%s' has no workers: expected one that has", name);
	return NULL;
}
