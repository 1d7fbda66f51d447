/* SPDX-License-Identifier: GPL-2.0 */
/* The topologies of the test matrix: the presets, and the ones that the user adds. */
#ifndef KT_GAUNTLET_PRESETS_H
#define KT_GAUNTLET_PRESETS_H

#include <stdbool.h>
#include <stddef.h>

#include "topology.h"

struct preset {
	const char *name;
	struct topology topology;
	bool named;		/* asked for by its name: the default bounds do not apply to it */
	const char *dropped_by; /* the bound that took it out, or NULL; not owned */
};

struct presets {
	struct preset *rows;
	size_t n;
};

/* All presets in the table's order, none of them named. Release with presets_free(). */
void presets_init(struct presets *all);
void presets_free(struct presets *all);

/* Mark the preset called @name. Returns 0, or -ENOENT with *@near the nearest name or NULL. */
int presets_name(struct presets *all, const char *name, const char **near);

/* Drop every preset that is not named, if any is. */
void presets_keep_named(struct presets *all);

/*
 * Add a row for the topology @text, called by it (the string is kept, not copied), and named.
 * Returns 0, -EINVAL with *@why set to what was expected, or -EEXIST when it is there already.
 */
int presets_add(struct presets *all, const char *text, const char **why);

#endif
