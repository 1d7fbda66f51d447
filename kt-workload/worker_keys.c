// SPDX-License-Identifier: GPL-2.0
/* The key=value options of cgroups and their workers: one row each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup_files.h"
#include "cleanup.h"
#include "cpuset_spec.h"
#include "diag.h"
#include "names.h"
#include "parser.h"
#include "quantity.h"

/* What the options of one line say beyond the definition itself. */
struct key_row;

struct key_state {
	const struct key_row *row; /* the option that is being set */
	struct cgroup_def *def;
	struct group_def *group;
	double percent; /* workers=P%, or 0 */
	bool has_workers;
	bool has_clone;
};

struct key_row {
	const char *name;
	void (*set)(struct parser *p, struct key_state *k, const char *value);
	bool of_cgroup; /* not of its workers */
	bool bare;	/* it takes no value */
};

/* @value is the definition's from now on. */
static void setting_add(struct cgroup_def *def, const char *file, char *value)
{
	def->settings = xrealloc(def->settings, (def->n_settings + 1) * sizeof(*def->settings));
	def->settings[def->n_settings++] = (struct cgroup_setting){file, value};
}

static void set_workers(struct parser *p, struct key_state *k, const char *value)
{
	_cleanup_free_ char *number = xstrdup(value);
	size_t len = strlen(number);
	int64_t n;

	k->has_workers = true;
	if (len > 1 && number[len - 1] == '%') {
		number[len - 1] = '\0';
		if (!fraction_parse(number, &k->percent) && k->percent > 0 && k->percent <= 10000)
			return;
		k->percent = 0;
	} else if (!number_parse(value, 0, SCENARIO_WORKERS_MAX, &n)) {
		k->group->workers = n;
		return;
	}
	parser_error(p,
		     "workers='%s': expected a number from 0 to %d or a percentage of the "
		     "cgroup's CPUs, for example 200%%",
		     value, SCENARIO_WORKERS_MAX);
}

static void set_work(struct parser *p, struct key_state *k, const char *value)
{
	char *why;

	if (k->group->swappable && p->defaults->work)
		value = p->defaults->work;
	if (work_spec_parse(value, &k->group->work, &why))
		parser_error_take(p, why);
}

static void confine(struct parser *p, struct cgroup_def *def, const struct cpuset *cpus)
{
	p->sc->confines = def->confined = def->confined_now = true;
	def->cpus = def->cpus_now = *cpus;
}

/* What confines those above it confines this one. */
static void inherit(struct parser *p, struct cgroup_def *def)
{
	const struct cgroup_def *confining = cgroup_def_above(p, def, false);
	const struct cgroup_def *with_mems = cgroup_def_above(p, def, true);

	if (confining)
		confine(p, def, &confining->cpus_now);
	if (!with_mems)
		return;
	def->has_mems = true;
	def->mems = with_mems->mems;
}

static void set_cpuset(struct parser *p, struct key_state *k, const char *value)
{
	const struct cgroup_def *below = cgroup_def_below(p, k->def);
	struct cpuset cpus;
	char *why;

	if (cpuset_spec_resolve(value, p->machine, &cpus, &why))
		parser_error_take(p, why);
	else if (below)
		parser_error(p,
			     "cpuset= of cgroup '%s', which has '%s' below it: expected its line "
			     "before",
			     k->def->name, below->name);
	else if (cgroup_def_may_have(p, k->def, &cpus))
		confine(p, k->def, &cpus);
}

static void set_mems(struct parser *p, struct key_state *k, const char *value)
{
	const struct cpuset *have = k->def->has_mems ? &k->def->mems : &p->machine->memory_nodes;
	_cleanup_free_ char *list = cpuset_format(have);
	struct cpuset mems;

	if (cpuset_parse(value, &mems) || !cpuset_count(&mems) || !cpuset_subset(&mems, have)) {
		parser_error(p, "mems='%s': expected some of the nodes with memory%s, %s", value,
			     k->def->has_mems ? " that the cgroups above have" : "", list);
		return;
	}
	k->def->has_mems = true;
	k->def->mems = mems;
	setting_add(k->def, "cpuset.mems", cpuset_format(&k->def->mems));
}

static void set_affinity(struct parser *p, struct key_state *k, const char *value)
{
	char *why;

	if (affinity_parse(value, p->machine, cgroup_def_cpus(p, k->def), &k->group->affinity,
			   &why))
		parser_error_take(p, why);
}

static void set_mempolicy(struct parser *p, struct key_state *k, const char *value)
{
	const struct cpuset *have = k->def->has_mems ? &k->def->mems : &p->machine->memory_nodes;
	char *why;

	if (mempolicy_parse(value, have, &k->group->mempolicy, &why))
		parser_error_take(p, why);
}

static void set_mpol_flags(struct parser *p, struct key_state *k, const char *value)
{
	char *why;

	if (mempolicy_flags_parse(value, &k->group->mempolicy, &why))
		parser_error_take(p, why);
}

static void set_uid(struct parser *p, struct key_state *k, const char *value)
{
	char *why;

	if (identity_parse_uid(value, &k->group->identity, &why))
		parser_error_take(p, why);
}

static void set_gid(struct parser *p, struct key_state *k, const char *value)
{
	char *why;

	if (identity_parse_gid(value, &k->group->identity, &why))
		parser_error_take(p, why);
}

static void set_swappable(struct parser *p, struct key_state *k, const char *value)
{
	(void)value;
	p->sc->swaps = k->group->swappable = true;
}

/* One of the controllers' files: the option is called like it. */
static void set_file(struct parser *p, struct key_state *k, const char *value)
{
	char *text, *why;

	if (cgroup_file_check(k->row->name, value, &text, &why))
		parser_error_take(p, why);
	else
		setting_add(k->def, k->row->name, text);
}

static void set_policy(struct parser *p, struct key_state *k, const char *value)
{
	char *why;

	if (policy_parse(value, &k->group->policy, &why))
		parser_error_take(p, why);
}

static void set_nice(struct parser *p, struct key_state *k, const char *value)
{
	int64_t n;

	if (number_parse(value, -20, 19, &n)) {
		parser_error(p, "nice='%s': expected a number from -20 to 19", value);
		return;
	}
	k->group->has_nice = true;
	k->group->nice = n;
}

/* The kernel cuts at 15 bytes (__set_task_comm()), and so do we. */
static void set_comm(struct parser *p, struct key_state *k, const char *value)
{
	if (!*value)
		parser_error(p, "comm='': expected a name");
	snprintf(k->group->comm, sizeof(k->group->comm), "%s", value);
}

static void set_pcomm(struct parser *p, struct key_state *k, const char *value)
{
	if (!*value)
		parser_error(p, "pcomm='': expected a name");
	snprintf(k->group->pcomm, sizeof(k->group->pcomm), "%s", value);
}

static void set_clone(struct parser *p, struct key_state *k, const char *value)
{
	const char *const names[] = {"fork", "thread", NULL};

	k->has_clone = true;
	k->group->threads = !strcmp(value, "thread");
	if (!k->group->threads && strcmp(value, "fork"))
		parser_error_take(p, unknown_name("clone", value, names));
}

#define CGROUP_FILE(name)                         \
	{                                         \
		name, set_file, .of_cgroup = true \
	}

/* In the order in which they are set: some look at those before. */
static const struct key_row key_rows[] = {
	{"cpuset", set_cpuset, .of_cgroup = true},
	{"mems", set_mems, .of_cgroup = true},
	CGROUP_FILE("cpu.max"),
	CGROUP_FILE("cpu.weight"),
	CGROUP_FILE("memory.max"),
	CGROUP_FILE("memory.high"),
	CGROUP_FILE("memory.low"),
	CGROUP_FILE("memory.swap.max"),
	CGROUP_FILE("io.weight"),
	CGROUP_FILE("pids.max"),
	{"workers", set_workers},
	{"swappable", set_swappable, .bare = true},
	{"work", set_work},
	{"affinity", set_affinity},
	{"policy", set_policy},
	{"nice", set_nice},
	{"comm", set_comm},
	{"pcomm", set_pcomm},
	{"clone", set_clone},
	{"mempolicy", set_mempolicy},
	{"mpol-flags", set_mpol_flags},
	{"uid", set_uid},
	{"gid", set_gid},
};

size_t worker_keys_count(void)
{
	return ARRAY_SIZE(key_rows);
}

static const struct key_row *key_find(struct parser *p, const char *name)
{
	const char *names[ARRAY_SIZE(key_rows) + 1] = {};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(key_rows); i++) {
		if (!strcmp(key_rows[i].name, name))
			return &key_rows[i];
		names[i] = key_rows[i].name;
	}
	parser_error_take(p, unknown_name("option", name, names));
	return NULL;
}

/* Take one word apart into @values, by key. */
static void key_parse(struct parser *p, const char *word, const char **values, bool make)
{
	size_t len = strcspn(word, "=");
	_cleanup_free_ char *name = xstrndup(word, len);
	const struct key_row *row = key_find(p, name);

	if (!row)
		return;
	if (row->bare && word[len] == '=')
		parser_error(p, "option '%s': expected no value", name);
	else if (!row->bare && word[len] != '=')
		parser_error(p, "option '%s': expected %s=VALUE", word, word);
	else if (row->of_cgroup && !make)
		parser_error(p,
			     "option '%s' is one of a cgroup: expected it in a cgroup's own line",
			     name);
	else if (values[row - key_rows])
		parser_error(p, "option '%s' is given twice", name);
	else
		values[row - key_rows] = row->bare ? "" : word + len + 1;
}

static void workers_complete(struct parser *p, struct key_state *k)
{
	struct group_def *group = k->group;

	if (!k->has_workers)
		group->workers = p->sc->workers;
	if (k->percent > 0) {
		double share = cpuset_count(cgroup_def_cpus(p, k->def)) * k->percent / 100;

		group->workers = share;
		if (share - group->workers > 1e-9)
			group->workers++;
	}
	if (group->workers % group->work.group)
		parser_error(p,
			     "work type '%s' works in groups of %u: expected a number of "
			     "workers that %u divides, not %u",
			     group->work.type->name, group->work.group, group->work.group,
			     group->workers);
}

/* Groups of a cgroup that start together and have the same pcomm are threads of one leader. */
static void join_leader(struct parser *p, struct group_def *group)
{
	size_t i;

	group->first = group;
	for (i = 0; group->pcomm[0] && group->workers && i < group->index; i++) {
		struct group_def *other = p->sc->groups[i];

		if (other->cgroup != group->cgroup || other->step != group->step || other->mate ||
		    !other->workers || strcmp(other->pcomm, group->pcomm))
			continue;
		group->first = other->first;
		other->mate = group;
		return;
	}
}

/* Defaults, and what depends on several options. */
static void keys_complete(struct parser *p, struct key_state *k)
{
	struct group_def *group = k->group;

	if (!group->work.type)
		set_work(p, k, "spin-wait");
	workers_complete(p, k);
	if (group->work.type->in_cgroup && k->def->at_root)
		parser_error(p,
			     "work type '%s' works on its own cgroup: expected it in one of the "
			     "scenario's",
			     group->work.type->name);
	if (group->pcomm[0] && k->has_clone && !group->threads)
		parser_error(p,
			     "pcomm='%s' and clone=fork: expected clone=thread, because a leader "
			     "has threads",
			     group->pcomm);
	group->threads |= group->pcomm[0] != 0;
	if (!group->comm[0])
		snprintf(group->comm, sizeof(group->comm), "%s", group->work.type->name);
	join_leader(p, group);
}

/* Keep what the cgroup's line says of workers, for the lines of its other groups. */
static void keys_keep(struct cgroup_def *def, const char *const *values)
{
	size_t i;

	def->options = xcalloc(ARRAY_SIZE(key_rows), sizeof(*def->options));
	for (i = 0; i < ARRAY_SIZE(key_rows); i++) {
		if (values[i] && !key_rows[i].of_cgroup)
			def->options[i] = xstrdup(values[i]);
	}
}

void worker_keys_parse(struct parser *p, char **words, struct group_def *group, bool make)
{
	struct key_state k = {.def = group->cgroup, .group = group};
	const char *values[ARRAY_SIZE(key_rows)] = {};
	int mistakes = p->mistakes;
	size_t i;

	for (; *words; words++)
		key_parse(p, *words, values, make);
	if (make) {
		inherit(p, k.def);
		keys_keep(k.def, values);
	}
	for (i = 0; i < ARRAY_SIZE(key_rows); i++) {
		/* What is wrong in the cgroup's line has been told. */
		if (!values[i] && !make && !p->mistakes && k.def->options)
			values[i] = k.def->options[i];
		k.row = &key_rows[i];
		if (values[i])
			k.row->set(p, &k, values[i]);
	}
	if (p->mistakes == mistakes)
		keys_complete(p, &k);
	else if (!k.has_workers) /* so that later lines do not miss them */
		group->workers = p->sc->workers;
}
