/* SPDX-License-Identifier: GPL-2.0 */
/* Sets of CPU (or node) numbers and the kernel's list format, "0-3,6" (lib/bitmap-str.c). */
#ifndef KT_CPUSET_H
#define KT_CPUSET_H

#include <stdbool.h>
#include <stddef.h>

#define CPUSET_MAX 4096 /* numbers 0..4095 */

struct cpuset {
	unsigned long bits[CPUSET_MAX / (8 * sizeof(unsigned long))];
};

void cpuset_clear(struct cpuset *set);
void cpuset_add(struct cpuset *set, unsigned int cpu); /* ignores cpu >= CPUSET_MAX */
void cpuset_add_range(struct cpuset *set, unsigned int first, unsigned int last);
bool cpuset_has(const struct cpuset *set, unsigned int cpu);
unsigned int cpuset_count(const struct cpuset *set);
bool cpuset_subset(const struct cpuset *inner, const struct cpuset *outer);
void cpuset_and(struct cpuset *set, const struct cpuset *other);
void cpuset_or(struct cpuset *set, const struct cpuset *other);

/* The lowest member at or above @from, or -1. */
int cpuset_next(const struct cpuset *set, unsigned int from);

#define cpuset_for_each(cpu, set) \
	for (int cpu = cpuset_next(set, 0); cpu >= 0; cpu = cpuset_next(set, cpu + 1))

/*
 * Parse the list format; white space at the end is allowed (sysfs adds a newline), an empty list
 * gives an empty set. Returns 0, -EINVAL on malformed text, -ERANGE for a number over the maximum.
 */
int cpuset_parse(const char *text, struct cpuset *set);

/* The list format of @set; "" for an empty one. Caller frees. */
char *cpuset_format(const struct cpuset *set);

#endif
