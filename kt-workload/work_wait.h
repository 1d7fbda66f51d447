/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waiting for each other within a group: what several families build on. All of it works between
 * processes and between threads (no FUTEX_PRIVATE_FLAG), ends at the stop time by itself, and knows
 * whom it wakes, so that being late after a wake-up is seen (record_wake(w, )).
 */
#ifndef KT_WORK_WAIT_H
#define KT_WORK_WAIT_H

#include "work.h"

/* A worker's place in its group, and the record of the member at another place. */
static inline uint32_t work_rank(const struct worker *w)
{
	return w->index % w->spec->group;
}

static inline struct record *work_peer(const struct worker *w, uint32_t rank)
{
	return w->peers[w->index - work_rank(w) + rank];
}

static inline bool work_stopping(struct worker *w)
{
	return worker_now(w) >= atomic_load(&w->rec->stop_ns);
}

/*
 * Sleep while *@word is @value; until woken, poked by a signal, or the stop. Returns whether it was
 * woken. It is part of a wait that has begun (worker_wait_begin()).
 */
bool work_futex_wait(const struct worker *w, _Atomic uint32_t *word, uint32_t value);

/* Wake @n who sleep so. */
void work_futex_wake(_Atomic uint32_t *word, int n);

/*
 * A semaphore whose sleepers are known by their rank, up to WORK_SEM_MEMBERS of them: who goes up
 * picks the one to wake, the next one in turn. One of count 1 is a mutex, and like a mutex it can
 * be taken by someone who comes along before the woken one runs.
 */
#define WORK_SEM_MEMBERS 32

struct work_sem {
	_Atomic uint32_t count;
	_Atomic uint32_t sleepers;		   /* by rank: who is to be woken */
	_Atomic uint32_t asleep[WORK_SEM_MEMBERS]; /* futexes: 1 until woken */
};

/* Take one if there is one. */
static inline bool work_sem_try(struct work_sem *sem)
{
	uint32_t count = atomic_load(&sem->count);

	while (count) {
		if (atomic_compare_exchange_weak(&sem->count, &count, count - 1))
			return true;
	}
	return false;
}

/* Take one, or return false when it is time to stop. */
bool work_sem_down(struct worker *w, struct work_sem *sem);
void work_sem_up(struct worker *w, struct work_sem *sem);

/*
 * Scheduling classes that a type gives its workers itself. In setup(): see whether it may be set;
 * returns 0 or -errno, rec->why naming what is missing. Set it once more at the beginning of run(),
 * by when the scenario's own policy= has been set, too.
 */
enum work_class {
	WORK_CLASS_NORMAL,
	WORK_CLASS_BATCH,
	WORK_CLASS_IDLE,
	WORK_CLASS_FIFO,
	WORK_CLASS_RR
};
extern const char *const work_class_names[]; /* for PARAM_CHOICE */

int work_class_set(struct worker *w, enum work_class class, int priority);

/*
 * How much of something takes about 20 us, learned from checkpoint to checkpoint: for work whose
 * speed depends on caches and on the machine. Start with {1}.
 */
struct work_pace {
	uint64_t n;
};

/* Checkpoint after @n of it (and @units), and learn from it. Returns what worker_checkpoint() does.
 */
bool work_pace_checkpoint(struct worker *w, struct work_pace *pace, uint64_t n, uint64_t units);

/* Spin for @ns of wall time, with checkpoints that count no units. Returns false to stop. */
bool work_spin_for(struct worker *w, uint64_t ns);

/* Memory of its own for the worker, filled with pages; for setup(). Returns 0 or -errno. */
int work_memory_get(struct worker *w, size_t size);

/*
 * Read, change and write one byte at every @stride of that memory's @size, with checkpoints; a
 * touch counts as @units. Returns what worker_checkpoint() does.
 */
bool work_memory_touch(struct worker *w, struct work_pace *pace, size_t size, size_t stride,
		       unsigned int units);

#endif
