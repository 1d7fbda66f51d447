// SPDX-License-Identifier: GPL-2.0
/*
 * Wake-up family, rings: a group's workers pass one token round, each to the next. Whoever has it
 * does its share of work, hands it over and waits for it again.
 *
 * pipe-io: two workers, through pipes: pipe_read(), pipe_write(), wait queues, a synchronous
 * wake-up (WF_SYNC: the waker says that it is about to sleep; SCX_WAKE_SYNC for ops.select_cpu). A
 * work unit is one byte handed over.
 *
 * cache-pipe: the same, but each goes through memory of its own in its turn, so that a wake-up on
 * another CPU costs a warm cache. A work unit is one byte handed over.
 *
 * wake-chain: a longer ring, through pipes (WF_SYNC) or futexes (not): chains of wakers that sleep
 * at once, as in pipelines of services. A work unit is one hop.
 *
 * asymmetric-waker: two workers of different scheduling classes on one futex each: wake-ups across
 * classes, preemption by class (wakeup_preempt(), sched_class_above()), and what a scheduler makes
 * of a waker that it does not schedule. A work unit is one hand-over.
 *
 * An iteration is one turn. The wake latency is the time from just before the hand-over (write(2),
 * futex(2)) to the worker running again.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "diag.h"
#include "work_wait.h"

#define RING_MAX 64

enum ring_via { VIA_PIPE, VIA_FUTEX };

static const char *const via_names[] = {[VIA_PIPE] = "pipe", [VIA_FUTEX] = "futex", NULL};

/* Shared by the ring, one for each member: whether the token is there (futex only). */
struct ring_place {
	_Atomic uint32_t token;
} __attribute__((aligned(64)));

/* Member N reads the descriptor 2N, and is written to through 2N + 1. */
static int ring_prepare(const struct work_spec *spec, int *fds)
{
	unsigned int i;

	for (i = 0; i < spec->fds; i += 2) {
		if (pipe2(fds + i, O_CLOEXEC))
			return -errno;
	}
	return 0;
}

static bool token_there(struct worker *w, enum ring_via via, uint32_t rank)
{
	struct ring_place *place = (struct ring_place *)w->shared + rank;
	char byte;

	if (via == VIA_PIPE)
		return read(w->fds[2 * rank], &byte, 1) == 1;
	if (!atomic_load(&place->token))
		work_futex_wait(w, &place->token, 0);
	return atomic_exchange(&place->token, 0);
}

/* Wait for the token; the wait has begun. Returns false when it is time to stop. */
static bool ring_take(struct worker *w, enum ring_via via, uint32_t rank)
{
	while (!token_there(w, via, rank)) {
		if (work_stopping(w))
			return worker_wait_end(w, false);
	}
	return worker_wait_end(w, true);
}

/* Hand it to the member of rank @next. */
static void ring_pass(struct worker *w, enum ring_via via, uint32_t next)
{
	struct ring_place *place = (struct ring_place *)w->shared + next;

	if (via == VIA_PIPE) {
		/* There is room: no more than one byte for each worker is on its way. */
		if (write(w->fds[2 * next + 1], "", 1) < 0)
			return;
	} else {
		atomic_store(&place->token, 1);
		work_futex_wake(&place->token, 1);
	}
}

/*
 * @share is a worker's part while it has the token; it returns what worker_checkpoint() does, and
 * need not end with one.
 */
static void ring_run(struct worker *w, enum ring_via via, bool (*share)(struct worker *w))
{
	uint32_t rank = work_rank(w), next = (rank + 1) % w->spec->group;
	struct record *peer = work_peer(w, next);
	uint64_t now, ticks;
	bool first = rank == 0;

	if (!first)
		worker_wait_begin(w, DUE_UNKNOWN);
	while (first || ring_take(w, via, rank)) {
		first = false;
		if (!share(w))
			break;
		worker_iteration(w);
		ticks = ticks_now();
		now = worker_clock_at(&w->clock, ticks);
		if (!worker_checkpoint_at(w, 1, now))
			break;
		/* Waiting begins before the token goes on, so that the next hand-over's mark
		 * counts. */
		worker_wait_begin(w, DUE_UNKNOWN);
		record_wake_at(peer, now);
		ring_pass(w, via, next);
		/* Up to here it ran: being held up before the token was away is no wait. */
		if (ticks_now() - ticks > TICKS_GLANCE)
			worker_checkpoint(w, 0);
	}
	/* Who leaves lets the next one out of its wait. */
	ring_pass(w, via, next);
}

/* ---- pipe-io ---- */

static bool pipe_io_share(struct worker *w)
{
	return work_spin_turns_open(w, w->spec->values[0]);
}

static void pipe_io(struct worker *w)
{
	ring_run(w, VIA_PIPE, pipe_io_share);
}

/* ---- cache-pipe ---- */

enum { CACHE_PIPE_SIZE, CACHE_PIPE_BURST };

static int cache_pipe_setup(struct worker *w)
{
	return work_memory_get(w, w->spec->values[CACHE_PIPE_SIZE]);
}

static bool cache_pipe_share(struct worker *w)
{
	uint64_t left = w->spec->values[CACHE_PIPE_BURST];
	struct work_pace pace = {256};

	for (; left; left--) {
		if (!work_memory_touch(w, &pace, w->spec->values[CACHE_PIPE_SIZE], 64, 0))
			return false;
	}
	return true;
}

static void cache_pipe(struct worker *w)
{
	ring_run(w, VIA_PIPE, cache_pipe_share);
}

/* ---- wake-chain ---- */

enum { CHAIN_DEPTH, CHAIN_VIA, CHAIN_WORK };

static int wake_chain_complete(struct work_spec *spec, char **why)
{
	(void)why;
	spec->group = spec->values[CHAIN_DEPTH];
	spec->shared_size = spec->group * sizeof(struct ring_place);
	spec->fds = spec->values[CHAIN_VIA] == VIA_PIPE ? 2 * spec->group : 0;
	return 0;
}

static bool wake_chain_share(struct worker *w)
{
	return work_spin_for(w, w->spec->values[CHAIN_WORK]);
}

static void wake_chain(struct worker *w)
{
	ring_run(w, w->spec->values[CHAIN_VIA], wake_chain_share);
}

/* ---- asymmetric-waker ---- */

#define ASYMMETRIC_PRIORITY 1 /* above all that is not realtime is enough */

enum { ASYMMETRIC_WAKER, ASYMMETRIC_WAKEE, ASYMMETRIC_BURST };

static int asymmetric_waker_setup(struct worker *w)
{
	return work_class_set(w, w->spec->values[work_rank(w)], ASYMMETRIC_PRIORITY);
}

static bool asymmetric_waker_share(struct worker *w)
{
	return work_spin_turns_open(w, w->spec->values[ASYMMETRIC_BURST]);
}

static void asymmetric_waker(struct worker *w)
{
	asymmetric_waker_setup(w);
	ring_run(w, VIA_FUTEX, asymmetric_waker_share);
}

#define RING_WAKE "the moment at which the other hands over"

const struct work_type work_ring_types[] = {
	{
		.name = "pipe-io",
		.family = "wakeup",
		.unit = "one byte handed to the partner",
		.path = "pipe wake-up (synchronous) and wait, wake-up placement",
		.about =
			"Two workers hand a byte to and fro through pipes, with a burst of computing "
			"before each.",
		.wake = RING_WAKE,
		.params = {{"burst", PARAM_COUNT, 1024, 0, 1000000000,
			    "turns of an empty loop before each hand-over"}},
		.blocks = true,
		.group = 2,
		.fds = 4,
		.prepare = ring_prepare,
		.run = pipe_io,
	},
	{
		.name = "cache-pipe",
		.family = "wakeup",
		.unit = "one byte handed to the partner",
		.path = "pipe wake-up; placement that keeps a warm cache or loses it",
		.about = "As pipe-io, but each worker goes through memory of its own in its turn.",
		.wake = RING_WAKE,
		.params = {[CACHE_PIPE_SIZE] = {"size", PARAM_SIZE, 32 << 10, 64, 1 << 30,
						"memory of a worker"},
			   [CACHE_PIPE_BURST] =
				   {"burst", PARAM_COUNT, 4, 1, 1000000,
				    "rounds through it, one touch for each 64 bytes, before "
				    "each hand-over"}},
		.blocks = true,
		.group = 2,
		.fds = 4,
		.prepare = ring_prepare,
		.setup = cache_pipe_setup,
		.run = cache_pipe,
	},
	{
		.name = "wake-chain",
		.family = "wakeup",
		.unit = "one hop",
		.path = "chains of wake-ups by wakers that sleep at once, synchronous (pipe) or not "
			"(futex)",
		.about =
			"A ring of workers passes one token round; each works for a while before it "
			"hands on.",
		.wake = RING_WAKE,
		.params = {[CHAIN_DEPTH] = {"depth", PARAM_COUNT, 4, 2, RING_MAX,
					    "workers in the ring"},
			   [CHAIN_VIA] = {"via", PARAM_CHOICE, VIA_PIPE, .choices = via_names,
					  .help = "what they wake each other with"},
			   [CHAIN_WORK] = {"work", PARAM_DURATION, 100000, 0, NSEC_PER_SEC,
					   "computing before each hop"}},
		.blocks = true,
		.group_text = "depth",
		.complete = wake_chain_complete,
		.prepare = ring_prepare,
		.run = wake_chain,
	},
	{
		.name = "asymmetric-waker",
		.family = "wakeup",
		.unit = "one hand-over to the partner",
		.path = "wake-ups between scheduling classes, preemption by class",
		.about =
			"Two workers of different classes hand a turn to and fro through futexes. The "
			"first has the class waker, the second wakee, whatever policy= says; realtime "
			"ones (priority 1) need CAP_SYS_NICE.",
		.wake = RING_WAKE,
		.params = {[ASYMMETRIC_WAKER] = {"waker", PARAM_CHOICE, WORK_CLASS_FIFO,
						 .choices = work_class_names,
						 .help = "class of the first"},
			   [ASYMMETRIC_WAKEE] = {"wakee", PARAM_CHOICE, WORK_CLASS_NORMAL,
						 .choices = work_class_names,
						 .help = "class of the second"},
			   [ASYMMETRIC_BURST] = {"burst", PARAM_COUNT, 1024, 0, 1000000000,
						 "turns of an empty loop before each hand-over"}},
		.blocks = true,
		.group = 2,
		.shared_size = 2 * sizeof(struct ring_place),
		.setup = asymmetric_waker_setup,
		.run = asymmetric_waker,
	},
	{},
};
