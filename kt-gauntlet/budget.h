/* SPDX-License-Identifier: GPL-2.0 */
/* Choosing the variants that cover the most features within a time. */
#ifndef KT_GAUNTLET_BUDGET_H
#define KT_GAUNTLET_BUDGET_H

#include "candidates.h"
#include "feature.h"

struct coverage {
	uint64_t ns;			   /* what the chosen take, all in all */
	uint64_t least_ns;		   /* what the shortest candidate takes */
	size_t recorded;		   /* how many of the chosen have a record */
	size_t covered[FEATURE_CLASSES];   /* features of the chosen */
	size_t reachable[FEATURE_CLASSES]; /* features of all candidates */
};

/*
 * Choose among @c, whose ns are filled in: greedily, by new features per time, until nothing that
 * fits into @budget_ns has a new feature. Of equals the first is taken. The one candidate with the
 * most features is taken instead if it has more than all of these, which keeps the choice within a
 * constant factor of the best (Khuller, Moss, Naor: The Budgeted Maximum Coverage Problem, 1999).
 * @picks->index, in the order of the matrix, is the caller's to free.
 */
void budget_choose(struct matrix *m, const struct candidates *c, uint64_t budget_ns,
		   struct picks *picks, struct coverage *cover);

#endif
