/* SPDX-License-Identifier: GPL-2.0 */
/* --pairwise and --budget: which variants, and what is said about the choice. */
#ifndef KT_GAUNTLET_CHOOSE_H
#define KT_GAUNTLET_CHOOSE_H

#include "settings.h"

/*
 * Choose as @s asks for: first the covering array, then from that what the budget allows. Says on
 * stderr what came of it; ends the program when there are too many variants, or none is left.
 * @picks->index is the caller's to free.
 */
void variants_choose(struct matrix *m, const struct settings *s, uint64_t run_ns,
		     struct picks *picks);

#endif
