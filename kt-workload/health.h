/* SPDX-License-Identifier: GPL-2.0 */
/* What goes wrong with a run's workers, CPUs and scheduler, told for what it is. */
#ifndef KT_HEALTH_H
#define KT_HEALTH_H

#include "run.h"

/* Take note of the end of the process that was settled for @m (a zombie still), and reap it. */
void health_note_end(struct run *run, struct member *m);

/*
 * Whether a process that was in @place and ended with @status was killed for want of memory: its
 * cgroup has counted one more.
 */
bool health_oom_kill(struct run *run, struct place *place, int status);

/* Errors for workers that did not come to the end by themselves. */
void health_judge(struct run *run);

#endif
