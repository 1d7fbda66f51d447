// SPDX-License-Identifier: GPL-2.0
#include "telemetry.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cleanup.h"

static uint64_t thread_cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

void gap_longer(struct gap *gap, const struct gap *other)
{
	if (other->ns > gap->ns)
		*gap = *other;
}

struct gap gap_within(const struct start_line *line, uint32_t phase, const struct gap *gap)
{
	uint64_t from = gap->at_ns, to = gap->at_ns + gap->ns, start, end;

	if (!line->windows)
		return *gap;
	start = atomic_load(&line->windows[phase].start_ns);
	end = atomic_load(&line->windows[phase].end_ns);
	from = from > start ? from : start;
	to = end && end < to ? end : to;
	if (!start || to <= from)
		return (struct gap){};
	return (struct gap){.ns = to - from, .at_ns = from, .cpu = gap->cpu};
}

void record_gap(struct record *r, const struct start_line *line, uint64_t from, uint64_t to,
		int cpu)
{
	struct gap gap = {.ns = to > from ? to - from : 0, .at_ns = from, .cpu = cpu}, within;
	struct tally *t = &r->tallies[r->filling];

	within = gap_within(line, t->phase, &gap);
	gap_longer(&r->gap, &gap);
	gap_longer(&t->gap, &within);
}

void telemetry_gap(struct worker *w, uint64_t now, uint32_t cpu)
{
	record_gap(w->rec, w->line, atomic_load_explicit(&w->rec->last_ns, memory_order_relaxed),
		   now, cpu);
}

static void tally_cpu(struct worker *w, uint32_t cpu)
{
	const uint32_t bits = 8 * sizeof(*w->tally->cpus);

	if (cpu / bits < w->rec->cpu_words)
		w->tally->cpus[cpu / bits] |= 1UL << cpu % bits;
}

void telemetry_cpu(struct worker *w, uint32_t cpu)
{
	w->tally->migrations++;
	w->cpu = cpu;
	tally_cpu(w, cpu);
	w->outside = w->allowed.confined && !cpuset_has(&w->allowed.cpus, cpu);
}

void telemetry_allowed(struct worker *w)
{
	/* What is being copied while it changes is copied again. */
	do {
		w->changes = atomic_load(&w->rec->changes);
		w->allowed = w->rec->allowed[w->changes & 1];
	} while (atomic_load(&w->rec->changes) != w->changes);
	/* The CPU number of the checkpoint may be older than the change. */
	w->outside = w->allowed.confined && !cpuset_has(&w->allowed.cpus, cpu_now());
}

void record_allow(struct record *r, const struct cpuset *cpus)
{
	uint32_t next = atomic_load(&r->changes) + 1;
	struct allowed *a = &r->allowed[next & 1];

	a->confined = cpus;
	if (cpus)
		a->cpus = *cpus;
	atomic_store(&r->changes, next);
}

/* The CPU time up to here belongs to the phase that ends. */
static void tally_close(struct worker *w)
{
	uint64_t cpu_ns = thread_cpu_ns();

	w->tally->cpu_ns += cpu_ns - w->cpu_mark_ns;
	w->cpu_mark_ns = cpu_ns;
}

/*
 * Take the tally for @phase. There is a free one: the parent takes the full ones at each step's
 * end, and between two such moments the worker fills one up.
 */
static void tally_open(struct worker *w, uint32_t phase)
{
	struct record *r = w->rec;
	uint32_t i;

	w->phase = phase;
	r->filling = 0;
	for (i = 1; phase && i < r->n_tallies; i++) {
		struct tally *t = &r->tallies[i];

		if (atomic_load_explicit(&t->state, memory_order_acquire) != TALLY_FREE)
			continue;
		t->phase = phase;
		atomic_store_explicit(&t->state, TALLY_FILLING, memory_order_relaxed);
		r->filling = i;
		break;
	}
	w->tally = &r->tallies[r->filling];
}

/* Go on to the phase that has come; the gap [@from, @to) reaches into it. */
static void phase_change(struct worker *w, uint64_t from, uint64_t to, int cpu)
{
	struct tally *old = w->tally;

	tally_close(w);
	tally_open(w, atomic_load(&w->line->phase));
	if (to > from)
		w->tally->reach = (struct gap){.ns = to - from, .at_ns = from, .cpu = cpu};
	record_gap(w->rec, w->line, from, to, cpu);
	tally_cpu(w, w->cpu);
	if (old != w->rec->tallies)
		atomic_store_explicit(&old->state, TALLY_FULL, memory_order_release);
}

void telemetry_phase(struct worker *w, uint64_t now, uint32_t cpu)
{
	phase_change(w, atomic_load_explicit(&w->rec->last_ns, memory_order_relaxed), now, cpu);
}

void worker_gap(struct worker *w, uint64_t from, uint64_t to, int cpu)
{
	record_gap(w->rec, w->line, from, to, cpu);
	if (atomic_load(&w->line->phase) != w->phase)
		phase_change(w, from, to, cpu);
}

void worker_wait_begin(struct worker *w, uint64_t due_ns)
{
	/* Whoever learns of the wait learns it later, and with it this. */
	atomic_store_explicit(&w->rec->due_ns, due_ns, memory_order_release);
}

bool worker_wait_end(struct worker *w, bool woken)
{
	struct record *r = w->rec;
	uint64_t now = worker_now(w);
	/* A waker that marks it right now is too late, and its mark is lost or refused. */
	uint64_t due = atomic_load_explicit(&r->due_ns, memory_order_acquire);

	atomic_store_explicit(&r->due_ns, DUE_RUNNING, memory_order_relaxed);
	if (due > now) /* interrupted, or nobody said that it is due */
		due = now;
	else if (woken && w->rec->wake)
		histogram_add(w->rec->wake, now - due);
	if (due > atomic_load_explicit(&r->last_ns, memory_order_relaxed))
		atomic_store_explicit(&r->last_ns, due, memory_order_relaxed);
	return worker_checkpoint_at(w, 0, now);
}

void record_wake_at(struct record *peer, uint64_t ns)
{
	uint64_t unknown = DUE_UNKNOWN;

	atomic_compare_exchange_strong(&peer->due_ns, &unknown, ns);
}

void record_wake(struct worker *w, struct record *peer)
{
	record_wake_at(peer, worker_now(w));
}

/* Returns whether nothing interrupted it; the wait is to be ended. */
static bool sleep_until(struct worker *w, uint64_t until_ns)
{
	uint64_t stop = atomic_load(&w->rec->stop_ns);
	uint64_t due = until_ns < stop ? until_ns : stop;
	struct timespec ts = {.tv_sec = due / NSEC_PER_SEC, .tv_nsec = due % NSEC_PER_SEC};

	worker_wait_begin(w, due);
	worker_checkpoint(w, 0);
	return !clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

bool worker_sleep_until(struct worker *w, uint64_t until_ns)
{
	return worker_wait_end(w, sleep_until(w, until_ns));
}

bool worker_pause_until(struct worker *w, uint64_t until_ns)
{
	sleep_until(w, until_ns);
	return worker_wait_end(w, false);
}

void worker_measure_begin(struct worker *w)
{
	w->cpu = cpu_now();
	tally_cpu(w, w->cpu);
	telemetry_allowed(w);
	worker_checkpoint(w, 0);
}

void worker_measure_end(struct worker *w)
{
	struct record *r = w->rec;

	tally_close(w);
	r->end_ns = worker_now(w);
	usage_read_self(&r->after);
	/* Threads have their memory in common: the first of them tells of it. */
	if (!w->index || gettid() == getpid())
		numa_pages_count(&r->pages);
	if (r->pages_migrated >= 0)
		r->pages_migrated = numa_pages_migrated() - r->pages_migrated;
	atomic_store(&r->state, RECORD_DONE);
}

/* "cpu_ns run_delay_ns timeslices" (Documentation/scheduler/sched-stats.rst). */
static void schedstat_read(const char *path, struct usage *u)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buf[96], *p = buf;
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);

	u->schedstat_known = n > 0;
	if (n <= 0)
		return;
	buf[n] = '\0';
	u->cpu_ns = strtoull(p, &p, 10);
	u->run_delay_ns = strtoull(p, &p, 10);
	u->timeslices = strtoull(p, &p, 10);
}

void usage_read_self(struct usage *u)
{
	struct rusage ru;

	getrusage(RUSAGE_THREAD, &ru);
	u->voluntary_switches = ru.ru_nvcsw;
	u->involuntary_switches = ru.ru_nivcsw;
	usage_read_pid(u, gettid()); /* not by thread-self: threads would meet in one directory */
}

void usage_read_pid(struct usage *u, int pid)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	schedstat_read(path, u);
}
