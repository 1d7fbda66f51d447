/* SPDX-License-Identifier: GPL-2.0 */
/* The first half of a comparison: find the runs, and say which are alike. */
#ifndef KT_ASSERT_COMPARE_RUNS_H
#define KT_ASSERT_COMPARE_RUNS_H

#include "compare.h"

/* Read all runs below the NULL-terminated @paths to @side. Returns as comparison_make() does. */
int runs_collect(struct comparison *c, enum side side, char *const *paths, char **message);

/* Make c->groups and say to which of them each run belongs (c->runs[side][i], by position). */
void runs_group(struct comparison *c, size_t *group_of[SIDES_N]);

#endif
