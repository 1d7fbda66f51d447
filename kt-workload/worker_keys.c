// SPDX-License-Identifier: GPL-2.0
/* The key=value options of a cgroup's workers: one row each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "cpuset_spec.h"
#include "diag.h"
#include "names.h"
#include "parser.h"
#include "quantity.h"

/* What the options of one line say beyond the definition itself. */
struct key_state {
	struct cgroup_def *def;
	double percent; /* workers=P%, or 0 */
	bool has_workers;
};

struct key_row {
	const char *name;
	void (*set)(struct parser *p, struct key_state *k, const char *value);
};

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
		k->def->workers = n;
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

	if (work_spec_parse(value, &k->def->work, &why))
		parser_error_take(p, why);
}

static void set_cpuset(struct parser *p, struct key_state *k, const char *value)
{
	char *why;

	if (cpuset_spec_resolve(value, p->machine, &k->def->cpus, &why))
		parser_error_take(p, why);
	else
		p->sc->confines = k->def->confined = true;
}

static void set_policy(struct parser *p, struct key_state *k, const char *value)
{
	char *why;

	if (policy_parse(value, &k->def->policy, &why))
		parser_error_take(p, why);
}

static void set_nice(struct parser *p, struct key_state *k, const char *value)
{
	int64_t n;

	if (number_parse(value, -20, 19, &n)) {
		parser_error(p, "nice='%s': expected a number from -20 to 19", value);
		return;
	}
	k->def->has_nice = true;
	k->def->nice = n;
}

/* The kernel cuts at 15 bytes (__set_task_comm()), and so do we. */
static void set_comm(struct parser *p, struct key_state *k, const char *value)
{
	if (!*value)
		parser_error(p, "comm='': expected a name");
	snprintf(k->def->comm, sizeof(k->def->comm), "%s", value);
}

static const struct key_row key_rows[] = {
	{"workers", set_workers}, {"work", set_work}, {"cpuset", set_cpuset},
	{"policy", set_policy},	  {"nice", set_nice}, {"comm", set_comm},
};

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

static void key_parse(struct parser *p, struct key_state *k, const char *word,
		      bool seen[ARRAY_SIZE(key_rows)])
{
	size_t len = strcspn(word, "=");
	_cleanup_free_ char *name = xstrndup(word, len);
	const struct key_row *row = key_find(p, name);

	if (!row)
		return;
	if (word[len] != '=')
		parser_error(p, "option '%s': expected %s=VALUE", word, word);
	else if (seen[row - key_rows])
		parser_error(p, "option '%s' is given twice", name);
	else
		row->set(p, k, word + len + 1);
	seen[row - key_rows] = true;
}

/* Defaults, and what depends on several options. */
static void keys_complete(struct parser *p, struct key_state *k)
{
	struct cgroup_def *def = k->def;
	char *why;

	if (!def->work.type && work_spec_parse("spin-wait", &def->work, &why))
		die(70, "%s", why);
	if (!k->has_workers)
		def->workers = p->sc->workers;
	if (k->percent > 0) {
		const struct cpuset *cpus = def->confined ? &def->cpus : &p->machine->online;
		double share = cpuset_count(cpus) * k->percent / 100;

		def->workers = share;
		if (share - def->workers > 1e-9)
			def->workers++;
	}
	if (def->workers % def->work.group)
		parser_error(p,
			     "work type '%s' works in groups of %u: expected a number of "
			     "workers that %u divides, not %u",
			     def->work.type->name, def->work.group, def->work.group, def->workers);
	if (!def->comm[0])
		snprintf(def->comm, sizeof(def->comm), "%s", def->work.type->name);
}

void worker_keys_parse(struct parser *p, char **words, struct cgroup_def *def)
{
	struct key_state k = {.def = def};
	bool seen[ARRAY_SIZE(key_rows)] = {};
	int mistakes = p->mistakes;

	for (; *words; words++)
		key_parse(p, &k, *words, seen);
	if (p->mistakes == mistakes)
		keys_complete(p, &k);
}
