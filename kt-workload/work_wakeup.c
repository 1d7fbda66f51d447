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

/* Wait for @me's turn. Returns false when it is time to stop. */
static bool ping_pong_wait(struct worker *w, struct ping_pong *game, uint32_t me)
{
	bool slept = false;

	while (atomic_load(&game->turn) != me) {
		uint64_t now = clock_now(), stop = atomic_load(&w->rec->stop_ns);
		uint64_t left = now < stop ? stop - now : 0;
		struct timespec ts = {.tv_sec = left / NSEC_PER_SEC,
				      .tv_nsec = left % NSEC_PER_SEC};

		if (!left)
			return worker_wait_end(w, false);
		if (!syscall(SYS_futex, &game->turn, FUTEX_WAIT, !me, &ts, NULL, 0))
			slept = true;
	}
	return worker_wait_end(w, slept);
}

static void futex_ping_pong(struct worker *w)
{
	struct ping_pong *game = w->shared;
	struct record *partner = w->peers[w->index ^ 1];
	uint32_t me = w->index & 1;
	uint64_t spin = w->spec->values[PING_PONG_SPIN];

	worker_wait_begin(w, DUE_UNKNOWN);
	while (ping_pong_wait(w, game, me)) {
		if (!work_spin_turns_checked(w, spin))
			return;
		worker_iteration(w);
		/* Waiting begins before the turn goes over, so that the partner's mark counts. */
		worker_wait_begin(w, DUE_UNKNOWN);
		record_wake(partner);
		atomic_store(&game->turn, !me);
		syscall(SYS_futex, &game->turn, FUTEX_WAKE, 1, NULL, NULL, 0);
		/* Up to here it ran: being held up before the turn was over is no wait. */
		if (!worker_checkpoint(w, 1))
			return;
	}
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
