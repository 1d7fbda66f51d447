/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a test can cover: features, numbered. Each belongs to one value of one dimension, so that a
 * variant's features are those of its values.
 */
#ifndef KT_GAUNTLET_FEATURE_H
#define KT_GAUNTLET_FEATURE_H

#include <stddef.h>
#include <stdint.h>

#include "matrix.h"

enum feature_class {
	FEATURE_CPUS, /* number of CPUs, up to the next power of two */
	FEATURE_LLCS,
	FEATURE_SMT,
	FEATURE_NUMA,
	FEATURE_SCHED,
	FEATURE_FLAG, /* a flag, or that there is none */
	FEATURE_PAIR, /* two flags together */
	FEATURE_KERNEL,
	FEATURE_WORK,
	FEATURE_CLASSES,
};

/* Most features that one value has: 64 flags, their pairs, and the scheduler. */
#define FEATURES_VALUE_MAX (1 + FLAGS_MAX + FLAGS_MAX * (FLAGS_MAX - 1) / 2)

/* In the plural, as in "CPU counts". */
const char *feature_class_name(enum feature_class c);

/* How many numbers there are for @m; not every number is a feature of some value. */
size_t features_end(const struct matrix *m);

enum feature_class feature_class_of(const struct matrix *m, size_t feature);

/* The features of a value, to @out with room for FEATURES_VALUE_MAX. Returns how many. */
size_t features_of(struct matrix *m, enum dim d, size_t value, uint32_t *out);

#endif
