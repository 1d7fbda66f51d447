/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a worker writes down while it works: records in memory shared with the parent, filled at
 * checkpoints. A checkpoint reads the clock (worker_clock.h) and the CPU number (rseq), makes no
 * system call and allocates nothing. Work types call worker_checkpoint() at least every 100 us of
 * running, and worker_wait_begin() and _end() around waits that are meant.
 */
#ifndef KT_TELEMETRY_H
#define KT_TELEMETRY_H

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/rseq.h>

#include "cpuset.h"
#include "histogram.h"
#include "numa.h"
#include "worker_clock.h"

#define DUE_RUNNING 0	       /* not waiting */
#define DUE_UNKNOWN UINT64_MAX /* waiting for someone else, who will say when */

/* The longest wall time between two checkpoints: length, start (CLOCK_MONOTONIC), last CPU. */
struct gap {
	uint64_t ns, at_ns;
	int cpu;
};

/*
 * Tallies of steps that a record has: the one being filled, one that the parent has yet to take,
 * and one to go on with.
 */
#define STEP_TALLIES 3

enum tally_state {
	TALLY_FREE, /* zeroed */
	TALLY_FILLING,
	TALLY_FULL, /* the worker is through with it: the parent's */
};

/* What happened within one phase of the run: between steps (0) or within step N. */
struct tally {
	uint64_t units, iterations, migrations, violations, cpu_ns;
	struct gap gap;
	/* The one that reached into this phase; phases that the worker did not see lie in it. */
	struct gap reach;
	uint32_t phase;
	_Atomic uint32_t state;
	unsigned long
		*cpus; /* those that it ran on, as in a struct cpuset; of cpu_words of the record */
} __attribute__((aligned(64)));

/* Totals the kernel keeps for a task, since its start. */
struct usage {
	uint64_t cpu_ns, run_delay_ns, timeslices;
	uint64_t voluntary_switches, involuntary_switches;
	bool schedstat_known;
};

#define METRICS_MAX 8

/*
 * A figure of the work type's own, by name (a constant string). Of several workers the amounts are
 * added; of what has an "of" it is amount / of, both summed.
 */
struct metric {
	const char *name;
	double amount, of; /* of: 0 for a plain sum */
};

enum record_state {
	RECORD_NEW,    /* not yet at the start line */
	RECORD_READY,  /* waiting for the start */
	RECORD_DONE,   /* saw the stop; all fields final */
	RECORD_FAILED, /* could not prepare; why[] says it */
};

/* The CPUs that a worker is confined to. */
struct allowed {
	bool confined;
	struct cpuset cpus;
};

struct record {
	/* The worker's, at every checkpoint. */
	_Atomic uint64_t last_ns; /* last checkpoint, or the end of a wait */
	/* When the wait it is in is over (DUE_...): set by the worker or by its waker. */
	_Atomic uint64_t due_ns;
	/* The parent's: when to stop. Set ahead, so that a starved parent cannot prolong a run. */
	_Atomic uint64_t stop_ns;
	/* The parent's: how often the CPUs have changed; allowed[changes & 1] is in force. */
	_Atomic uint32_t changes;
	/* The worker's, rarely. */
	_Atomic int state;
	_Atomic int tid;  /* of a thread, once it runs */
	uint32_t filling; /* index of the tally */
	uint64_t end_ns;  /* when it saw the stop */
	struct gap gap;	  /* over its whole life */
	struct usage before, after;
	struct numa_pages pages;	    /* at its end */
	int64_t pages_migrated;		    /* since its start, or negative */
	char why[160];			    /* what went wrong, or "" */
	struct metric metrics[METRICS_MAX]; /* the worker's, before it returns */
	struct allowed allowed[2];
	/* The parent's, before the start. The first tally is that of phase 0, and never full. */
	struct tally *tallies;
	uint32_t n_tallies, cpu_words; /* cpu_words: of each tally's cpus */
	struct histogram *wake;	       /* over its life; NULL for types that do not block */
	struct histogram *request;     /* the same, for types without requests */
} __attribute__((aligned(64)));

/* Wall time of a phase; 0 for what has not come yet. */
struct window {
	_Atomic uint64_t start_ns, end_ns;
};

/* One start line, for workers that are released together. */
struct start_line {
	_Atomic uint32_t released; /* futex: 0, then 1 */
	_Atomic uint32_t ready;	   /* how many wait */
	uint64_t start_ns;
	_Atomic uint32_t phase; /* index of the tally to fill */
	struct window *windows; /* by phase; NULL when there is only one */
	uint32_t n_windows;
};

struct work_spec;

/* A worker's own view of itself. */
struct worker {
	struct record *rec;
	struct tally *tally;
	const struct start_line *line;
	uint32_t phase, cpu, outside;
	uint32_t changes;	/* of the record, as far as it is known here */
	struct allowed allowed; /* as of then */
	uint64_t cpu_mark_ns;
	/* For the work type. */
	const struct work_spec *spec;
	uint32_t index, count;	  /* among the cgroup's workers */
	struct record **peers;	  /* all of them, by index */
	void *shared;		  /* its group's memory (work_type.shared_size), zeroed */
	uint64_t units_per_check; /* spin units that take about 20 us */
	int fd;			  /* work_type.setup() may open a file here; else -1 */
	void *own;		  /* what setup() prepared for run(); else NULL */
	const int *fds;		  /* its group's descriptors (work_type.prepare()) */
	void *memory;		  /* of its own, if work_type.setup() made some */
	uint64_t ticks;		  /* at the last real checkpoint of worker_glance() */
	struct worker_clock clock;
};

/* The time as all of a worker's telemetry has it. */
static inline uint64_t worker_now(struct worker *w)
{
	return worker_clock_at(&w->clock, ticks_now());
}

/* The kernel keeps rseq.cpu_id current (Documentation: rseq(2)); glibc registers it for us. */
static inline uint32_t cpu_now(void)
{
	const volatile struct rseq *area =
		(void *)((char *)__builtin_thread_pointer() + __rseq_offset);
	int cpu = __rseq_size ? (int)area->cpu_id : -1;

	return __builtin_expect(cpu >= 0, 1) ? cpu : sched_getcpu();
}

/* The rare parts of a checkpoint. */
void telemetry_gap(struct worker *w, uint64_t now, uint32_t cpu);
void telemetry_cpu(struct worker *w, uint32_t cpu);
void telemetry_phase(struct worker *w, uint64_t now, uint32_t cpu);
void telemetry_allowed(struct worker *w);

/*
 * Note that @units of work are done. Returns false when it is time to stop; the work type then
 * returns.
 */
static inline bool worker_checkpoint_at(struct worker *w, uint64_t units, uint64_t now)
{
	struct record *r = w->rec;
	uint64_t last = atomic_load_explicit(&r->last_ns, memory_order_relaxed);
	uint32_t cpu = cpu_now();

	w->tally->units += units;
	if (__builtin_expect(cpu != w->cpu, 0))
		telemetry_cpu(w, cpu);
	if (__builtin_expect(atomic_load_explicit(&r->changes, memory_order_acquire) != w->changes,
			     0))
		telemetry_allowed(w);
	w->tally->violations += w->outside;
	if (__builtin_expect(now - last > w->tally->gap.ns, 0))
		telemetry_gap(w, now, cpu);
	if (__builtin_expect(
		    atomic_load_explicit(&w->line->phase, memory_order_relaxed) != w->phase, 0))
		telemetry_phase(w, now, cpu);
	atomic_store_explicit(&r->last_ns, now, memory_order_relaxed);
	return now < atomic_load_explicit(&r->stop_ns, memory_order_relaxed);
}

static inline bool worker_checkpoint(struct worker *w, uint64_t units)
{
	return worker_checkpoint_at(w, units, worker_now(w));
}

/*
 * worker_checkpoint() for work of less than a microsecond: a real one only when some time has
 * passed since the last glance that was one, or the CPU has changed.
 */
static inline bool worker_glance(struct worker *w, uint64_t units)
{
	uint64_t ticks = ticks_now();

	w->tally->units += units;
	if (__builtin_expect(ticks - w->ticks < TICKS_GLANCE && cpu_now() == w->cpu, 1))
		return true;
	w->ticks = ticks;
	return worker_checkpoint_at(w, 0, worker_clock_at(&w->clock, ticks));
}

/* One more turn of the type's outer loop. */
static inline void worker_iteration(struct worker *w)
{
	w->tally->iterations++;
}

/*
 * A wait that is meant begins: the time until @due_ns (DUE_UNKNOWN: until a waker calls
 * record_wake()) is no gap. Whoever may wake the worker learns of the wait after that, and the last
 * thing before the call that blocks is a checkpoint: up to there it runs, and being held up is no
 * wait. _end() returns what worker_checkpoint() does and, when @woken (not interrupted) and the due
 * time has come, adds the time since then to the wake latencies; a late wake-up is a gap.
 */
void worker_wait_begin(struct worker *w, uint64_t due_ns);
bool worker_wait_end(struct worker *w, bool woken);

/* A waker's part: @peer, if it waits, is due to run from now on, or from @ns on. */
void record_wake(struct worker *w, struct record *peer);
void record_wake_at(struct record *peer, uint64_t ns);

/*
 * Sleep until @until_ns or the stop, whichever is earlier; returns what worker_checkpoint() does.
 * A late wake-up from a pause is a gap, but no wake latency.
 */
bool worker_sleep_until(struct worker *w, uint64_t until_ns);
bool worker_pause_until(struct worker *w, uint64_t until_ns);

/* Begin (at the start line's time) and end the measurement. */
void worker_measure_begin(struct worker *w);
void worker_measure_end(struct worker *w);

/*
 * Note a gap [@from, @to) that ended on @cpu in the record and in the tally being filled. For the
 * worker itself, and for the parent when the worker did not come back.
 */
void record_gap(struct record *r, const struct start_line *line, uint64_t from, uint64_t to,
		int cpu);

/* The same by the worker itself for a gap that is not from its last checkpoint to now. */
void worker_gap(struct worker *w, uint64_t from, uint64_t to, int cpu);

/* The part of @gap that lies in @phase, which has come; its ns is 0 if there is none. */
struct gap gap_within(const struct start_line *line, uint32_t phase, const struct gap *gap);

/* Keep the longer one in @gap. */
void gap_longer(struct gap *gap, const struct gap *other);

/*
 * The parent's: from now on the worker may run on @cpus, or anywhere when that is NULL. Its next
 * checkpoint judges by it.
 */
void record_allow(struct record *r, const struct cpuset *cpus);

/* The kernel's totals of the caller, and of a live or zombie @pid (which gives no switches). */
void usage_read_self(struct usage *u);
void usage_read_pid(struct usage *u, int pid);

#endif
