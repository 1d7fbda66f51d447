// SPDX-License-Identifier: GPL-2.0
#include "cpuset.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"

#define WORD_BITS (8 * sizeof(unsigned long))

void cpuset_clear(struct cpuset *set)
{
	memset(set, 0, sizeof(*set));
}

void cpuset_add(struct cpuset *set, unsigned int cpu)
{
	if (cpu < CPUSET_MAX)
		set->bits[cpu / WORD_BITS] |= 1UL << (cpu % WORD_BITS);
}

void cpuset_add_range(struct cpuset *set, unsigned int first, unsigned int last)
{
	for (; first <= last && first < CPUSET_MAX; first++)
		cpuset_add(set, first);
}

bool cpuset_has(const struct cpuset *set, unsigned int cpu)
{
	return cpu < CPUSET_MAX && set->bits[cpu / WORD_BITS] >> (cpu % WORD_BITS) & 1;
}

unsigned int cpuset_count(const struct cpuset *set)
{
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(set->bits); i++)
		n += __builtin_popcountl(set->bits[i]);
	return n;
}

bool cpuset_subset(const struct cpuset *inner, const struct cpuset *outer)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(inner->bits); i++) {
		if (inner->bits[i] & ~outer->bits[i])
			return false;
	}
	return true;
}

void cpuset_and(struct cpuset *set, const struct cpuset *other)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(set->bits); i++)
		set->bits[i] &= other->bits[i];
}

void cpuset_or(struct cpuset *set, const struct cpuset *other)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(set->bits); i++)
		set->bits[i] |= other->bits[i];
}

int cpuset_next(const struct cpuset *set, unsigned int from)
{
	size_t i = from / WORD_BITS;
	unsigned long word;

	if (from >= CPUSET_MAX)
		return -1;
	word = set->bits[i] & ~0UL << (from % WORD_BITS);
	while (!word) {
		if (++i == ARRAY_SIZE(set->bits))
			return -1;
		word = set->bits[i];
	}
	return i * WORD_BITS + __builtin_ctzl(word);
}

/* Read a CPU number at *@p and step over it. */
static int cpu_number(const char **p, unsigned int *out)
{
	unsigned int v = 0;

	if (!isdigit((unsigned char)**p))
		return -EINVAL;
	for (; isdigit((unsigned char)**p); (*p)++) {
		v = v * 10 + (**p - '0');
		if (v >= CPUSET_MAX)
			return -ERANGE;
	}
	*out = v;
	return 0;
}

int cpuset_parse(const char *text, struct cpuset *set)
{
	const char *p = text;

	cpuset_clear(set);
	while (isspace((unsigned char)*p))
		p++;
	if (!*p)
		return 0;
	for (;;) {
		unsigned int first, last;
		int err = cpu_number(&p, &first);

		if (err)
			return err;
		last = first;
		if (*p == '-') {
			p++;
			err = cpu_number(&p, &last);
			if (err)
				return err;
			if (last < first)
				return -EINVAL;
		}
		cpuset_add_range(set, first, last);
		if (*p != ',')
			break;
		p++;
	}
	while (isspace((unsigned char)*p))
		p++;
	return *p ? -EINVAL : 0;
}

char *cpuset_format(const struct cpuset *set)
{
	size_t size;
	char *text = NULL;
	FILE *f = open_memstream(&text, &size);
	int cpu = cpuset_next(set, 0);
	const char *comma = "";

	if (!f)
		return xstrdup("");
	while (cpu >= 0) {
		int last = cpu;

		while (cpuset_has(set, last + 1))
			last++;
		fprintf(f, last > cpu ? "%s%d-%d" : "%s%d", comma, cpu, last);
		comma = ",";
		cpu = cpuset_next(set, last + 1);
	}
	fclose(f);
	return text;
}
