/* SPDX-License-Identifier: GPL-2.0 */
/* Some of a run's crews at once: those of one start line, or those in one cgroup. */
#ifndef KT_CREWS_H
#define KT_CREWS_H

#include "run.h"

struct selection {		       /* one of them; crews that an op has stopped are in none */
	const struct start_line *line; /* all that started there */
	const struct place *place;     /* or all that are there now */
};

/* The first crew of the selection from *@i on, or NULL; *@i is set to the one after it. */
struct crew *crews_next(const struct run *run, const struct selection *sel, size_t *i);

#define crews_for_each(crew, run, sel) for (size_t _i = 0; ((crew) = crews_next(run, sel, &_i));)

/* How many of their workers are alive. */
size_t crews_alive(const struct run *run, const struct selection *sel);

/* Set their stop time. */
void crews_stop_at(struct run *run, const struct selection *sel, uint64_t ns);

/*
 * Bring them to their end and complete their records; they have been told to stop at @stop_ns. Who
 * is frozen is thawed for it, who does not come in time is killed.
 */
void crews_finish(struct run *run, const struct selection *sel, uint64_t stop_ns);

#endif
