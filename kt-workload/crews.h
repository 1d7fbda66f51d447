/* SPDX-License-Identifier: GPL-2.0 */
/* Some of a run's crews at once: those of one start line, or one alone. */
#ifndef KT_CREWS_H
#define KT_CREWS_H

#include "run.h"

struct selection {
	const struct start_line *line; /* all that started there and that no op has stopped */
	const struct crew *crew;       /* or this one */
};

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
