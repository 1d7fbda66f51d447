/* SPDX-License-Identifier: GPL-2.0 */
/* What goes to stdout: the variants, or the table of their topologies. */
#ifndef KT_GAUNTLET_PRINT_H
#define KT_GAUNTLET_PRINT_H

#include "settings.h"

/*
 * Print @picks (NULL: all variants), as far as the patterns and the shard of @s let them through,
 * in the format of @s. Ends the program with EXIT_FAILURE when the patterns match nothing; an empty
 * shard is said on stderr. Write errors show in ferror(stdout).
 */
void matrix_print(struct matrix *m, const struct settings *s, const struct picks *picks);

#endif
