// SPDX-License-Identifier: GPL-2.0
/*
 * Benchmarks family, second part: the load of TaoBench (of DCPerf), a memcached-like cache in front
 * of a slow store, with its clients and its slow threads as workers of the scenario.
 *
 * A group is some clients and some dispatchers that share a cache. A client draws a key and looks
 * it up; a hit reads the value's bytes under the lock of its shard and is done: the fast path. A
 * miss goes into the queue of the dispatchers, and the client sleeps until one of them has waited
 * for the store (a sleep), put the value into the cache and woken it: the slow path. The oldest
 * values make room, and there are as many keys as let the hit ratio be what was asked for. Paths:
 * futex_wake() between tasks of two kinds, one of them hungry for CPU and memory, the other mostly
 * asleep; locks that many take for a short time.
 *
 * A work unit is one request that was served, for a client, and one miss, for a dispatcher; an
 * iteration is the same. The wake latency is a client's from the dispatcher's answer and a
 * dispatcher's from the client's question. The request latency is a client's, from the draw of the
 * key. The metrics are qps, fast_qps and slow_qps, over all clients, and hit_ratio.
 *
 * What is left out is the network: a client stands for a connection with its thread, so that there
 * are to be more of them than CPUs for a load. A dispatcher does what TaoBench's dispatchers and
 * its slow threads do between them.
 *
 * Sizes of values are mostly small with a long tail (mean about 370 bytes), fixed for each key.
 */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "work_common.h"
#include "work_wait.h"

enum { TAO_CLIENTS, TAO_SLOW, TAO_CACHE, TAO_HIT, TAO_STORE };

#define TASKS_MAX  1024
#define SHARDS	   16
#define VALUE_MAX  (64 << 10)
#define CHECK_OPS  16
#define LOCK_SPINS 64

/* A part of the keys, with a ring of bytes that holds the latest values. */
struct shard {
	_Atomic uint32_t locked;
	uint64_t head; /* bytes that were ever written to the ring */
} __attribute__((aligned(64)));

/* A client's question: at most one at a time. */
struct question {
	_Atomic uint32_t open; /* futex: 1 until it is answered */
	uint32_t next;	       /* in the queue: the next client's number + 1, or 0 */
	uint64_t key;
} __attribute__((aligned(64)));

/* A dispatcher's questions. */
struct queue {
	_Atomic uint32_t locked;
	_Atomic uint32_t waiting; /* futex: how many there are */
	uint32_t first, last;	  /* client's number + 1, or 0 */
} __attribute__((aligned(64)));

/* Where what lies in a group's memory. */
struct layout {
	uint64_t n_keys, ring_size;
	uint64_t shards, questions, queues, places, rings, size;
};

/* A worker's view of that memory. */
struct cache {
	uint64_t n_keys, ring_size, random;
	uint64_t hits, misses;
	struct shard *shards;
	struct question *questions;
	struct queue *queues;
	uint64_t *places; /* of each key's value: bytes ever written before it, + 1; 0: nowhere */
	char *rings;
};

/* Bytes of @key's value: small ones mostly, and a long tail; the same in every shard. */
static uint32_t value_size(uint64_t key)
{
	static const struct {
		uint32_t below, size; /* of 1000 keys, those below have this size */
	} sizes[] = {
		{450, 64},   {750, 128},  {880, 256},	{950, 512},
		{980, 1024}, {994, 4096}, {999, 16384},
	};
	uint64_t draw = (key / SHARDS * 0x9e3779b97f4a7c15ULL >> 32) % 1000;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (draw < sizes[i].below)
			return sizes[i].size;
	}
	return VALUE_MAX;
}

static struct layout layout_of(const struct work_spec *spec)
{
	struct layout l = {.ring_size = spec->values[TAO_CACHE] / SHARDS & ~7ULL};
	uint64_t bytes = 0;

	/* As many as let the cache hold the wanted share of all their values; sizes repeat by
	 * shard. */
	for (; bytes / 100 * spec->values[TAO_HIT] < spec->values[TAO_CACHE]; l.n_keys += SHARDS)
		bytes += SHARDS * value_size(l.n_keys);
	l.questions = SHARDS * sizeof(struct shard);
	l.queues = l.questions + spec->values[TAO_CLIENTS] * sizeof(struct question);
	l.places = l.queues + spec->values[TAO_SLOW] * sizeof(struct queue);
	l.rings = l.places + l.n_keys * sizeof(uint64_t);
	l.size = l.rings + l.ring_size * SHARDS;
	return l;
}

static int tao_complete(struct work_spec *spec, char **why)
{
	(void)why;
	spec->group = spec->values[TAO_CLIENTS] + spec->values[TAO_SLOW];
	spec->shared_size = layout_of(spec).size;
	return 0;
}

/* Write @key's value into its shard's ring, over the oldest ones. The shard is locked. */
static void value_put(struct cache *c, uint64_t key)
{
	struct shard *shard = &c->shards[key % SHARDS];
	char *ring = c->rings + key % SHARDS * c->ring_size;
	uint64_t size = value_size(key), at = shard->head % c->ring_size;
	uint64_t first = c->ring_size - at < size ? c->ring_size - at : size;

	memset(ring + at, key, first);
	memset(ring, key, size - first);
	c->places[key] = shard->head + 1;
	shard->head += size;
}

static void words_read(const void *from, uint64_t size)
{
	const volatile uint64_t *words = from;
	uint64_t i;

	for (i = 0; i < size / sizeof(*words); i++)
		(void)words[i];
}

/* Read @key's value, if the ring still has it. The shard is locked. */
static bool value_read(struct cache *c, uint64_t key)
{
	uint64_t place = c->places[key], size = value_size(key), at, first;
	const char *ring = c->rings + key % SHARDS * c->ring_size;

	if (!place || c->shards[key % SHARDS].head - (place - 1) > c->ring_size)
		return false;
	at = (place - 1) % c->ring_size;
	first = c->ring_size - at < size ? c->ring_size - at : size;
	words_read(ring + at, first);
	words_read(ring, size - first);
	return true;
}

/* All the rings full, with the first keys. */
static void cache_fill(struct cache *c)
{
	uint64_t key;

	for (key = 0; key < c->n_keys; key++) {
		if (c->shards[key % SHARDS].head < c->ring_size)
			value_put(c, key);
	}
}

static int tao_setup(struct worker *w)
{
	struct layout l = layout_of(w->spec);
	struct cache *c = worker_memory(w, sizeof(*c));

	if (!c)
		return -ENOMEM;
	w->own = c;
	*c = (struct cache){
		.n_keys = l.n_keys,
		.ring_size = l.ring_size,
		.random = random_seed(w),
		.shards = w->shared,
		.questions = (void *)((char *)w->shared + l.questions),
		.queues = (void *)((char *)w->shared + l.queues),
		.places = (void *)((char *)w->shared + l.places),
		.rings = (char *)w->shared + l.rings,
	};
	if (!work_rank(w))
		cache_fill(c);
	return 0;
}

/* Locks are held for a few us, unless the holder loses its CPU. Returns false at the stop. */
static bool lock(struct worker *w, _Atomic uint32_t *locked)
{
	unsigned int tries = 0;

	while (atomic_exchange(locked, 1)) {
		__builtin_ia32_pause();
		if (++tries % LOCK_SPINS)
			continue;
		sched_yield();
		if (!worker_checkpoint(w, 0))
			return false;
	}
	return true;
}

static void unlock(_Atomic uint32_t *locked)
{
	atomic_store(locked, 0);
}

/* Put the client's question to a dispatcher and wait for the answer. */
static bool ask(struct worker *w, struct cache *c, uint64_t key)
{
	uint32_t number = work_rank(w), slow = key % w->spec->values[TAO_SLOW];
	struct question *question = &c->questions[number];
	struct queue *q = &c->queues[slow];
	bool slept = false;

	question->key = key;
	question->next = 0;
	if (!lock(w, &q->locked))
		return false;
	atomic_store(&question->open, 1);
	if (q->last)
		c->questions[q->last - 1].next = number + 1;
	else
		q->first = number + 1;
	q->last = number + 1;
	worker_wait_begin(w, DUE_UNKNOWN);
	atomic_fetch_add(&q->waiting, 1);
	unlock(&q->locked);
	record_wake(w, work_peer(w, w->spec->values[TAO_CLIENTS] + slow));
	work_futex_wake(&q->waiting, 1);
	worker_checkpoint(w, 0);
	while (atomic_load(&question->open)) {
		if (work_stopping(w))
			return worker_wait_end(w, false);
		slept |= work_futex_wait(w, &question->open, 1);
	}
	return worker_wait_end(w, slept);
}

/* One request. Returns false at the stop. */
static bool client_request(struct worker *w, struct cache *c)
{
	uint64_t key = random_next(&c->random) % c->n_keys;
	struct shard *shard = &c->shards[key % SHARDS];
	bool hit;

	if (!lock(w, &shard->locked))
		return false;
	hit = value_read(c, key);
	unlock(&shard->locked);
	if (!hit && !ask(w, c, key))
		return false;
	c->hits += hit;
	c->misses += !hit;
	w->tally->units++;
	worker_iteration(w);
	return true;
}

static void client(struct worker *w, struct cache *c)
{
	uint64_t begin = worker_now(w), start = begin, now;
	double seconds;
	bool more = true;
	int i;

	while (more) {
		for (i = 0; more && i < CHECK_OPS; i++) {
			more = client_request(w, c);
			now = worker_now(w);
			if (more)
				histogram_add(w->rec->request, now - begin);
			begin = now;
		}
		more = more && worker_checkpoint(w, 0);
	}
	seconds = (double)(worker_now(w) - start) / NSEC_PER_SEC;
	w->rec->metrics[0] = (struct metric){"qps", (c->hits + c->misses) / seconds, 0};
	w->rec->metrics[1] = (struct metric){"fast_qps", c->hits / seconds, 0};
	w->rec->metrics[2] = (struct metric){"slow_qps", c->misses / seconds, 0};
	w->rec->metrics[3] = (struct metric){"hit_ratio", c->hits, c->hits + c->misses};
}

/* The client whose question has waited longest; -1 at the stop. */
static int next_question(struct worker *w, struct cache *c, struct queue *q)
{
	bool slept = false;
	uint32_t first;

	worker_wait_begin(w, DUE_UNKNOWN);
	worker_checkpoint(w, 0);
	while (!atomic_load(&q->waiting)) {
		if (work_stopping(w))
			break;
		slept |= work_futex_wait(w, &q->waiting, 0);
	}
	if (!worker_wait_end(w, slept) || !lock(w, &q->locked))
		return -1;
	first = q->first;
	q->first = c->questions[first - 1].next;
	if (!q->first)
		q->last = 0;
	atomic_fetch_sub(&q->waiting, 1);
	unlock(&q->locked);
	return first - 1;
}

/* The store's answer takes its time. */
static bool store_fetch(struct worker *w)
{
	return worker_pause_until(w, worker_now(w) + w->spec->values[TAO_STORE]);
}

static void dispatcher(struct worker *w, struct cache *c)
{
	struct queue *q = &c->queues[work_rank(w) - w->spec->values[TAO_CLIENTS]];
	int number;

	while ((number = next_question(w, c, q)) >= 0) {
		struct question *question = &c->questions[number];
		struct shard *shard = &c->shards[question->key % SHARDS];

		if (!store_fetch(w) || !lock(w, &shard->locked))
			return;
		value_put(c, question->key);
		unlock(&shard->locked);
		record_wake(w, work_peer(w, number));
		atomic_store(&question->open, 0);
		work_futex_wake(&question->open, 1);
		worker_iteration(w);
		if (!worker_checkpoint(w, 1))
			return;
	}
}

static void taobench(struct worker *w)
{
	if (work_rank(w) < w->spec->values[TAO_CLIENTS])
		client(w, w->own);
	else
		dispatcher(w, w->own);
}

const struct work_type work_taobench_types[] = {
	{
		.name = "taobench",
		.family = "benchmark",
		.unit = "one request served (of a dispatcher: one miss)",
		.path = "wake-ups between busy and sleepy tasks, short locks, memory",
		.about = "TaoBench's load: clients look keys up in a cache that they share; a hit "
			 "reads the value, a miss waits for a dispatcher that fetches it from a "
			 "slow store. The first of a group are clients, the others dispatchers. "
			 "The request latency is a client's. Metrics: qps, fast_qps and slow_qps "
			 "of all clients, and hit_ratio.",
		.wake = "the question to the dispatcher, and its answer to the client",
		.params = {[TAO_CLIENTS] = {"clients", PARAM_COUNT, 1, 1, TASKS_MAX,
					    "clients of a cache"},
			   [TAO_SLOW] = {"slow", PARAM_COUNT, 1, 1, TASKS_MAX,
					 "dispatchers of misses"},
			   [TAO_CACHE] = {"cache", PARAM_SIZE, 16 << 20, 8 << 20, 4ULL << 30,
					  "bytes of values that it holds"},
			   [TAO_HIT] = {"hit", PARAM_COUNT, 90, 1, 99,
					"hit ratio to come to, in percent"},
			   [TAO_STORE] = {"store", PARAM_DURATION, 100000, 0, 3600 * NSEC_PER_SEC,
					  "time that the slow store takes"}},
		.blocks = true,
		.requests = true,
		.group_text = "clients + slow",
		.complete = tao_complete,
		.setup = tao_setup,
		.run = taobench,
	},
	{},
};
