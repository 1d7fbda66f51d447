/* SPDX-License-Identifier: GPL-2.0 */
/* Where workers run: their cgroup, their CPUs, their scheduling class, at the start and later. */
#ifndef KT_PLACEMENT_H
#define KT_PLACEMENT_H

#include "run.h"

/* New CPUs for what is in one cgroup. */
struct change {
	struct place *place;
	struct allowed to;
};

/* For struct spawn. */
int placement_settle(void *ctx, struct member *m, pid_t pid);
int placement_dress(void *ctx, const struct member *m);

/* Draw the CPU affinities of @crew; without any it has none. The kernel is told at the start. */
void placement_draw(struct run *run, struct crew *crew, const struct affinity *a);

/*
 * The three below return 0 or -errno with the error in the run's list. While the kernel moves
 * workers, and 10 ms from then, both the CPUs before and after count as theirs; they take that
 * long.
 */

/* Give cgroups other CPUs, all of them at a time. */
int placement_change(struct run *run, const struct change *changes, size_t n);

/* Give the workers in @place other affinities. */
int placement_affinity(struct run *run, struct place *place, const struct affinity *a);

/* Move all tasks from one cgroup to another. */
int placement_move(struct run *run, struct place *from, struct place *to);

#endif
