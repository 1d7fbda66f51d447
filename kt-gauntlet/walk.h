/* SPDX-License-Identifier: GPL-2.0 */
/* Going through the variants that are selected, in the order of the matrix. */
#ifndef KT_GAUNTLET_WALK_H
#define KT_GAUNTLET_WALK_H

#include <stdint.h>

#include "matrix.h"

/*
 * A choice of variants by the index of their first repetition, in rising order. A chosen variant
 * comes with all of its repetitions.
 */
struct picks {
	uint64_t *index;
	size_t n;
};

/* The @part-th of @of parts, 1 to @of; @of is 0 for all of it. */
struct shard {
	unsigned int part, of;
};

/* "I/N". Returns 0 or -EINVAL. */
int shard_parse(const char *text, struct shard *s);

/* Does the variant of this name belong to @s? That depends on nothing but the name. */
bool shard_has(const struct shard *s, const char *name);

struct walk {
	struct matrix *m;
	const struct picks *picks; /* NULL: all variants */
	const struct shard *shard;
	uint64_t selected; /* out: variants that the patterns let through */
	uint64_t visited;  /* out: those of them in the shard */
};

/* Call @visit for each variant that is selected. */
void variants_walk(struct walk *w, void (*visit)(void *context, const struct variant *v),
		   void *context);

#endif
