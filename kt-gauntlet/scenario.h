/* SPDX-License-Identifier: GPL-2.0 */
/* What the scenario files among a command's arguments say to the gauntlet. */
#ifndef KT_GAUNTLET_SCENARIO_H
#define KT_GAUNTLET_SCENARIO_H

#include <stdint.h>

#include "constraints.h"

/*
 * Read the files among the arguments of @command (NULL-terminated) whose names end in ".kt"; those
 * that cannot be opened are passed over, kt-vmm will say so. Their constraints are added to @c
 * unless it is NULL; *@run_ns becomes the duration of the last one that states one. Returns 0, or
 * -EINVAL with *@why (caller frees).
 */
int scenarios_read(const char *const *command, struct constraints *c, uint64_t *run_ns, char **why);

#endif
