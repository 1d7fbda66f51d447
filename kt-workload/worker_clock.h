/* SPDX-License-Identifier: GPL-2.0 */
/*
 * CLOCK_MONOTONIC, and a worker's cheaper way to read it: from the processor's time-stamp counter
 * and a reading of the real clock at most TICKS_FRESH ago. It is off from the real clock by less
 * than a reading of that takes, and by what its rate changes in a millisecond (500 ns at the most
 * that adjtimex(2) allows). Within a worker all times come from here, so that none is before an
 * earlier one; another worker's may be some 100 ns ahead or behind.
 */
#ifndef KT_WORKER_CLOCK_H
#define KT_WORKER_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define NSEC_PER_SEC  1000000000ULL
#define NSEC_PER_MSEC 1000000ULL

static inline uint64_t clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/*
 * A counter of time that is cheaper to read than the clock. TICKS_GLANCE of it are 8 to 32 us,
 * TICKS_FRESH 0.5 to 2 ms.
 */
#ifdef __x86_64__
#define TICKS_GLANCE (1U << 15)
#define TICKS_FRESH  (1U << 21)
static inline uint64_t ticks_now(void)
{
	return __builtin_ia32_rdtsc();
}
#else
#define TICKS_GLANCE 20000
#define TICKS_FRESH  1000000
static inline uint64_t ticks_now(void)
{
	return clock_now();
}
#endif

struct worker_clock {
	bool usable;	    /* worker_clock_usable() */
	uint64_t fresh;	    /* for so many ticks the last reading is good; 0: there is none */
	uint64_t rate;	    /* nanoseconds a tick, times 2^32 */
	uint64_t ns, ticks; /* the last reading of both */
	uint64_t said_ns;   /* what it said last */
	uint64_t first_ns, first_ticks;
	uint64_t spread; /* ticks that a reading of the real clock takes */
};

/*
 * Whether ticks_now() counts what the kernel's own clock is made of, on all CPUs alike. The answer
 * goes into every worker's clock; all else in it begins as zero.
 */
bool worker_clock_usable(const char *sysfs);

/* The rare part of worker_clock_at(): what the real clock says. */
uint64_t worker_clock_read(struct worker_clock *c);

/* The time at @ticks, which ticks_now() has just given. */
static inline uint64_t worker_clock_at(struct worker_clock *c, uint64_t ticks)
{
	uint64_t passed = ticks - c->ticks, ns;

	if (__builtin_expect(passed >= c->fresh, 0))
		return worker_clock_read(c);
	ns = c->ns + (passed * c->rate >> 32);
	if (__builtin_expect(ns > c->said_ns, 1))
		c->said_ns = ns;
	return c->said_ns;
}

/* How long @ticks are, in ns; 0 as long as that is not known. */
static inline uint64_t worker_clock_length(const struct worker_clock *c, uint64_t ticks)
{
	return (unsigned __int128)ticks * c->rate >> 32;
}

/* The time from @from, which another worker's clock may have said, to @to; 0 if that is before. */
static inline uint64_t clock_between(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

#endif
