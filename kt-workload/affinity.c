// SPDX-License-Identifier: GPL-2.0
#include "affinity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "cpuset_spec.h"
#include "diag.h"
#include "names.h"
#include "quantity.h"
#include "random.h"

static const struct {
	const char *name;
	enum affinity_kind kind;
	const char *argument; /* NULL: it takes none */
} forms[] = {
	{"inherit", AFFINITY_INHERIT},
	{"random", AFFINITY_RANDOM, "a number of CPUs, for example random:2"},
	{"single", AFFINITY_SET, "a CPU, for example single:0"},
	{"llc-aligned", AFFINITY_LLC},
	{"cross-cgroup", AFFINITY_CROSS},
	{"smt-pair", AFFINITY_SMT},
	/* The forms of CPU sets, for the names' sake. */
	{"llc", AFFINITY_SET},
	{"numa", AFFINITY_SET},
	{"range", AFFINITY_SET},
	{"disjoint", AFFINITY_SET},
	{"overlap", AFFINITY_SET},
};

#define OWN_FORMS 6

static unsigned int count_within(const struct cpuset *set, const struct cpuset *within)
{
	struct cpuset both = *set;

	cpuset_and(&both, within);
	return cpuset_count(&both);
}

/* The LLC that has the most of @within's CPUs, the first of several. */
static const struct cpuset *llc_of(const struct machine *m, const struct cpuset *within)
{
	const struct cpuset *best = &m->llcs[0];
	size_t i;

	for (i = 1; i < m->n_llcs; i++) {
		if (count_within(&m->llcs[i], within) > count_within(best, within))
			best = &m->llcs[i];
	}
	return best;
}

/* The @index-th, counted round and round, of the cores with two threads in @within, or NULL. */
static const struct cpuset *pair_of(const struct machine *m, const struct cpuset *within,
				    uint32_t index)
{
	size_t i, n = 0;

	for (i = 0; i < m->n_cores; i++)
		n += count_within(&m->cores[i], within) >= 2;
	if (!n)
		return NULL;
	index %= n;
	for (i = 0;; i++) {
		if (count_within(&m->cores[i], within) >= 2 && !index--)
			return &m->cores[i];
	}
}

/* The number after "random:" or "single:". */
static int number_argument(const char *text, const char *argument, const char *expected,
			   struct affinity *a, char **why)
{
	int64_t n;

	if (!argument || number_parse(argument, 0, CPUSET_MAX, &n)) {
		*why = xasprintf("affinity='%s': expected %s", text, expected);
		return -EINVAL;
	}
	a->n = n;
	if (a->kind == AFFINITY_SET)
		cpuset_add(&a->cpus, n);
	return 0;
}

static int check(const char *text, const struct machine *m, const struct cpuset *within,
		 const struct affinity *a, char **why)
{
	_cleanup_free_ char *have = cpuset_format(within);

	if (a->kind == AFFINITY_RANDOM && (!a->n || a->n > cpuset_count(within)))
		*why = xasprintf("affinity='%s': expected from 1 to %u CPUs, because the workers "
				 "may run on CPUs %s",
				 text, cpuset_count(within), have);
	else if (a->kind == AFFINITY_SET && !count_within(&a->cpus, within))
		*why = xasprintf("affinity='%s' has none of the CPUs %s that the workers may run "
				 "on",
				 text, have);
	else if (a->kind == AFFINITY_SMT && !pair_of(m, within, 0))
		*why = xasprintf("affinity='%s': none of the cores has two threads among the "
				 "CPUs %s that the workers may run on",
				 text, have);
	else
		return 0;
	return -EINVAL;
}

/* Whether @name is meant to be one of the forms; the nearest is told. */
static int check_name(const char *name, char **why)
{
	const char *names[ARRAY_SIZE(forms) + 1] = {};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		if (!strcmp(forms[i].name, name))
			return 0;
		names[i] = forms[i].name;
	}
	if (name[strspn(name, "0123456789,-")] == '\0' && *name)
		return 0;
	*why = unknown_name("affinity", name, names);
	return -EINVAL;
}

int affinity_parse(const char *text, const struct machine *m, const struct cpuset *within,
		   struct affinity *a, char **why)
{
	_cleanup_free_ char *copy = xstrdup(text);
	char *argument = copy, *name = strsep(&argument, ":");
	size_t i;
	int ret = check_name(name, why);

	*a = (struct affinity){};
	if (ret)
		return ret;
	for (i = 0; i < OWN_FORMS && strcmp(forms[i].name, name); i++)
		;
	a->kind = i < OWN_FORMS ? forms[i].kind : AFFINITY_SET;
	if (i == OWN_FORMS) {
		ret = cpuset_spec_resolve(text, m, &a->cpus, why);
	} else if (forms[i].argument) {
		ret = number_argument(text, argument, forms[i].argument, a, why);
	} else if (argument) {
		*why = xasprintf("affinity='%s': expected nothing after '%s'", text, name);
		ret = -EINVAL;
	}
	ret = ret ? ret : check(text, m, within, a, why);
	if (!ret)
		a->text = xstrdup(text);
	return ret;
}

void affinity_free(struct affinity *a)
{
	free(a->text);
	a->text = NULL;
}

/* @n of the CPUs of @from, each as likely as any other. */
static void draw(const struct cpuset *from, unsigned int n, uint64_t random, struct cpuset *mask)
{
	unsigned int left = cpuset_count(from);

	cpuset_clear(mask);
	cpuset_for_each (cpu, from) {
		random = random_mix(random);
		if (random % left < n) {
			cpuset_add(mask, cpu);
			n--;
		}
		left--;
	}
}

void affinity_mask(const struct affinity *a, const struct machine *m, const struct cpuset *within,
		   uint32_t index, uint64_t random, struct cpuset *mask)
{
	const struct cpuset *pair;

	*mask = m->online;
	switch (a->kind) {
	case AFFINITY_RANDOM:
		draw(within, a->n, random, mask);
		break;
	case AFFINITY_SET:
		*mask = a->cpus;
		break;
	case AFFINITY_LLC:
		*mask = *llc_of(m, within);
		break;
	case AFFINITY_SMT:
		/* Two workers share a core; a set without a pair was refused, or came later. */
		pair = pair_of(m, within, index / 2);
		if (pair)
			*mask = *pair;
		break;
	case AFFINITY_INHERIT:
	case AFFINITY_CROSS:
		break;
	}
}
