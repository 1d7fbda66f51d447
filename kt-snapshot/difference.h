/* SPDX-License-Identifier: GPL-2.0 */
/* What two snapshots do not have in common, by path (document.h). */
#ifndef KT_SNAPSHOT_DIFFERENCE_H
#define KT_SNAPSHOT_DIFFERENCE_H

#include <jansson.h>

/*
 * Call @take for each value that changed, came or went, in the order of @a, what only @b has behind
 * what it is among: @a or @b is NULL where it has none; @by is the numbers' difference in decimal,
 * or NULL. What a snapshot says of its own taking is not compared. Elements of arrays are the same
 * when their keys, numbers or names are.
 */
void difference_walk(const json_t *a, const json_t *b,
		     void (*take)(void *context, const char *path, const json_t *a, const json_t *b,
				  const char *by),
		     void *context);

#endif
