/* SPDX-License-Identifier: GPL-2.0 */
/* What can be known before anything starts: whether this machine has what a scenario needs. */
#ifndef KT_PREFLIGHT_H
#define KT_PREFLIGHT_H

#include "run.h"

/* The controllers that the scenario cannot do well without; NULL-terminated, caller frees. */
const char **preflight_controllers(const struct scenario *sc);

/* Note what is missing among the run's errors. Returns whether there was something. */
bool preflight_fails(struct run *run);

/* The same for what only shows once the run's root is there: controllers. */
bool preflight_lacks_controllers(struct run *run);

#endif
