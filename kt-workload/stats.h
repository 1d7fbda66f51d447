/* SPDX-License-Identifier: GPL-2.0 */
/* The stats of a finished run as JSON: docs/stats.md. */
#ifndef KT_STATS_H
#define KT_STATS_H

#include <stdio.h>

#include "run.h"

/* Write them to @f, the last thing with a newline. Returns 0 or -errno. */
int stats_write(const struct run *run, FILE *f);

/*
 * Write what a run of @sc would do: {"schema": "kt-plan/1", ...} with every cgroup's CPUs and
 * workers and every step's hold resolved. Returns 0 or -errno.
 */
int plan_write(const struct scenario *sc, const struct machine *m, FILE *f);

#endif
