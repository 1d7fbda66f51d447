// SPDX-License-Identifier: GPL-2.0
/*
 * Lock family: workers of a group contend for a lock in their shared memory.
 *
 * mutex-contention: all take the same futex-based mutex, hold it for a moment and work for a while
 * without it: futex_wait(), futex_wake() of one, convoys, and the preemption of the one who holds
 * the lock, for which all others then wait. A work unit is one time that the lock was held.
 *
 * priority-inversion: three workers, best on one CPU. The low one (its class is that of the test)
 * holds the lock most of the time; the high one (SCHED_FIFO) wants it every millisecond; the medium
 * one (SCHED_FIFO, below it) does not want it, but computes for a while every so often and so keeps
 * the low one from its CPU. With a plain futex the high one waits as long as the medium one
 * pleases. With mode=pi (FUTEX_LOCK_PI: rt_mutex, rt_mutex_setprio(), the low one's change of class
 * and back) the low one inherits the high one's priority and lets go of the lock soon. A work unit
 * is one time that the lock was held, for the medium one a spin unit. The medium one runs half of
 * the time, so that everything else on that CPU gets the other half.
 *
 * producer-consumer-imbalance: producers put items into a queue at a fixed rate, consumers take and
 * process them; the queue fills or runs dry: waits on either side of a bounded buffer, one-sided
 * wake-ups. A work unit is an item put (producers) or processed (consumers).
 *
 * An iteration is a turn of the outer loop: lock and work, a burst of the medium one, an item. The
 * wake latency is the time from the unlock (or the item, or the timer) that woke the worker to it
 * running. The request latency is the time from wanting the lock to having it, or from putting an
 * item to its having been processed.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "diag.h"
#include "work_wait.h"

/* The time of the last checkpoint: now, without another look at the clock. */
static uint64_t last_checkpoint(const struct worker *w)
{
	return atomic_load_explicit(&w->rec->last_ns, memory_order_relaxed);
}

/* ---- mutex-contention ---- */

enum { MUTEX_CONTENDERS, MUTEX_HOLD, MUTEX_WORK };

/* Shared by the contenders. */
struct mutex {
	_Atomic uint32_t made;
	struct work_sem sem __attribute__((aligned(64)));
};

static void mutex_make(struct mutex *m)
{
	if (!atomic_exchange(&m->made, 1))
		atomic_store(&m->sem.count, 1);
}

static int mutex_contention_complete(struct work_spec *spec, char **why)
{
	(void)why;
	spec->group = spec->values[MUTEX_CONTENDERS];
	return 0;
}

static int mutex_contention_setup(struct worker *w)
{
	mutex_make(w->shared);
	return 0;
}

static void mutex_contention(struct worker *w)
{
	const uint64_t *values = w->spec->values;
	struct mutex *m = w->shared;
	uint64_t wanted;
	bool more;

	do {
		if (!work_spin_turns_open(w, values[MUTEX_WORK]))
			return;
		/* One that is free is taken in no time, and the clock not read for it. */
		if (work_sem_try(&m->sem)) {
			histogram_add(w->rec->request, 0);
		} else {
			wanted = worker_now(w);
			if (!work_sem_down(w, &m->sem))
				return;
			histogram_add(w->rec->request, worker_now(w) - wanted);
		}
		more = work_spin_turns_open(w, values[MUTEX_HOLD]);
		work_sem_up(w, &m->sem);
		worker_iteration(w);
	} while (worker_glance(w, 1) && more);
}

/* ---- priority-inversion ---- */

enum { INVERSION_MODE, INVERSION_HOLD, INVERSION_WORK, INVERSION_BURST };
enum { MODE_PI, MODE_PLAIN };
enum { RANK_HIGH, RANK_MEDIUM, RANK_LOW, N_RANKS };

#define HIGH_PERIOD_NS	NSEC_PER_MSEC
#define PI_PATIENCE_NS	(20 * NSEC_PER_MSEC) /* looks for the stop this often */
#define HIGH_PRIORITY	3
#define MEDIUM_PRIORITY 2

static const char *const mode_names[] = {[MODE_PI] = "pi", [MODE_PLAIN] = "plain", NULL};

/* Shared by the three. */
struct inversion {
	struct mutex plain;
	_Atomic uint32_t owner
		__attribute__((aligned(64))); /* FUTEX_LOCK_PI's: a tid or 0, flags */
};

static int inversion_class(struct worker *w)
{
	switch (work_rank(w)) {
	case RANK_HIGH:
		return work_class_set(w, WORK_CLASS_FIFO, HIGH_PRIORITY);
	case RANK_MEDIUM:
		return work_class_set(w, WORK_CLASS_FIFO, MEDIUM_PRIORITY);
	default:
		return 0; /* keeps what it has */
	}
}

static int priority_inversion_setup(struct worker *w)
{
	struct inversion *inv = w->shared;

	mutex_make(&inv->plain);
	return inversion_class(w);
}

/* FUTEX_LOCK_PI is begun anew after a signal, so that only time ends it. */
static bool pi_lock(struct worker *w, _Atomic uint32_t *owner, uint32_t tid)
{
	uint32_t nobody = 0;
	uint64_t until;
	struct timespec ts;

	if (atomic_compare_exchange_strong(owner, &nobody, tid))
		return true;
	worker_wait_begin(w, DUE_UNKNOWN);
	worker_checkpoint(w, 0);
	do {
		until = worker_now(w) + PI_PATIENCE_NS;
		ts = (struct timespec){.tv_sec = until / NSEC_PER_SEC,
				       .tv_nsec = until % NSEC_PER_SEC};
		if (!syscall(SYS_futex, owner, FUTEX_LOCK_PI2, 0, &ts, NULL, 0)) {
			worker_wait_end(w, true);
			return true;
		}
	} while (!work_stopping(w));
	return worker_wait_end(w, false);
}

static void pi_unlock(struct worker *w, _Atomic uint32_t *owner, uint32_t tid)
{
	uint32_t expected = tid;

	/* The high and the low one are each other's only rivals. */
	record_wake(w, work_peer(w, RANK_LOW - work_rank(w)));
	if (!atomic_compare_exchange_strong(owner, &expected, 0))
		syscall(SYS_futex, owner, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
}

/* Take the lock, hold it for @turns, let go of it. Returns false to stop. */
static bool inversion_hold(struct worker *w, uint32_t tid, uint64_t turns)
{
	struct inversion *inv = w->shared;
	bool pi = w->spec->values[INVERSION_MODE] == MODE_PI, more;
	uint64_t wanted = last_checkpoint(w);

	if (!(pi ? pi_lock(w, &inv->owner, tid) : work_sem_down(w, &inv->plain.sem)))
		return false;
	more = worker_checkpoint(w, 1);
	histogram_add(w->rec->request, last_checkpoint(w) - wanted);
	more = more && work_spin_turns_checked(w, turns);
	if (pi)
		pi_unlock(w, &inv->owner, tid);
	else
		work_sem_up(w, &inv->plain.sem);
	worker_iteration(w);
	return more;
}

static void inversion_high(struct worker *w)
{
	uint32_t tid = gettid();

	while (worker_sleep_until(w, worker_now(w) + HIGH_PERIOD_NS) &&
	       inversion_hold(w, tid, w->spec->values[INVERSION_WORK]))
		;
}

static void inversion_medium(struct worker *w)
{
	uint64_t burst = w->spec->values[INVERSION_BURST];

	while (worker_sleep_until(w, worker_now(w) + burst)) {
		uint64_t end = worker_now(w) + burst;

		while (last_checkpoint(w) < end) {
			work_spin(w->units_per_check);
			if (!worker_checkpoint(w, w->units_per_check))
				return;
		}
		worker_iteration(w);
	}
}

static void inversion_low(struct worker *w)
{
	uint32_t tid = gettid();

	while (inversion_hold(w, tid, w->spec->values[INVERSION_HOLD]) &&
	       work_spin_turns_checked(w, w->spec->values[INVERSION_WORK]))
		;
}

static void priority_inversion(struct worker *w)
{
	static void (*const run[])(struct worker * w) = {
		[RANK_HIGH] = inversion_high,
		[RANK_MEDIUM] = inversion_medium,
		[RANK_LOW] = inversion_low,
	};

	inversion_class(w);
	run[work_rank(w)](w);
}

/* ---- producer-consumer-imbalance ---- */

enum { QUEUE_PRODUCERS, QUEUE_CONSUMERS, QUEUE_RATE, QUEUE_WORK, QUEUE_DEPTH };

/* Shared by the group. */
struct queue {
	_Atomic uint32_t made;
	struct work_sem items __attribute__((aligned(64)));
	struct work_sem spaces __attribute__((aligned(64)));
	_Atomic uint64_t head __attribute__((aligned(64)));
	_Atomic uint64_t tail __attribute__((aligned(64)));
	_Atomic uint64_t put_ns[]; /* by place; 0: empty */
};

static int queue_complete(struct work_spec *spec, char **why)
{
	const uint64_t *values = spec->values;

	spec->group = values[QUEUE_PRODUCERS] + values[QUEUE_CONSUMERS];
	spec->shared_size = sizeof(struct queue) + values[QUEUE_DEPTH] * sizeof(uint64_t);
	if (spec->group <= WORK_SEM_MEMBERS)
		return 0;
	*why = xasprintf("%s: %" PRIu64 " producers and %" PRIu64
			 " consumers: expected at most %d of both",
			 spec->type->name, values[QUEUE_PRODUCERS], values[QUEUE_CONSUMERS],
			 WORK_SEM_MEMBERS);
	return -EINVAL;
}

static int queue_setup(struct worker *w)
{
	struct queue *q = w->shared;

	if (!atomic_exchange(&q->made, 1))
		atomic_store(&q->spaces.count, w->spec->values[QUEUE_DEPTH]);
	return 0;
}

/*
 * Whoever came to this place before may not be done with it yet: it has gone up or down, and then
 * was preempted. Returns false when it is time to stop.
 */
static bool place_exchange(struct worker *w, _Atomic uint64_t *place, bool fill, uint64_t *ns)
{
	for (;;) {
		uint64_t empty = 0;

		if (fill && atomic_compare_exchange_strong(place, &empty, *ns))
			return true;
		if (!fill && (*ns = atomic_exchange(place, 0)))
			return true;
		if (!worker_checkpoint(w, 0))
			return false;
	}
}

static void produce(struct worker *w)
{
	uint64_t period = NSEC_PER_SEC / w->spec->values[QUEUE_RATE], next = worker_now(w), now, at;
	uint64_t depth = w->spec->values[QUEUE_DEPTH];
	struct queue *q = w->shared;

	for (;;) {
		next += period;
		if (next < worker_now(w)) /* held up by a full queue: no rush to make up for it */
			next = worker_now(w);
		if (!worker_sleep_until(w, next) || !work_sem_down(w, &q->spaces))
			return;
		now = worker_now(w);
		at = atomic_fetch_add(&q->tail, 1) % depth;
		if (!place_exchange(w, &q->put_ns[at], true, &now))
			return;
		work_sem_up(w, &q->items);
		worker_iteration(w);
		if (!worker_checkpoint(w, 1))
			return;
	}
}

static void consume(struct worker *w)
{
	uint64_t depth = w->spec->values[QUEUE_DEPTH], put, at;
	struct queue *q = w->shared;

	while (work_sem_down(w, &q->items)) {
		at = atomic_fetch_add(&q->head, 1) % depth;
		if (!place_exchange(w, &q->put_ns[at], false, &put))
			return;
		work_sem_up(w, &q->spaces);
		if (!work_spin_turns_checked(w, w->spec->values[QUEUE_WORK]))
			return;
		worker_iteration(w);
		if (!worker_checkpoint(w, 1))
			return;
		histogram_add(w->rec->request, clock_between(put, last_checkpoint(w)));
	}
}

static void producer_consumer(struct worker *w)
{
	if (work_rank(w) < w->spec->values[QUEUE_PRODUCERS])
		produce(w);
	else
		consume(w);
}

#define TURNS_MAX 1000000000

const struct work_type work_lock_types[] = {
	{
		.name = "mutex-contention",
		.family = "lock",
		.unit = "one time that the lock was held",
		.path = "futex wait and wake of one, convoys, preempted lock holders",
		.about =
			"The contenders of a group take the same mutex, hold it, and work without it. "
			"The request latency is the time from wanting the lock to having it, 0 where it was free.",
		.wake = "the unlock that woke the worker",
		.params = {[MUTEX_CONTENDERS] = {"contenders", PARAM_COUNT, 4, 2, WORK_SEM_MEMBERS,
						 "workers for one mutex"},
			   [MUTEX_HOLD] = {"hold", PARAM_COUNT, 256, 0, TURNS_MAX,
					   "turns of an empty loop with the lock"},
			   [MUTEX_WORK] = {"work", PARAM_COUNT, 1024, 0, TURNS_MAX,
					   "turns without it"}},
		.blocks = true,
		.requests = true,
		.group_text = "contenders",
		.shared_size = sizeof(struct mutex),
		.complete = mutex_contention_complete,
		.setup = mutex_contention_setup,
		.run = mutex_contention,
	},
	{
		.name = "priority-inversion",
		.family = "lock",
		.unit = "one time that the lock was held; 256 turns of an empty loop for the medium one",
		.path = "rt_mutex and its boosting (mode=pi), or a plain futex",
		.about =
			"The first of a group (SCHED_FIFO 3) wants, every millisecond, a lock that the "
			"third (of the cgroup's policy) holds most of the time; the second (SCHED_FIFO "
			"2) keeps the third from the CPU half of the time. For this to happen they need "
			"one CPU together (cpuset=0). The request latency is the time from wanting the "
			"lock to having it. It needs CAP_SYS_NICE.",
		.wake = "the unlock that woke the worker, or the end of its sleep",
		.params =
			{[INVERSION_MODE] = {"mode", PARAM_CHOICE, MODE_PLAIN,
					     .choices = mode_names,
					     .help = "whether the lock hands on priorities"},
			 [INVERSION_HOLD] = {"hold", PARAM_COUNT, 4096, 0, TURNS_MAX,
					     "turns of an empty loop that the low one holds it"},
			 [INVERSION_WORK] = {"work", PARAM_COUNT, 1024, 0, TURNS_MAX,
					     "turns that the low one goes without it, and that the "
					     "high one holds it"},
			 [INVERSION_BURST] = {"burst", PARAM_DURATION, 5 * NSEC_PER_MSEC, 1000,
					      100 * NSEC_PER_MSEC,
					      "how long the medium one computes, and sleeps"}},
		.blocks = true,
		.requests = true,
		.group = N_RANKS,
		.shared_size = sizeof(struct inversion),
		.setup = priority_inversion_setup,
		.run = priority_inversion,
	},
	{
		.name = "producer-consumer-imbalance",
		.family = "lock",
		.unit = "one item put (producers, the first of a group) or processed (consumers)",
		.path = "waits on a bounded buffer, wake-ups that go one way",
		.about =
			"Producers put items into a queue at a fixed rate, consumers process them. The "
			"request latency is the time from putting an item to its being done.",
		.wake = "the item or space that woke the worker, for producers also from their timer",
		.params = {[QUEUE_PRODUCERS] = {"producers", PARAM_COUNT, 2, 1,
						WORK_SEM_MEMBERS - 1, "producers of a group"},
			   [QUEUE_CONSUMERS] = {"consumers", PARAM_COUNT, 1, 1,
						WORK_SEM_MEMBERS - 1, "consumers of a group"},
			   [QUEUE_RATE] = {"rate", PARAM_COUNT, 1000, 1, 1000000,
					   "items a second from each producer"},
			   [QUEUE_WORK] = {"work", PARAM_COUNT, 4096, 0, TURNS_MAX,
					   "turns of an empty loop for each item"},
			   [QUEUE_DEPTH] = {"depth", PARAM_COUNT, 1024, 1, 1 << 20,
					    "items that the queue holds"}},
		.blocks = true,
		.requests = true,
		.group_text = "producers + consumers",
		.complete = queue_complete,
		.setup = queue_setup,
		.run = producer_consumer,
	},
	{},
};
