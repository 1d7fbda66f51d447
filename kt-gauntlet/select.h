/* SPDX-License-Identifier: GPL-2.0 */
/* Which topologies of the matrix are wanted: bounds, from constraints and by default. */
#ifndef KT_GAUNTLET_SELECT_H
#define KT_GAUNTLET_SELECT_H

#include "constraints.h"
#include "presets.h"

/*
 * Mark the rows of @all that the bounds in @c, or a default that none of them replaces, do not let
 * through (struct preset's dropped_by). Defaults do not apply to named rows, and a default maximum
 * not where a higher minimum is given. Returns 0, or -ENOENT
 * when none is left, with *@why (caller frees) naming the bound that took the last ones.
 */
int topologies_select(const struct constraints *c, struct presets *all, char **why);

#endif
