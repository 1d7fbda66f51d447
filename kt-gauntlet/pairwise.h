/* SPDX-License-Identifier: GPL-2.0 */
/* A covering array: few variants that have all pairs of values together. */
#ifndef KT_GAUNTLET_PAIRWISE_H
#define KT_GAUNTLET_PAIRWISE_H

#include "candidates.h"

struct pairwise_size {
	uint64_t pairs; /* of dimensions with several values, had by some candidate */
	size_t least;	/* no array can be smaller: the most pairs of any two dimensions */
};

enum pairwise_of {
	PAIRWISE_NONE,
	PAIRWISE_PROFILES, /* a profile is one value */
	PAIRWISE_FLAGS,	   /* each flag is a dimension of its own: on or off */
};

/*
 * Choose among @c so that each pair of values of two dimensions which some candidate has together
 * is had by one that is chosen. The dimensions are the parts of a name but for the repetition, with
 * the profile as @of says. @picks->index, in the order of the matrix, is the caller's to free.
 * Returns 0, or -E2BIG when the pairs are too many to keep.
 */
int pairwise_choose(struct matrix *m, const struct candidates *c, enum pairwise_of of,
		    struct picks *picks, struct pairwise_size *size);

#endif
