/* SPDX-License-Identifier: GPL-2.0 */
/* What an operand is, and what of it there is to judge. */
#ifndef KT_ASSERT_SOURCE_H
#define KT_ASSERT_SOURCE_H

#include "judge.h"

/*
 * Read @j->source into @j: its stats, and how the run ended if it is a run directory. Of a
 * directory that is incomplete, or has files of another schema version, what can be read is, and
 * @j->completed gets an inconclusive finding that names the rest. Returns as judgement_make().
 */
int source_read(struct judgement *j, char **message);

/* "cannot read 'PATH': ..." for errno. Returns the negative errno. */
int source_unreadable(const char *path, char **message);

#endif
