// SPDX-License-Identifier: GPL-2.0
#include "select.h"

#include <errno.h>
#include <fnmatch.h>

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
	const char *option;
	unsigned int (*measure)(const struct topology *t);
	bool is_max;
	unsigned int standard; /* 0: none */
	unsigned int fixed;    /* the value of an option that takes none */
	const char *unit;
} bounds[BOUND_END] = {
	[MIN_LLCS] = {"--min-llcs", llcs, false, 0, 0, "LLCs"},
	[MAX_LLCS] = {"--max-llcs", llcs, true, 12, 0, "LLCs"},
	[MIN_CPUS] = {"--min-cpus", topology_cpus, false, 0, 0, "CPUs"},
	[MAX_CPUS] = {"--max-cpus", topology_cpus, true, 192, 0, "CPUs"},
	[MIN_NUMA_NODES] = {"--min-numa-nodes", numa_nodes, false, 0, 0, "NUMA nodes"},
	[MAX_NUMA_NODES] = {"--max-numa-nodes", numa_nodes, true, 1, 0, "NUMA nodes"},
	[REQUIRES_SMT] = {"--requires-smt", threads, false, 0, 2, "threads per core"},
	[NO_SMT] = {"--no-smt", threads, true, 0, 1, "threads per core"},
};

void selection_bound(struct selection *s, enum bound_id id, unsigned int value)
{
	if (!s->value[id])
		s->order[s->n_given++] = id;
	s->value[id] = bounds[id].fixed ? bounds[id].fixed : value;
}

/* Drop rows beyond the bound; *@extreme is the dropped value nearest to it. */
static void rows_bound(struct presets *all, const struct bound *b, unsigned int value,
		       bool spare_named, unsigned int *extreme)
{
	size_t kept = 0, i;

	*extreme = b->is_max ? ~0U : 0;
	for (i = 0; i < all->n; i++) {
		const struct preset *row = &all->rows[i];
		unsigned int found = b->measure(&row->topology);

		if ((spare_named && row->named) || (b->is_max ? found <= value : found >= value))
			all->rows[kept++] = *row;
		else if (b->is_max ? found < *extreme : found > *extreme)
			*extreme = found;
	}
	all->n = kept;
}

static int bound_apply(struct presets *all, enum bound_id id, unsigned int value, bool standard,
		       char **why)
{
	const struct bound *b = &bounds[id];
	_cleanup_free_ char *shown = NULL;
	unsigned int extreme;
	size_t before = all->n;

	rows_bound(all, b, value, standard, &extreme);
	if (all->n)
		return 0;
	shown = b->fixed ? xasprintf("%s", b->option) : xasprintf("%s %u", b->option, value);
	*why = xasprintf("%s%s leaves none of %zu topologies, which have at %s %u %s",
			 standard ? "the default " : "", shown, before,
			 b->is_max ? "least" : "most", extreme, b->unit);
	return -ENOENT;
}

static int globs_apply(struct presets *all, const char *const *globs, char **why)
{
	size_t before = all->n, kept = 0, i;
	const char *const *glob;

	for (i = 0; i < all->n; i++) {
		for (glob = globs; *glob; glob++) {
			if (!fnmatch(*glob, all->rows[i].name, 0)) {
				all->rows[kept++] = all->rows[i];
				break;
			}
		}
	}
	all->n = kept;
	if (kept)
		return 0;
	*why = xasprintf("--only '%s'%s matches none of %zu names", globs[0],
			 globs[1] ? " ..." : "", before);
	return -ENOENT;
}

/* What the user said goes first, so that a default which is in the way is the one that is named. */
int selection_apply(const struct selection *s, struct presets *all, char **why)
{
	size_t i;
	int err;

	if (s->globs) {
		err = globs_apply(all, s->globs, why);
		if (err)
			return err;
	}
	for (i = 0; i < s->n_given; i++) {
		err = bound_apply(all, s->order[i], s->value[s->order[i]], false, why);
		if (err)
			return err;
	}
	for (i = 0; i < BOUND_END; i++) {
		if (s->value[i] || !bounds[i].standard)
			continue;
		err = bound_apply(all, i, bounds[i].standard, true, why);
		if (err)
			return err;
	}
	return 0;
}
