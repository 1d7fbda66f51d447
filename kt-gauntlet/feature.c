// SPDX-License-Identifier: GPL-2.0
#include "feature.h"

#include "cleanup.h"

#define FLAG_NUMBERS (FLAGS_MAX + 1) /* one for a profile without flags */
#define PAIR_NUMBERS (FLAGS_MAX * FLAGS_MAX)

static const char *const class_names[FEATURE_CLASSES] = {
	[FEATURE_CPUS] = "CPU counts",	[FEATURE_LLCS] = "LLC counts",
	[FEATURE_SMT] = "SMT",		[FEATURE_NUMA] = "NUMA nodes",
	[FEATURE_SCHED] = "schedulers", [FEATURE_FLAG] = "flags",
	[FEATURE_PAIR] = "flag pairs",	[FEATURE_KERNEL] = "kernels",
	[FEATURE_WORK] = "work types",
};

const char *feature_class_name(enum feature_class c)
{
	return class_names[c];
}

/* Indices of schedulers go up to that of the last value. */
static size_t scheds(const struct matrix *m)
{
	const struct dimension *d = &m->dims[DIM_SUBJECT];

	return d->values[d->n - 1].subject.sched_index + 1;
}

/* How many numbers a class takes. */
static size_t class_size(const struct matrix *m, enum feature_class c)
{
	switch (c) {
	case FEATURE_CPUS:
		return 64;
	case FEATURE_LLCS:
	case FEATURE_NUMA:
		return TOPOLOGY_MAX_CPUS + 1;
	case FEATURE_SMT:
		return 2;
	case FEATURE_SCHED:
		return scheds(m);
	case FEATURE_FLAG:
		return scheds(m) * FLAG_NUMBERS;
	case FEATURE_PAIR:
		return scheds(m) * PAIR_NUMBERS;
	case FEATURE_KERNEL:
		return m->dims[DIM_KERNEL].n;
	case FEATURE_WORK:
		return m->dims[DIM_WORK].n;
	default:
		return 0;
	}
}

static size_t class_start(const struct matrix *m, enum feature_class end)
{
	size_t start = 0;
	int c;

	for (c = 0; c < (int)end; c++)
		start += class_size(m, c);
	return start;
}

size_t features_end(const struct matrix *m)
{
	return class_start(m, FEATURE_CLASSES);
}

enum feature_class feature_class_of(const struct matrix *m, size_t feature)
{
	int c = 0;

	while (feature >= class_size(m, c))
		feature -= class_size(m, c++);
	return c;
}

static size_t topology_features(const struct matrix *m, const struct topology *t, uint32_t *out)
{
	unsigned int cpus = topology_cpus(t), bucket = 0;

	while (1U << bucket < cpus)
		bucket++;
	out[0] = class_start(m, FEATURE_CPUS) + bucket;
	out[1] = class_start(m, FEATURE_LLCS) + t->llcs;
	out[2] = class_start(m, FEATURE_SMT) + (t->threads > 1);
	out[3] = class_start(m, FEATURE_NUMA) + t->numa_nodes;
	return 4;
}

static size_t subject_features(const struct matrix *m, const struct subject *s, uint32_t *out)
{
	size_t flags = class_start(m, FEATURE_FLAG) + s->sched_index * FLAG_NUMBERS;
	size_t pairs = class_start(m, FEATURE_PAIR) + s->sched_index * PAIR_NUMBERS;
	size_t n = 0, a, b;

	out[n++] = class_start(m, FEATURE_SCHED) + s->sched_index;
	if (!s->mask)
		out[n++] = flags + FLAGS_MAX;
	for (a = 0; a < FLAGS_MAX && s->mask >> a; a++) {
		if (!(s->mask >> a & 1))
			continue;
		out[n++] = flags + a;
		for (b = 0; b < a; b++) {
			if (s->mask >> b & 1)
				out[n++] = pairs + a * FLAGS_MAX + b;
		}
	}
	return n;
}

size_t features_of(struct matrix *m, enum dim d, size_t value, uint32_t *out)
{
	switch (d) {
	case DIM_TOPOLOGY:
		return topology_features(m, &matrix_value(m, d, value)->topology, out);
	case DIM_SUBJECT:
		return subject_features(m, &matrix_value(m, d, value)->subject, out);
	case DIM_KERNEL:
		out[0] = class_start(m, FEATURE_KERNEL) + value;
		return 1;
	case DIM_WORK:
		out[0] = class_start(m, FEATURE_WORK) + value;
		return 1;
	default:
		return 0;
	}
}
