// SPDX-License-Identifier: GPL-2.0
/*
 * Wake-up family, fans: one worker of a group wakes all others at once.
 *
 * futex-fan-out: a messenger wakes its receivers through one futex, waits until all have spun their
 * share, and sends the next message: futex_wake() of many (wake_up_q() with a long list), the
 * search for many idle CPUs at once, the waker's own wake-up by the last of them. The messenger's
 * work unit is one message, a receiver's one message received. The wake latency is the time from
 * the message to the receiver running (and from the last receiver's answer to the messenger
 * running).
 *
 * fan-out-compute: the same with the shape of a service: a receiver sleeps a moment (as if for a
 * reply of another service) and multiplies matrices: placement of wake-ups whose tasks then want
 * their cache. The request latency is the time from the message to the receiver's answer; the wake
 * latency counts the sleep's end, too.
 *
 * thundering-herd: all waiters sleep on one futex; every so often all are woken and go to sleep
 * again at once: bursts of wake-ups that overload the wake-up path and the idle search for a
 * moment. The waker's work unit is one broadcast, a waiter's one wake-up. The wake latency is the
 * time from the broadcast to the waiter running, for the waker that of its timer.
 *
 * An iteration is one message, for the herd's waker a round of broadcasts.
 */
#include <limits.h>

#include "work_wait.h"

/* Shared by the group; the member of rank 0 sends. Each word has a cache line of its own. */
struct fan {
	_Atomic uint32_t message __attribute__((aligned(64))); /* how many were sent */
	_Atomic uint64_t sent_ns;
	_Atomic uint32_t answers __attribute__((aligned(64))); /* to this one */
};

static uint32_t receivers_of(const struct worker *w)
{
	return w->spec->group - 1;
}

static void fan_send(struct worker *w, struct fan *fan)
{
	uint32_t i;

	atomic_store(&fan->answers, 0);
	atomic_store(&fan->sent_ns, worker_now(w));
	for (i = 1; i <= receivers_of(w); i++)
		record_wake(w, work_peer(w, i));
	atomic_fetch_add(&fan->message, 1);
	work_futex_wake(&fan->message, INT_MAX);
}

/* Wait for all answers; the wait has begun. Returns false when it is time to stop. */
static bool fan_gather(struct worker *w, struct fan *fan)
{
	uint32_t n;

	while ((n = atomic_load(&fan->answers)) < receivers_of(w)) {
		work_futex_wait(w, &fan->answers, n);
		if (work_stopping(w))
			return worker_wait_end(w, false);
	}
	return worker_wait_end(w, true);
}

static void fan_answer(struct worker *w, struct fan *fan)
{
	if (atomic_fetch_add(&fan->answers, 1) + 1 < receivers_of(w))
		return;
	record_wake(w, work_peer(w, 0));
	work_futex_wake(&fan->answers, 1);
}

/*
 * Wait for a message other than *@seen; the wait has begun. Returns false when it is time to stop.
 */
static bool fan_receive(struct worker *w, struct fan *fan, uint32_t *seen)
{
	uint32_t now;

	while ((now = atomic_load(&fan->message)) == *seen) {
		work_futex_wait(w, &fan->message, *seen);
		if (work_stopping(w))
			return worker_wait_end(w, false);
	}
	*seen = now;
	return worker_wait_end(w, true);
}

static void messenger(struct worker *w)
{
	struct fan *fan = w->shared;

	do {
		/* It waits from before the message on, so that the last answer's mark counts. */
		worker_wait_begin(w, DUE_UNKNOWN);
		fan_send(w, fan);
		worker_iteration(w);
		/* Up to here it ran: being held up before the message was sent is no wait. */
	} while (worker_checkpoint(w, 1) && fan_gather(w, fan));
}

static void receiver(struct worker *w, bool (*share)(struct worker *w))
{
	struct fan *fan = w->shared;
	uint32_t seen = 0;

	worker_wait_begin(w, DUE_UNKNOWN);
	while (fan_receive(w, fan, &seen)) {
		if (!share(w))
			return;
		worker_iteration(w);
		histogram_add(w->rec->request,
			      clock_between(atomic_load(&fan->sent_ns), worker_now(w)));
		worker_wait_begin(w, DUE_UNKNOWN);
		fan_answer(w, fan);
		/* Up to here it ran: being held up before its answer is no wait. */
		if (!worker_checkpoint(w, 1))
			return;
	}
}

/* ---- futex-fan-out and fan-out-compute ---- */

enum { FAN_OUT, FAN_SPIN, FAN_FOOTPRINT = 1, FAN_OPS, FAN_SLEEP };

static int fan_complete(struct work_spec *spec, char **why)
{
	(void)why;
	spec->group = 1 + spec->values[FAN_OUT];
	spec->shared_size = sizeof(struct fan);
	return 0;
}

static bool spin_share(struct worker *w)
{
	return work_spin_turns_checked(w, w->spec->values[FAN_SPIN]);
}

static void futex_fan_out(struct worker *w)
{
	if (work_rank(w))
		receiver(w, spin_share);
	else
		messenger(w);
}

/* Edge of three square matrices that fill the footprint. */
static size_t matrix_edge(const struct work_spec *spec)
{
	size_t cells = spec->values[FAN_FOOTPRINT] / (3 * sizeof(uint64_t)), n = 1;

	while ((n + 1) * (n + 1) <= cells)
		n++;
	return n;
}

/* One product of matrices, a = b * c, with checkpoints. */
static bool multiply(struct worker *w, struct work_pace *pace, size_t n)
{
	uint64_t *a = w->memory, *b = a + n * n, *c = b + n * n;
	size_t cell, k, done = 0;

	for (cell = 0; cell < n * n; cell++) {
		const uint64_t *row = b + cell / n * n, *column = c + cell % n;
		uint64_t sum = 0;

		for (k = 0; k < n; k++)
			sum += row[k] * column[k * n];
		a[cell] = sum;
		if (++done < pace->n)
			continue;
		if (!work_pace_checkpoint(w, pace, done, 0))
			return false;
		done = 0;
	}
	return true;
}

static bool compute_share(struct worker *w)
{
	struct work_pace pace = {1};
	size_t n = matrix_edge(w->spec);
	uint64_t i;

	if (!worker_sleep_until(w, worker_now(w) + w->spec->values[FAN_SLEEP]))
		return false;
	for (i = 0; i < w->spec->values[FAN_OPS]; i++) {
		if (!multiply(w, &pace, n))
			return false;
	}
	return true;
}

static int fan_out_compute_setup(struct worker *w)
{
	return work_rank(w) ? work_memory_get(w, w->spec->values[FAN_FOOTPRINT]) : 0;
}

static void fan_out_compute(struct worker *w)
{
	if (work_rank(w))
		receiver(w, compute_share);
	else
		messenger(w);
}

/* ---- thundering-herd ---- */

enum { HERD_WAITERS, HERD_BATCHES, HERD_GAP };

static void herd_waker(struct worker *w)
{
	const uint64_t *values = w->spec->values;
	struct fan *fan = w->shared;
	uint64_t next = worker_now(w), i;

	for (;;) {
		for (i = 0; i < values[HERD_BATCHES]; i++) {
			next += values[HERD_GAP];
			if (next <
			    worker_now(w)) /* late: no broadcasts in a row to make up for it */
				next = worker_now(w);
			if (!worker_sleep_until(w, next))
				return;
			fan_send(w, fan);
			if (!worker_checkpoint(w, 1))
				return;
		}
		/* Not even the slowest misses the last one of a round. */
		worker_wait_begin(w, DUE_UNKNOWN);
		if (!worker_checkpoint(w, 0) || !fan_gather(w, fan))
			return;
		worker_iteration(w);
	}
}

static void herd_waiter(struct worker *w)
{
	uint64_t batches = w->spec->values[HERD_BATCHES];
	struct fan *fan = w->shared;
	uint32_t seen = 0;

	worker_wait_begin(w, DUE_UNKNOWN);
	while (fan_receive(w, fan, &seen)) {
		worker_iteration(w);
		worker_wait_begin(w, DUE_UNKNOWN);
		if (seen % batches == 0)
			fan_answer(w, fan);
		/* Up to here it ran: being held up before its answer is no wait. */
		if (!worker_checkpoint(w, 1))
			return;
	}
}

static void thundering_herd(struct worker *w)
{
	if (work_rank(w))
		herd_waiter(w);
	else
		herd_waker(w);
}

#define FAN_MAX 1023

const struct work_type work_fan_types[] = {
	{
		.name = "futex-fan-out",
		.family = "wakeup",
		.unit = "one message sent (first of the group) or received (others)",
		.path = "futex wake of many, the idle search for many at once",
		.about =
			"A messenger wakes its receivers at once, and again when all of them have spun.",
		.wake = "the message, for the messenger from the last receiver's answer",
		.params = {[FAN_OUT] = {"fan-out", PARAM_COUNT, 4, 1, FAN_MAX,
					"receivers of a messenger"},
			   [FAN_SPIN] = {"spin", PARAM_COUNT, 1024, 0, 1000000000,
					 "turns of an empty loop for each message"}},
		.blocks = true,
		.requests = true,
		.group_text = "1 + fan-out",
		.complete = fan_complete,
		.run = futex_fan_out,
	},
	{
		.name = "fan-out-compute",
		.family = "wakeup",
		.unit = "one message sent (first of the group) or received and answered (others)",
		.path = "futex wake of many, placement of tasks that want their cache",
		.about =
			"As futex-fan-out, but receivers sleep and then multiply matrices. The request "
			"latency is the time from the message to a receiver's answer.",
		.wake = "the message, the end of the sleep, for the messenger from the last answer",
		.params = {[FAN_OUT] = {"fan-out", PARAM_COUNT, 4, 1, FAN_MAX,
					"receivers of a messenger"},
			   [FAN_FOOTPRINT] = {"footprint", PARAM_SIZE, 256 << 10, 1 << 10, 64 << 20,
					      "memory of a receiver's three matrices"},
			   [FAN_OPS] = {"ops", PARAM_COUNT, 5, 0, 1000000,
					"products of matrices for each message"},
			   [FAN_SLEEP] = {"sleep", PARAM_DURATION, 100000, 0, NSEC_PER_SEC,
					  "sleep before them"}},
		.blocks = true,
		.requests = true,
		.group_text = "1 + fan-out",
		.complete = fan_complete,
		.setup = fan_out_compute_setup,
		.run = fan_out_compute,
	},
	{
		.name = "thundering-herd",
		.family = "wakeup",
		.unit = "one broadcast (first of the group) or one wake-up (others)",
		.path = "futex wake of many, bursts of wake-ups",
		.about =
			"All waiters sleep on one futex and are woken at once, every so often. After a "
			"round of broadcasts the waker waits until all are back.",
		.wake = "the broadcast, for the waker from its timer",
		.params = {[HERD_WAITERS] = {"waiters", PARAM_COUNT, 7, 1, FAN_MAX,
					     "waiters of a waker"},
			   [HERD_BATCHES] = {"batches", PARAM_COUNT, 1000, 1, 1000000000,
					     "broadcasts in a round"},
			   [HERD_GAP] = {"gap", PARAM_DURATION, 5 * NSEC_PER_MSEC, 0, NSEC_PER_SEC,
					 "time between broadcasts"}},
		.blocks = true,
		.group_text = "1 + waiters",
		.complete = fan_complete,
		.run = thundering_herd,
	},
	{},
};
