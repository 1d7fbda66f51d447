/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a crew that lives through several steps did in each of them. A worker's record has room for
 * a few steps; the parent takes out what is over and keeps it in a file.
 */
#ifndef KT_CREW_STEPS_H
#define KT_CREW_STEPS_H

#include "member.h"
#include "spill.h"

/* A crew in one step: by worker, and of all together. */
struct crew_step {
	struct tally *tallies; /* their cpus are those below; all zeros for who was not there */
	unsigned long *cpus;
	struct latency *wake, *request;		  /* NULL for a type without */
	struct histogram *all_wake, *all_request; /* the same */
};

/* Room in @s for the crew's steps: for run.c, before the crew's first. */
void crew_steps_init(struct crew *crew, struct spill *s);

/* A step begins for the crew. */
void crew_step_begin(struct crew *crew);

/*
 * It has ended, or the whole run has. What workers have finished with by now is kept, which can be
 * what they did in an earlier step. Returns 0 or -errno from writing.
 */
int crew_step_end(struct crew *crew, size_t step);

/* Read what was kept of @step. Returns 0 or -errno. Release with crew_step_free(). */
int crew_step_load(const struct crew *crew, size_t step, struct crew_step *cs);
void crew_step_free(struct crew_step *cs);

#endif
