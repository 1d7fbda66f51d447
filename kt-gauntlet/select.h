/* SPDX-License-Identifier: GPL-2.0 */
/* Which rows of the matrix are wanted: bounds on their topology, and patterns for their names. */
#ifndef KT_GAUNTLET_SELECT_H
#define KT_GAUNTLET_SELECT_H

#include <stdbool.h>
#include <stddef.h>

#include "presets.h"

enum bound_id {
	MIN_LLCS,
	MAX_LLCS,
	MIN_CPUS,
	MAX_CPUS,
	MIN_NUMA_NODES,
	MAX_NUMA_NODES,
	REQUIRES_SMT,
	NO_SMT,
	BOUND_END,
};

struct selection {
	unsigned int value[BOUND_END];	/* 0: not given */
	enum bound_id order[BOUND_END]; /* the given ones as they came */
	size_t n_given;
	const char **globs; /* --only; NULL-terminated, or NULL */
};

/*
 * Give a bound. REQUIRES_SMT and NO_SMT take no value (0). A later value replaces an earlier one, a
 * maximum replaces its default.
 */
void selection_bound(struct selection *s, enum bound_id id, unsigned int value);

/*
 * Drop the rows of @all that @s does not want. Returns 0, or -ENOENT when none is left, with *@why
 * (caller frees) naming the constraint that took the last ones.
 */
int selection_apply(const struct selection *s, struct presets *all, char **why);

#endif
