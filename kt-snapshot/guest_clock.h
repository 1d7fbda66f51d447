/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's CLOCK_MONOTONIC, from outside. The kernel keeps it as of its last tick
 * (kernel/time/timekeeping.c); the time since then is told by the host's clock.
 */
#ifndef KT_SNAPSHOT_GUEST_CLOCK_H
#define KT_SNAPSHOT_GUEST_CLOCK_H

#include "spot.h"

#define CLOCK_PASTS 16

struct guest_clock {
	struct spot seq, base, nsec, shift;
	int64_t pasts[CLOCK_PASTS]; /* the guest's time less the host's, at the last ticks seen */
	unsigned int n_pasts, next;
	uint64_t last; /* what the guest said last */
};

/* Find it. Returns 0 or -ENOENT: this kernel keeps it elsewhere. */
int guest_clock_open(struct guest_clock *c, struct kernel *k);

/*
 * The time in nanoseconds since the guest's boot, at @host_ns (now_ns()). It is late by up to a
 * tick of a guest that is busy, and by more in one that was mostly idle so far.
 */
uint64_t guest_clock_read(struct guest_clock *c, uint64_t host_ns);

#endif
