// SPDX-License-Identifier: GPL-2.0
#include "cpuset_spec.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "options.h"
#include "quantity.h"

struct form {
	const char *name;
	const char *shape;
	int (*resolve)(const char *arg, const struct machine *m, struct cpuset *set, char **why);
};

/* "I/N" with I < N. */
static int part_parse(const char *text, int64_t *i, int64_t *n)
{
	_cleanup_free_ char *left = xstrdup(text);
	char *slash = strchr(left, '/');

	if (!slash)
		return -EINVAL;
	*slash = '\0';
	if (number_parse(slash + 1, 1, CPUSET_MAX, n))
		return -EINVAL;
	return number_parse(left, 0, *n - 1, i) ? -EINVAL : 0;
}

/* Add the usable CPUs at positions [@from, @to), counted round and round. */
static void add_usable(const struct machine *m, struct cpuset *set, unsigned int from,
		       unsigned int to)
{
	unsigned int n = cpuset_count(&m->usable), position = 0;

	cpuset_for_each (cpu, &m->usable) {
		if ((position >= from && position < to) || (to > n && position < to - n))
			cpuset_add(set, cpu);
		position++;
	}
}

static int resolve_llc(const char *arg, const struct machine *m, struct cpuset *set, char **why)
{
	int64_t i;

	if (number_parse(arg, 0, m->n_llcs - 1, &i)) {
		*why = xasprintf("no LLC '%s': expected llc:0 to llc:%zu", arg, m->n_llcs - 1);
		return -EINVAL;
	}
	*set = m->llcs[i];
	return 0;
}

static int resolve_numa(const char *arg, const struct machine *m, struct cpuset *set, char **why)
{
	int64_t i;

	if (number_parse(arg, 0, m->n_nodes - 1, &i)) {
		*why = xasprintf("no NUMA node '%s': expected numa:0 to numa:%zu", arg,
				 m->n_nodes - 1);
		return -EINVAL;
	}
	*set = m->nodes[i];
	return 0;
}

static int resolve_range(const char *arg, const struct machine *m, struct cpuset *set, char **why)
{
	_cleanup_free_ char *low = xstrdup(arg);
	char *dash = strchr(low, '-');
	unsigned int n = cpuset_count(&m->usable);
	double a, b;

	if (dash)
		*dash = '\0';
	if (!dash || fraction_parse(low, &a) || fraction_parse(dash + 1, &b) || a < 0 || b > 1 ||
	    a > b) {
		*why = xasprintf("range '%s': expected two fractions 0 <= A <= B <= 1, for example "
				 "range:0-0.5",
				 arg);
		return -EINVAL;
	}
	/* Both ends round down, so that adjacent ranges tile; the nudge is for thirds and tenths.
	 */
	add_usable(m, set, (unsigned int)floor(a * n + 1e-9), (unsigned int)floor(b * n + 1e-9));
	return 0;
}

static int resolve_disjoint(const char *arg, const struct machine *m, struct cpuset *set,
			    char **why)
{
	unsigned int n = cpuset_count(&m->usable);
	int64_t i, parts;

	if (part_parse(arg, &i, &parts)) {
		*why = xasprintf("disjoint '%s': expected part I of N with I below N, for example "
				 "disjoint:0/2",
				 arg);
		return -EINVAL;
	}
	add_usable(m, set, i * n / parts, (i + 1) * n / parts);
	return 0;
}

static int resolve_overlap(const char *arg, const struct machine *m, struct cpuset *set, char **why)
{
	_cleanup_free_ char *part = xstrdup(arg);
	char *colon = strchr(part, ':');
	unsigned int n = cpuset_count(&m->usable), from, to;
	int64_t i, parts;
	double fraction;

	if (colon)
		*colon = '\0';
	if (!colon || part_parse(part, &i, &parts) || fraction_parse(colon + 1, &fraction) ||
	    fraction < 0 || fraction > 1) {
		*why = xasprintf("overlap '%s': expected part I of N and a fraction from 0 to 1, "
				 "for example overlap:0/2:0.5",
				 arg);
		return -EINVAL;
	}
	from = i * n / parts;
	to = (i + 1) * n / parts;
	if (to > from)
		to += (unsigned int)ceil(fraction * (to - from) - 1e-9);
	if (to - from > n)
		to = from + n;
	add_usable(m, set, from, to);
	return 0;
}

static const struct form forms[] = {
	{"llc", "llc:I", resolve_llc},
	{"numa", "numa:I", resolve_numa},
	{"range", "range:A-B", resolve_range},
	{"disjoint", "disjoint:I/N", resolve_disjoint},
	{"overlap", "overlap:I/N:FRAC", resolve_overlap},
};

static int resolve_list(const char *text, struct cpuset *set, char **why)
{
	const char *names[ARRAY_SIZE(forms) + 1] = {};
	_cleanup_free_ char *name = xstrndup(text, strcspn(text, ":"));
	const char *near;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(forms); i++)
		names[i] = forms[i].name;
	if (!cpuset_parse(text, set))
		return 0;
	near = strchr(text, ':') ? nearest_name(name, names) : NULL;
	if (near)
		*why = xasprintf("unknown CPU set '%s': did you mean '%s:'?", text, near);
	else
		*why = xasprintf("unknown CPU set '%s': expected " CPUSET_SPEC_FORMS, text);
	return -EINVAL;
}

int cpuset_spec_resolve(const char *text, const struct machine *m, struct cpuset *set, char **why)
{
	_cleanup_free_ char *have = NULL;
	size_t i, len = strcspn(text, ":");
	int ret;

	cpuset_clear(set);
	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		if (text[len] == ':' && strlen(forms[i].name) == len &&
		    !strncmp(text, forms[i].name, len))
			break;
	}
	if (i < ARRAY_SIZE(forms))
		ret = forms[i].resolve(text + len + 1, m, set, why);
	else
		ret = resolve_list(text, set, why);
	if (ret)
		return ret;
	if (!cpuset_count(set)) {
		have = cpuset_format(&m->usable);
		*why = xasprintf("CPU set '%s' is empty here (usable CPUs: %s)", text, have);
		return -EINVAL;
	}
	if (!cpuset_subset(set, &m->online)) {
		have = cpuset_format(&m->online);
		*why = xasprintf("CPU set '%s' lies outside the machine's CPUs %s", text, have);
		return -EINVAL;
	}
	return 0;
}
