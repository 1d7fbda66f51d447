// SPDX-License-Identifier: GPL-2.0
#include "work_wait.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PACE_SHORT_NS 10000
#define PACE_LONG_NS  30000

const char *const work_class_names[] = {
	[WORK_CLASS_NORMAL] = "normal", [WORK_CLASS_BATCH] = "batch", [WORK_CLASS_IDLE] = "idle",
	[WORK_CLASS_FIFO] = "fifo",	[WORK_CLASS_RR] = "rr",	      NULL,
};

/* FUTEX_WAIT_BITSET takes the time at which to give up, on CLOCK_MONOTONIC. */
bool work_futex_wait(const struct worker *w, _Atomic uint32_t *word, uint32_t value)
{
	uint64_t stop = atomic_load(&w->rec->stop_ns);
	struct timespec ts = {.tv_sec = stop / NSEC_PER_SEC, .tv_nsec = stop % NSEC_PER_SEC};

	return !syscall(SYS_futex, word, FUTEX_WAIT_BITSET, value, &ts, NULL,
			FUTEX_BITSET_MATCH_ANY);
}

void work_futex_wake(_Atomic uint32_t *word, int n)
{
	syscall(SYS_futex, word, FUTEX_WAKE, n, NULL, NULL, 0);
}

/* Wake the next sleeper in turn, if there is one. */
static void sem_wake(struct worker *w, struct work_sem *sem)
{
	uint32_t me = work_rank(w), sleepers = atomic_load(&sem->sleepers), turned, rank;

	do {
		if (!sleepers)
			return;
		/* Turned so that the rank after this one is bit 0. */
		turned = sleepers >> ((me + 1) % 32) | (uint64_t)sleepers << (31 - me);
		rank = (__builtin_ctz(turned) + me + 1) % 32;
	} while (
		!atomic_compare_exchange_weak(&sem->sleepers, &sleepers, sleepers & ~(1U << rank)));
	record_wake(w, work_peer(w, rank));
	atomic_store(&sem->asleep[rank], 0);
	work_futex_wake(&sem->asleep[rank], 1);
}

/*
 * Each sleeps on a word of its own, so that it is either known as a sleeper or awake: one that
 * slept on the count could be picked, miss it because someone else took it, and sleep on unknown.
 */
bool work_sem_down(struct worker *w, struct work_sem *sem)
{
	uint32_t rank = work_rank(w), bit = 1U << rank;

	while (!work_sem_try(sem)) {
		bool slept = false, taken, picked, more;

		/* Waiting begins before anyone can know of it, so that the waker's mark counts. */
		worker_wait_begin(w, DUE_UNKNOWN);
		atomic_store(&sem->asleep[rank], 1);
		atomic_fetch_or(&sem->sleepers, bit);
		/* Up to here it ran: being held up before it was known to wait is no wait. */
		worker_checkpoint(w, 0);
		/* Who came up before it was known did not wake it. */
		taken = work_sem_try(sem);
		if (!taken)
			slept = work_futex_wait(w, &sem->asleep[rank], 1);
		picked = !(atomic_fetch_and(&sem->sleepers, ~bit) & bit);
		more = worker_wait_end(w, slept);
		if (taken) {
			/* The wake-up that it did not need is for another. */
			if (picked && atomic_load(&sem->count))
				sem_wake(w, sem);
			return true;
		}
		if (!more)
			return false;
	}
	return true;
}

void work_sem_up(struct worker *w, struct work_sem *sem)
{
	atomic_fetch_add(&sem->count, 1);
	sem_wake(w, sem);
}

int work_class_set(struct worker *w, enum work_class class, int priority)
{
	static const int policies[] = {
		[WORK_CLASS_NORMAL] = SCHED_OTHER, [WORK_CLASS_BATCH] = SCHED_BATCH,
		[WORK_CLASS_IDLE] = SCHED_IDLE,	   [WORK_CLASS_FIFO] = SCHED_FIFO,
		[WORK_CLASS_RR] = SCHED_RR,
	};
	bool realtime = class == WORK_CLASS_FIFO || class == WORK_CLASS_RR;
	struct sched_param param = {.sched_priority = realtime ? priority : 0};
	int ret;

	if (!sched_setscheduler(0, policies[class], &param))
		return 0;
	ret = -errno;
	snprintf(w->rec->why, sizeof(w->rec->why), "%s cannot have class %s: %s%s",
		 w->spec->type->name, work_class_names[class], strerror(-ret),
		 ret == -EPERM ? " (it needs CAP_SYS_NICE)" : "");
	return ret;
}

bool work_pace_checkpoint(struct worker *w, struct work_pace *pace, uint64_t n, uint64_t units)
{
	uint64_t before = atomic_load_explicit(&w->rec->last_ns, memory_order_relaxed), took;
	bool more = worker_checkpoint(w, units);

	took = atomic_load_explicit(&w->rec->last_ns, memory_order_relaxed) - before;
	if (took > PACE_LONG_NS && pace->n > 1)
		pace->n /= 2;
	else if (took < PACE_SHORT_NS && n == pace->n)
		pace->n *= 2;
	return more;
}

bool work_spin_for(struct worker *w, uint64_t ns)
{
	uint64_t now = worker_now(w), end = now + ns;

	while (now < end) {
		/* units_per_check of them take about 20 us; the last few one by one. */
		work_spin(end - now > 20000 ? w->units_per_check : 1);
		if (!worker_checkpoint(w, 0))
			return false;
		now = atomic_load_explicit(&w->rec->last_ns, memory_order_relaxed);
	}
	return true;
}

int work_memory_get(struct worker *w, size_t size)
{
	int ret;

	w->memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (w->memory != MAP_FAILED)
		return 0;
	ret = -errno;
	w->memory = NULL;
	snprintf(w->rec->why, sizeof(w->rec->why), "cannot map %zu bytes: %s", size,
		 strerror(-ret));
	return ret;
}

bool work_memory_touch(struct worker *w, struct work_pace *pace, size_t size, size_t stride,
		       unsigned int units)
{
	volatile uint8_t *memory = w->memory;
	uint64_t left = (size + stride - 1) / stride, n, i;
	size_t at = 0;
	bool more = true;

	while (left && more) {
		n = left < pace->n ? left : pace->n;
		for (i = 0; i < n; i++, at += stride)
			memory[at]++;
		left -= n;
		more = work_pace_checkpoint(w, pace, n, n * units);
	}
	return more;
}
