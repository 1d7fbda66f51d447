/* SPDX-License-Identifier: GPL-2.0 */
/* The variants that a choice is made among, with what each is expected to take. */
#ifndef KT_GAUNTLET_CANDIDATES_H
#define KT_GAUNTLET_CANDIDATES_H

#include <stddef.h>
#include <stdint.h>

#include "history.h"
#include "matrix.h"
#include "walk.h"

#define CANDIDATES_MAX 10000000

/* A variant, standing for all its repetitions that the patterns let through. */
struct candidate {
	uint64_t index; /* of its first repetition */
	uint64_t ns;	/* what it takes, with all of its repetitions */
	uint32_t reps;
	bool recorded; /* ns is from the history, not from the model */
};

struct candidates {
	struct candidate *rows;
	size_t n;
};

/*
 * All candidates of @m among @from (NULL for the whole matrix), in the order of the matrix. Release
 * with candidates_free(). Returns 0, or -E2BIG beyond CANDIDATES_MAX.
 */
int candidates_init(struct candidates *c, struct matrix *m, const struct picks *from);
void candidates_free(struct candidates *c);

/*
 * Fill in ns: from @h where it has the variant; else from a model of the boot, and @run_ns for the
 * command. Where some are recorded, the model is scaled by the mean ratio of recorded to modelled.
 */
void candidates_estimate(struct candidates *c, struct matrix *m, const struct history *h,
			 uint64_t run_ns);

#endif
