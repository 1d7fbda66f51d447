// SPDX-License-Identifier: GPL-2.0
/*
 * Wake-up family: workers that wake each other.
 *
 * futex-ping-pong: two workers hand one turn to and fro through a futex. Each spins its share,
 * wakes its partner and waits: futex_wake(), wake_up_q(), try_to_wake_up() with a waker that is
 * about to sleep, select_task_rq (ops.select_cpu with or without SCX_WAKE_SYNC placement), the
 * idle-CPU search, and schedule() to idle or to another task. A work unit is one turn. The wake
 * latency is the time from the partner's hand-over, just before its futex(2) call, to this worker
 * running again.
 */
#include "work.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Shared by the two; turn is 0 or 1. */
struct ping_pong {
	_Atomic uint32_t turn;
};

enum { PING_PONG_SPIN };

/* Hand the turn to @to. */
static void ping_pong_give(struct ping_pong *game, uint32_t to)
{
	atomic_store_explicit(&game->turn, to, memory_order_release);
	syscall(SYS_futex, &game->turn, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/*
 * Wait for @me's turn. Returns false when it is time to stop: the partner hands the turn over when
 * it stops, or else a signal ends the wait.
 */
static bool ping_pong_wait(struct worker *w, struct ping_pong *game, uint32_t me)
{
	while (atomic_load_explicit(&game->turn, memory_order_acquire) != me) {
		if (syscall(SYS_futex, &game->turn, FUTEX_WAIT, !me, NULL, NULL, 0) &&
		    worker_now(w) >= atomic_load(&w->rec->stop_ns))
			return worker_wait_end(w, false);
	}
	return worker_wait_end(w, true);
}

static void futex_ping_pong(struct worker *w)
{
	struct ping_pong *game = w->shared;
	struct record *partner = w->peers[w->index ^ 1];
	uint64_t spin = w->spec->values[PING_PONG_SPIN], now, ticks;
	uint32_t me = w->index & 1;

	worker_wait_begin(w, DUE_UNKNOWN);
	while (ping_pong_wait(w, game, me)) {
		if (!work_spin_turns_open(w, spin))
			break;
		worker_iteration(w);
		ticks = ticks_now();
		now = worker_clock_at(&w->clock, ticks);
		if (!worker_checkpoint_at(w, 1, now))
			break;
		/* Waiting begins before the turn goes over, so that the partner's mark counts. */
		worker_wait_begin(w, DUE_UNKNOWN);
		record_wake_at(partner, now);
		ping_pong_give(game, !me);
		/* Up to here it ran: being held up before the turn was over is no wait. */
		if (ticks_now() - ticks > TICKS_GLANCE)
			worker_checkpoint(w, 0);
	}
	/* Who leaves lets the partner out of its wait. */
	ping_pong_give(game, !me);
}

const struct work_type work_wakeup_types[] = {
	{
		.name = "futex-ping-pong",
		.family = "wakeup",
		.unit = "one turn handed to the partner",
		.path = "futex wake and wait, wake-up placement, the idle search",
		.about = "Two workers hand one turn to and fro through a futex.",
		.wake = "the partner's hand-over, just before its futex(2) call",
		.params = {{"spin", PARAM_COUNT, 1024, 0, 1000000000,
			    "turns of an empty loop before each hand-over"}},
		.blocks = true,
		.group = 2,
		.shared_size = sizeof(struct ping_pong),
		.run = futex_ping_pong,
	},
	{},
};
