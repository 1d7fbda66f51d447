// SPDX-License-Identifier: GPL-2.0
#include "crew_steps.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"

/* In the file a step of a crew is its tallies, their words of CPUs, and what it has of latencies.
 */
static size_t latencies_length(const struct crew *crew)
{
	return crew->def->workers * sizeof(struct latency) + sizeof(struct histogram);
}

static size_t cpus_length(const struct crew *crew)
{
	return crew->members[0].rec->cpu_words * sizeof(unsigned long);
}

static size_t tallies_length(const struct crew *crew)
{
	return crew->def->workers * (sizeof(struct tally) + cpus_length(crew));
}

static size_t step_length(const struct crew *crew)
{
	const struct work_type *type = crew->def->work.type;

	return tallies_length(crew) + (type->blocks + type->requests) * latencies_length(crew);
}

static off_t step_at(const struct crew *crew, size_t step)
{
	return crew->steps_at + (off_t)((step - 1) * step_length(crew));
}

static off_t request_at(const struct crew *crew, size_t step)
{
	return step_at(crew, step) + tallies_length(crew) +
	       crew->def->work.type->blocks * latencies_length(crew);
}

void crew_steps_init(struct crew *crew, struct spill *s)
{
	crew->spill = s;
	if (crew->def->workers && crew->line->n_windows > 1)
		crew->steps_at = spill_reserve(s, (crew->line->n_windows - 1) * step_length(crew));
}

static int tally_write(const struct crew *crew, uint32_t index, const struct tally *t)
{
	off_t at = step_at(crew, t->phase);
	size_t cpus = cpus_length(crew);
	int ret;

	ret = spill_write(crew->spill, at + index * sizeof(*t), t, sizeof(*t));
	if (ret)
		return ret;
	at += crew->def->workers * sizeof(*t);
	return spill_write(crew->spill, at + index * cpus, t->cpus, cpus);
}

/* The steps before @end that the worker did not see, as it lay in the gap @reach or slept. */
static int skipped_write(struct member *m, uint32_t end, const struct gap *reach)
{
	_cleanup_free_ unsigned long *cpus = xcalloc(1, cpus_length(m->crew));
	int ret = 0;

	for (; m->taken + 1 < end && !ret; m->taken++) {
		struct tally t = {.phase = m->taken + 1, .cpus = cpus};

		t.gap = gap_within(m->crew->line, t.phase, reach);
		if (t.gap.ns)
			ret = tally_write(m->crew, m->index, &t);
	}
	return ret;
}

static int tally_take(struct member *m, struct tally *t)
{
	unsigned long *cpus = t->cpus;
	size_t i, words = m->rec->cpu_words;
	int ret;

	ret = skipped_write(m, t->phase, &t->reach);
	if (!ret)
		ret = tally_write(m->crew, m->index, t);
	m->taken = t->phase;
	m->kept.units += t->units;
	m->kept.iterations += t->iterations;
	m->kept.migrations += t->migrations;
	m->kept.violations += t->violations;
	m->kept.cpu_ns += t->cpu_ns;
	for (i = 0; i < words; i++)
		m->kept_cpus.bits[i] |= cpus[i];
	memset(cpus, 0, words * sizeof(*cpus));
	/* Free last of all: from then on it is the worker's again. */
	memset(t, 0, offsetof(struct tally, state));
	atomic_store_explicit(&t->state, TALLY_FREE, memory_order_release);
	return ret;
}

/* The earliest of the tallies that the worker is through with, or NULL. */
static struct tally *tally_next(const struct member *m)
{
	bool ended = atomic_load(&m->rec->state) == RECORD_DONE || m->complete;
	struct tally *next = NULL;
	uint32_t i;

	for (i = 1; i < m->rec->n_tallies; i++) {
		struct tally *t = &m->rec->tallies[i];
		uint32_t state = atomic_load_explicit(&t->state, memory_order_acquire);

		if (state == TALLY_FULL || (state == TALLY_FILLING && ended))
			next = next && next->phase < t->phase ? next : t;
	}
	return next;
}

static int tallies_take(struct crew *crew)
{
	uint32_t i;
	int ret = 0;

	for (i = 0; i < crew->def->workers && !ret; i++) {
		struct member *m = &crew->members[i];
		struct tally *t;

		while (!ret && (t = tally_next(m)))
			ret = tally_take(m, t);
		if (m->complete && !ret)
			ret = skipped_write(m, crew->line->n_windows, &m->reach);
	}
	return ret;
}

/* The crew's histograms of one kind. Caller frees. */
static struct histogram **histograms(const struct crew *crew, bool requests)
{
	struct histogram **list = xcalloc(crew->def->workers, sizeof(*list));
	uint32_t i;

	for (i = 0; i < crew->def->workers; i++)
		list[i] = requests ? crew->members[i].rec->request : crew->members[i].rec->wake;
	return list;
}

static int latencies_keep(struct crew *crew, bool requests, size_t step)
{
	_cleanup_free_ struct histogram **of = histograms(crew, requests);
	_cleanup_free_ char *kept = xcalloc(1, latencies_length(crew));
	size_t n = crew->def->workers;

	latencies_take(requests ? &crew->request : &crew->wake, of, n, (struct latency *)kept,
		       (struct histogram *)(kept + n * sizeof(struct latency)));
	return spill_write(crew->spill,
			   requests ? request_at(crew, step)
				    : step_at(crew, step) + (off_t)tallies_length(crew),
			   kept, latencies_length(crew));
}

void crew_step_begin(struct crew *crew)
{
	const struct work_type *type = crew->def->work.type;
	_cleanup_free_ struct histogram **wake = NULL, **request = NULL;

	if (!crew->def->workers)
		return;
	crew->in_step = true;
	if (type->blocks) {
		wake = histograms(crew, false);
		latencies_mark(&crew->wake, wake, crew->def->workers);
	}
	if (type->requests) {
		request = histograms(crew, true);
		latencies_mark(&crew->request, request, crew->def->workers);
	}
}

int crew_step_end(struct crew *crew, size_t step)
{
	const struct work_type *type = crew->def->work.type;
	int ret;

	if (!crew->def->workers)
		return 0;
	ret = tallies_take(crew);
	if (!crew->in_step)
		return ret;
	crew->in_step = false;
	if (!ret && type->blocks)
		ret = latencies_keep(crew, false, step);
	if (!ret && type->requests)
		ret = latencies_keep(crew, true, step);
	return ret;
}

static int latencies_load(const struct crew *crew, off_t at, struct latency **each,
			  struct histogram **all)
{
	size_t length = crew->def->workers * sizeof(**each);
	int ret;

	*each = xcalloc(crew->def->workers, sizeof(**each));
	*all = xcalloc(1, sizeof(**all));
	ret = spill_read(crew->spill, at, *each, length);
	return ret ? ret : spill_read(crew->spill, at + (off_t)length, *all, sizeof(**all));
}

int crew_step_load(const struct crew *crew, size_t step, struct crew_step *cs)
{
	const struct work_type *type = crew->def->work.type;
	size_t n = crew->def->workers, words = n ? crew->members[0].rec->cpu_words : 0, i;
	int ret;

	*cs = (struct crew_step){};
	if (!n)
		return 0;
	cs->tallies = xcalloc(n, sizeof(*cs->tallies));
	cs->cpus = xcalloc(n, cpus_length(crew));
	ret = spill_read(crew->spill, step_at(crew, step), cs->tallies, n * sizeof(*cs->tallies));
	if (!ret)
		ret = spill_read(crew->spill,
				 step_at(crew, step) + (off_t)(n * sizeof(*cs->tallies)), cs->cpus,
				 n * cpus_length(crew));
	for (i = 0; i < n; i++)
		cs->tallies[i].cpus = cs->cpus + i * words;
	if (!ret && type->blocks)
		ret = latencies_load(crew, step_at(crew, step) + (off_t)tallies_length(crew),
				     &cs->wake, &cs->all_wake);
	if (!ret && type->requests)
		ret = latencies_load(crew, request_at(crew, step), &cs->request, &cs->all_request);
	return ret;
}

void crew_step_free(struct crew_step *cs)
{
	free(cs->tallies);
	free(cs->cpus);
	free(cs->wake);
	free(cs->request);
	free(cs->all_wake);
	free(cs->all_request);
	*cs = (struct crew_step){};
}
