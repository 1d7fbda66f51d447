/* SPDX-License-Identifier: GPL-2.0 */
/* CPU affinities as scenarios write them: inherit, random:N, single:CPU, llc-aligned,
 * cross-cgroup, smt-pair, or a CPU set. */
#ifndef KT_AFFINITY_H
#define KT_AFFINITY_H

#include <stdint.h>

#include "cpuset.h"
#include "machine.h"

enum affinity_kind {
	AFFINITY_INHERIT, /* no mask of their own */
	AFFINITY_RANDOM,
	AFFINITY_SET,
	AFFINITY_LLC,
	AFFINITY_CROSS,
	AFFINITY_SMT,
};

struct affinity {
	char *text; /* as written; NULL: none was asked for */
	enum affinity_kind kind;
	unsigned int n;	    /* random: how many CPUs */
	struct cpuset cpus; /* of a set */
};

/*
 * Parse @text for workers that may run on @within, of which every mask must leave a CPU. Returns 0,
 * or -EINVAL with *@why (caller frees). Release with affinity_free().
 */
int affinity_parse(const char *text, const struct machine *m, const struct cpuset *within,
		   struct affinity *a, char **why);
void affinity_free(struct affinity *a);

/*
 * The mask of worker @index of its group, of workers that may run on @within; what is random in it
 * follows from @random.
 */
void affinity_mask(const struct affinity *a, const struct machine *m, const struct cpuset *within,
		   uint32_t index, uint64_t random, struct cpuset *mask);

#endif
