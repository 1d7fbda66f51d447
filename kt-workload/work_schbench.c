// SPDX-License-Identifier: GPL-2.0
/*
 * Benchmarks family, first part: the load of schbench (Chris Mason's scheduler benchmark), with its
 * message thread and its worker threads as workers of the scenario.
 *
 * In a group of 1 + threads the first is the messenger, the others are its workers. A worker puts
 * itself on the messenger's list, wakes it and sleeps on its own futex; the messenger takes the
 * whole list, reads the clock once, wakes them all and sleeps until the next comes. A woken worker
 * sleeps for its think time, then multiplies matrices under the lock of the CPU that it is on, for
 * which it spins; that is one request, and so on. Paths: futex_wake() of many by one, placement of
 * what one task wakes, preemption of a lock's holder. pcomm= makes a group's processes threads of
 * one, as in schbench.
 *
 * With rps (schbench -R) the messenger does not wait for its workers: at the begin of each second
 * it puts all the requests of that second, to one worker after the other, and then sleeps; a worker
 * takes the next one as soon as it is done. When more than 128 wait for a worker, the messenger
 * leaves one out and waits 100 us.
 *
 * A work unit of a worker is one request, of the messenger one wake-up that it gave; an iteration
 * is the same. The wake latency is the workers', from the messenger's reading of the clock. The
 * request latency is that of think time and work together. The metrics are
 * requests_per_second, over all workers, and average_rate, of one worker.
 */
#include <errno.h>
#include <math.h>
#include <unistd.h>

#include "work_common.h"
#include "work_wait.h"

enum {
	SCHBENCH_THREADS,
	SCHBENCH_FOOTPRINT,
	SCHBENCH_OPS,
	SCHBENCH_SLEEP,
	SCHBENCH_LOCK,
	SCHBENCH_RPS
};

#define THREADS_MAX  1024
#define MATRICES     3
#define LOCK_SPINS   64	 /* tries between checkpoints */
#define STEPS_MAX    512 /* multiplications in a row: each may miss all caches */
#define WAITING_MAX  128
#define WAITING_NS   100000
#define SLOT_BLOCKED 0
#define SLOT_RUNNING 1

/* One worker's; on a cache line of its own. */
struct slot {
	_Atomic uint32_t state;	 /* futex: SLOT_... */
	uint32_t next;		 /* on the messenger's list: the next one's number, or 0 */
	_Atomic uint64_t asked;	 /* requests that the messenger put, with rps, ... */
	_Atomic uint64_t served; /* ... and those that are done */
} __attribute__((aligned(64)));

struct cpu_lock {
	_Atomic uint32_t taken;
} __attribute__((aligned(64)));

/* A group's memory: the messenger is number 0, workers count from 1. */
struct schbench {
	_Atomic uint32_t messages; /* futex: SLOT_... of the messenger */
	_Atomic uint32_t list;	   /* the number that came last, or 0 */
	struct slot slots[];	   /* one for each of the group, then the locks */
};

/* A worker's own. */
struct matrices {
	uint64_t size;		/* rows of one */
	struct work_pace steps; /* multiplications between checkpoints */
	uint64_t *data;
};

static unsigned int cpus_configured(void)
{
	long n = sysconf(_SC_NPROCESSORS_CONF);

	return n > 0 ? n : 1;
}

static int schbench_complete(struct work_spec *spec, char **why)
{
	(void)why;
	spec->group = 1 + spec->values[SCHBENCH_THREADS];
	spec->shared_size = sizeof(struct schbench) + spec->group * sizeof(struct slot) +
			    cpus_configured() * sizeof(struct cpu_lock);
	return 0;
}

static struct cpu_lock *locks_of(struct schbench *s, const struct worker *w)
{
	return (struct cpu_lock *)&s->slots[w->spec->group];
}

static int schbench_setup(struct worker *w)
{
	struct matrices *m = worker_memory(w, sizeof(*m));

	if (!m)
		return -ENOMEM;
	w->own = m;
	m->steps.n = 1;
	m->size = sqrt((double)w->spec->values[SCHBENCH_FOOTPRINT] / MATRICES / sizeof(*m->data));
	if (!work_rank(w))
		return 0;
	m->data = worker_memory(w, MATRICES * m->size * m->size * sizeof(*m->data));
	return m->data ? 0 : -ENOMEM;
}

/* Let @word say "running", and wake who sleeps on it. */
static void post(_Atomic uint32_t *word)
{
	uint32_t blocked = SLOT_BLOCKED;

	if (atomic_compare_exchange_strong(word, &blocked, SLOT_RUNNING))
		work_futex_wake(word, 1);
}

/*
 * Sleep until @word says "running"; with @wakes the time since the mark of who wrote that is a wake
 * latency, also of a worker that did not get to sleep, as schbench has it. Returns false at the
 * stop.
 */
static bool wait_posted(struct worker *w, _Atomic uint32_t *word, bool wakes)
{
	while (atomic_load(word) == SLOT_BLOCKED) {
		if (work_stopping(w))
			return worker_wait_end(w, false);
		work_futex_wait(w, word, SLOT_BLOCKED);
	}
	return worker_wait_end(w, wakes);
}

/* Wake all on the list; one reading of the clock for all, as who wakes may be preempted there. */
static bool wake_list(struct worker *w, struct schbench *s)
{
	uint32_t number = atomic_exchange(&s->list, 0);
	uint64_t now = worker_now(w);

	while (number) {
		struct slot *slot = &s->slots[number];

		record_wake_at(work_peer(w, number), now);
		number = slot->next;
		post(&slot->state);
		worker_iteration(w);
		if (!worker_checkpoint(w, 1))
			return false;
	}
	return true;
}

static void messenger(struct worker *w, struct schbench *s)
{
	bool more = true;

	while (more) {
		atomic_store(&s->messages, SLOT_BLOCKED);
		more = wake_list(w, s);
		if (!more || atomic_load(&s->list))
			continue;
		worker_wait_begin(w, DUE_UNKNOWN);
		worker_checkpoint(w, 0);
		more = wait_posted(w, &s->messages, false);
	}
}

/* Put one request to the next worker, or wait a little when that has too many. */
static bool put_request(struct worker *w, struct schbench *s, uint32_t *number)
{
	struct slot *slot;
	uint64_t now;

	*number = *number % w->spec->values[SCHBENCH_THREADS] + 1;
	slot = &s->slots[*number];
	if (atomic_load(&slot->asked) - atomic_load(&slot->served) > WAITING_MAX)
		return worker_pause_until(w, worker_now(w) + WAITING_NS);
	now = worker_now(w);
	atomic_fetch_add(&slot->asked, 1);
	record_wake_at(work_peer(w, *number), now);
	post(&slot->state);
	worker_iteration(w);
	return worker_checkpoint(w, 1);
}

/* Put a second's requests at its begin, to one worker after the other. */
static void messenger_at_rate(struct worker *w, struct schbench *s)
{
	uint64_t begin, i;
	uint32_t number = 0;

	do {
		begin = worker_now(w);
		for (i = 0; i < w->spec->values[SCHBENCH_RPS]; i++) {
			if (!put_request(w, s, &number))
				return;
		}
	} while (worker_pause_until(w, begin + NSEC_PER_SEC));
}

/* Tell the messenger, and sleep until it answers. */
static bool ask(struct worker *w, struct schbench *s)
{
	uint32_t number = work_rank(w), first = atomic_load(&s->list);
	struct slot *slot = &s->slots[number];

	atomic_store(&slot->state, SLOT_BLOCKED);
	worker_wait_begin(w, DUE_UNKNOWN);
	do
		slot->next = first;
	while (!atomic_compare_exchange_weak(&s->list, &first, number));
	record_wake(w, work_peer(w, 0));
	post(&s->messages);
	worker_checkpoint(w, 0);
	return wait_posted(w, &slot->state, true);
}

/* With rps: sleep until there are more requests than the worker has @served. */
static bool await(struct worker *w, struct schbench *s, uint64_t served)
{
	struct slot *slot = &s->slots[work_rank(w)];

	atomic_store(&slot->served, served);
	while (atomic_load(&slot->asked) <= served) {
		atomic_store(&slot->state, SLOT_BLOCKED);
		worker_wait_begin(w, DUE_UNKNOWN);
		if (atomic_load(&slot->asked) > served)
			return worker_wait_end(w, false);
		worker_checkpoint(w, 0);
		if (!wait_posted(w, &slot->state, true))
			return false;
	}
	return worker_checkpoint(w, 0);
}

/* Spin for the lock of the CPU that this runs on; NULL at the stop. */
static struct cpu_lock *lock_cpu(struct worker *w, struct schbench *s)
{
	unsigned int tries = 0;

	for (;;) {
		uint32_t cpu = cpu_now();
		struct cpu_lock *lock = &locks_of(s, w)[cpu % cpus_configured()];

		if (!atomic_exchange(&lock->taken, 1)) {
			if (cpu_now() == cpu)
				return lock;
			atomic_store(&lock->taken, 0);
		}
		__builtin_ia32_pause();
		if (++tries % LOCK_SPINS == 0 && !worker_checkpoint(w, 0))
			return NULL;
	}
}

/* One product of two of the matrices into the third, with checkpoints. */
static bool multiply(struct worker *w, struct matrices *m)
{
	const uint64_t n = m->size, *a = m->data, *b = a + n * n;
	uint64_t *c = m->data + 2 * n * n, i, j, k, end, steps = 0;

	for (i = 0; i < n; i++) {
		for (j = 0; j < n; j++) {
			/* As in schbench, the sum is in memory, and memory is what it waits for. */
			volatile uint64_t *sum = &c[i * n + j];

			*sum = 0;
			for (k = 0; k < n; k = end) {
				end = n - k < STEPS_MAX ? n : k + STEPS_MAX;
				steps += end - k;
				for (; k < end; k++)
					*sum += a[i * n + k] * b[k * n + j];
				if (steps < m->steps.n)
					continue;
				if (!work_pace_checkpoint(w, &m->steps, m->steps.n, 0))
					return false;
				steps = 0;
			}
		}
	}
	return true;
}

static bool work(struct worker *w, struct schbench *s)
{
	struct cpu_lock *lock = NULL;
	bool more = true;
	uint64_t i;

	if (w->spec->values[SCHBENCH_LOCK]) {
		lock = lock_cpu(w, s);
		if (!lock)
			return false;
	}
	for (i = 0; more && i < w->spec->values[SCHBENCH_OPS]; i++)
		more = multiply(w, w->own);
	if (lock)
		atomic_store(&lock->taken, 0);
	return more;
}

/* Think and work. Returns what worker_checkpoint() does. */
static bool request(struct worker *w, struct schbench *s)
{
	uint64_t sleep = w->spec->values[SCHBENCH_SLEEP], begin = worker_now(w);

	if (sleep && !worker_pause_until(w, begin + sleep))
		return false;
	if (!work(w, s))
		return false;
	histogram_add(w->rec->request, worker_now(w) - begin);
	worker_iteration(w);
	return worker_checkpoint(w, 1);
}

/* Returns how many requests it served. */
static uint64_t serve(struct worker *w, struct schbench *s)
{
	bool at_rate = w->spec->values[SCHBENCH_RPS];
	uint64_t served = 0;

	while ((at_rate ? await(w, s, served) : ask(w, s)) && request(w, s))
		served++;
	return served;
}

static void schbench(struct worker *w)
{
	struct schbench *s = w->shared;
	uint64_t begin = worker_now(w), served;
	double seconds;

	if (!work_rank(w)) {
		if (w->spec->values[SCHBENCH_RPS])
			messenger_at_rate(w, s);
		else
			messenger(w, s);
		return;
	}
	served = serve(w, s);
	seconds = (double)(worker_now(w) - begin) / NSEC_PER_SEC;
	w->rec->metrics[0] = (struct metric){"requests_per_second", served / seconds, 0};
	w->rec->metrics[1] = (struct metric){"average_rate", served, seconds};
}

static const char *const yes_no[] = {"no", "yes", NULL};

const struct work_type work_schbench_types[] = {
	{
		.name = "schbench",
		.family = "benchmark",
		.unit = "one request (of the messenger: one wake-up that it gave)",
		.path = "wake-ups of many by one, placement of what one task wakes",
		.about = "schbench's load: the first of a group is the messenger that wakes the "
			 "others; each of those thinks (sleeps), then multiplies matrices under "
			 "its CPU's lock, and asks for the next message. workers=9 with threads=8 "
			 "is schbench -m 1 -t 8; pcomm= makes them threads of one process. The "
			 "request latency is that of think time and work. Metrics: "
			 "requests_per_second of all workers, average_rate of one.",
		.wake = "the messenger's reading of the clock before it wakes its list",
		.params = {[SCHBENCH_THREADS] = {"threads", PARAM_COUNT, 1, 1, THREADS_MAX,
						 "workers of a messenger"},
			   [SCHBENCH_FOOTPRINT] = {"footprint", PARAM_SIZE, 256 << 10, 1024,
						   1 << 30, "a worker's three matrices"},
			   [SCHBENCH_OPS] = {"ops", PARAM_COUNT, 5, 0, 1000000,
					     "products in a request"},
			   [SCHBENCH_SLEEP] = {"sleep", PARAM_DURATION, 100000, 0,
					       3600 * NSEC_PER_SEC, "think time of a request"},
			   [SCHBENCH_LOCK] = {"lock", PARAM_CHOICE, 1, 0, 1,
					      "whether a request takes its CPU's lock",
					      .choices = yes_no},
			   [SCHBENCH_RPS] = {"rps", PARAM_COUNT, 0, 0, 1000000,
					     "requests per second of a messenger, put at the begin "
					     "of each; 0: as fast as they are served"}},
		.blocks = true,
		.requests = true,
		.group_text = "1 + threads",
		.complete = schbench_complete,
		.setup = schbench_setup,
		.run = schbench,
	},
	{},
};
