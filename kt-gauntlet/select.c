// SPDX-License-Identifier: GPL-2.0
#include "select.h"

#include <errno.h>

#include "cleanup.h"
#include "diag.h"

static unsigned int llcs(const struct topology *t)
{
	return t->llcs;
}

static unsigned int numa_nodes(const struct topology *t)
{
	return t->numa_nodes;
}

static unsigned int threads(const struct topology *t)
{
	return t->threads;
}

/* Maxima that hold when none is given keep the matrix to what an ordinary machine runs. */
static const struct bound {
	unsigned int (*measure)(const struct topology *t);
	bool is_max;
	unsigned int standard;	    /* 0: none */
	const char *standard_text;  /* what messages call it */
	unsigned int fixed;	    /* the value of a bound that takes none */
	enum constraint_id minimum; /* of a maximum: its opposite */
	const char *unit;
} bounds[BOUND_END] = {
	[MIN_LLCS] = {llcs, false, 0, NULL, 0, MIN_LLCS, "LLCs"},
	[MAX_LLCS] = {llcs, true, 12, "the default --max-llcs 12", 0, MIN_LLCS, "LLCs"},
	[MIN_CPUS] = {topology_cpus, false, 0, NULL, 0, MIN_CPUS, "CPUs"},
	[MAX_CPUS] = {topology_cpus, true, 192, "the default --max-cpus 192", 0, MIN_CPUS, "CPUs"},
	[MIN_NUMA_NODES] = {numa_nodes, false, 0, NULL, 0, MIN_NUMA_NODES, "NUMA nodes"},
	[MAX_NUMA_NODES] = {numa_nodes, true, 1, "the default --max-numa-nodes 1", 0,
			    MIN_NUMA_NODES, "NUMA nodes"},
	[REQUIRES_SMT] = {threads, false, 0, NULL, 2, REQUIRES_SMT, "threads per core"},
	[NO_SMT] = {threads, true, 0, NULL, 1, REQUIRES_SMT, "threads per core"},
};

/* Drop rows beyond the bound. The message needs the dropped value that is nearest to it. */
static int bound_apply(struct presets *all, const struct bound *b, unsigned int value,
		       const char *origin, bool spare_named, char **why)
{
	unsigned int extreme = b->is_max ? ~0U : 0;
	size_t before = 0, kept = 0, i;

	for (i = 0; i < all->n; i++) {
		struct preset *row = &all->rows[i];
		unsigned int found = b->measure(&row->topology);

		if (row->dropped_by)
			continue;
		before++;
		if ((spare_named && row->named) || (b->is_max ? found <= value : found >= value)) {
			kept++;
			continue;
		}
		row->dropped_by = origin;
		if (b->is_max ? found < extreme : found > extreme)
			extreme = found;
	}
	if (kept)
		return 0;
	*why = xasprintf("%s leaves none of %zu topologies, which have at %s %u %s", origin, before,
			 b->is_max ? "least" : "most", extreme, b->unit);
	return -ENOENT;
}

/* What was said goes first, so that a default which is in the way is the one that is named. */
int topologies_select(const struct constraints *c, struct presets *all, char **why)
{
	unsigned int given[BOUND_END] = {0};
	size_t i;
	int err;

	for (i = 0; i < c->n; i++) {
		const struct constraint *row = &c->rows[i];
		const struct bound *b;

		if (row->id >= BOUND_END)
			continue;
		b = &bounds[row->id];
		given[row->id] = b->fixed ? b->fixed : row->number;
		err = bound_apply(all, b, given[row->id], row->origin, false, why);
		if (err)
			return err;
	}
	for (i = 0; i < BOUND_END; i++) {
		const struct bound *b = &bounds[i];

		/* Who asks for more than the default maximum does not mean it. */
		if (given[i] || !b->standard || given[b->minimum] > b->standard)
			continue;
		err = bound_apply(all, b, b->standard, b->standard_text, true, why);
		if (err)
			return err;
	}
	return 0;
}
