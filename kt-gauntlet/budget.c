// SPDX-License-Identifier: GPL-2.0
#include "budget.h"

#include <stdbool.h>
#include <stdlib.h>

#include "cleanup.h"
#include "diag.h"

static const enum dim featured[] = {DIM_TOPOLOGY, DIM_SUBJECT, DIM_KERNEL, DIM_WORK};

/* How many uncovered features each value of a dimension has, counted when it is asked for. */
struct gains {
	uint32_t *gain, *epoch; /* epoch: the choice after which it was counted; 0: never */
};

struct chooser {
	struct matrix *m;
	const struct candidates *c;
	bool *covered; /* by feature */
	struct gains gains[DIMS];
	uint32_t epoch[DIMS]; /* goes up when a feature of the dimension becomes covered */
};

/* A candidate's place in the queue: what it was worth when that was last counted. */
struct entry {
	uint32_t candidate, gain;
	uint64_t ns;
};

static uint32_t value_gain(struct chooser *ch, enum dim d, size_t value)
{
	uint32_t ids[FEATURES_VALUE_MAX], gain = 0;
	struct gains *g = &ch->gains[d];
	size_t n, i;

	if (g->epoch[value] == ch->epoch[d])
		return g->gain[value];
	n = features_of(ch->m, d, value, ids);
	for (i = 0; i < n; i++)
		gain += !ch->covered[ids[i]];
	g->gain[value] = gain;
	g->epoch[value] = ch->epoch[d];
	return gain;
}

static uint32_t candidate_gain(struct chooser *ch, size_t candidate)
{
	struct variant v;
	uint32_t gain = 0;
	size_t i;

	matrix_decode(ch->m, ch->c->rows[candidate].index, &v);
	for (i = 0; i < ARRAY_SIZE(featured); i++)
		gain += value_gain(ch, featured[i], v.at[featured[i]]);
	return gain;
}

static void candidate_cover(struct chooser *ch, size_t candidate)
{
	uint32_t ids[FEATURES_VALUE_MAX];
	struct variant v;
	size_t i, k, n;

	matrix_decode(ch->m, ch->c->rows[candidate].index, &v);
	for (i = 0; i < ARRAY_SIZE(featured); i++) {
		enum dim d = featured[i];

		if (!value_gain(ch, d, v.at[d]))
			continue;
		ch->epoch[d]++;
		n = features_of(ch->m, d, v.at[d], ids);
		for (k = 0; k < n; k++)
			ch->covered[ids[k]] = true;
	}
}

/* Is @a to be taken before @b? More features per time, then the order of the matrix. */
static bool before(const struct entry *a, const struct entry *b)
{
	unsigned __int128 x = (unsigned __int128)a->gain * b->ns;
	unsigned __int128 y = (unsigned __int128)b->gain * a->ns;

	return x != y ? x > y : a->candidate < b->candidate;
}

static void sift_down(struct entry *heap, size_t n, size_t at)
{
	struct entry moved = heap[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= n)
			break;
		if (child + 1 < n && before(&heap[child + 1], &heap[child]))
			child++;
		if (!before(&heap[child], &moved))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moved;
}

static struct entry *heap_make(struct chooser *ch, uint64_t budget_ns, size_t *n)
{
	struct entry *heap = xcalloc(ch->c->n + 1, sizeof(*heap));
	size_t i;

	*n = 0;
	for (i = 0; i < ch->c->n; i++) {
		const struct candidate *row = &ch->c->rows[i];

		if (row->ns <= budget_ns)
			heap[(*n)++] = (struct entry){i, candidate_gain(ch, i), row->ns};
	}
	for (i = *n / 2; i-- > 0;)
		sift_down(heap, *n, i);
	return heap;
}

/* The candidate with the most features, of those the cheapest, that fits. */
static const struct entry *single_best(const struct entry *heap, size_t n)
{
	const struct entry *best = heap;
	size_t i;

	for (i = 1; i < n; i++) {
		const struct entry *e = &heap[i];

		if (e->gain != best->gain ? e->gain > best->gain
		    : e->ns != best->ns	  ? e->ns < best->ns
					  : e->candidate < best->candidate)
			best = e;
	}
	return best;
}

/*
 * What a candidate is worth only falls as others are taken. So the one at the head of the queue is
 * counted anew, and if it still stands at the head, it is the best: the rest need no counting.
 */
static size_t greedy(struct chooser *ch, struct entry *heap, size_t n, uint64_t left,
		     uint32_t *taken)
{
	size_t n_taken = 0;

	while (n) {
		uint32_t gain = candidate_gain(ch, heap->candidate);

		if (gain && gain == heap->gain && heap->ns <= left) {
			taken[n_taken++] = heap->candidate;
			left -= heap->ns;
			candidate_cover(ch, heap->candidate);
			gain = 0;
		}
		heap->gain = gain;
		if (!gain || heap->ns > left)
			*heap = heap[--n]; /* never again: the time left only falls as well */
		sift_down(heap, n, 0);
	}
	return n_taken;
}

static void chooser_init(struct chooser *ch, struct matrix *m, const struct candidates *c)
{
	size_t i;

	*ch = (struct chooser){.m = m, .c = c, .covered = xcalloc(features_end(m), 1)};
	for (i = 0; i < ARRAY_SIZE(featured); i++) {
		enum dim d = featured[i];
		size_t n = m->dims[d].n;

		ch->gains[d].gain = xcalloc(n, sizeof(uint32_t));
		ch->gains[d].epoch = xcalloc(n, sizeof(uint32_t));
		ch->epoch[d] = 1;
	}
}

static void chooser_free(struct chooser *ch)
{
	size_t d;

	for (d = 0; d < DIMS; d++) {
		free(ch->gains[d].gain);
		free(ch->gains[d].epoch);
	}
	free(ch->covered);
}

static void classes_count(const struct chooser *ch, size_t *counts)
{
	size_t end = features_end(ch->m), i;

	for (i = 0; i < end; i++) {
		if (ch->covered[i])
			counts[feature_class_of(ch->m, i)]++;
	}
}

static size_t covered_count(const struct chooser *ch)
{
	size_t end = features_end(ch->m), n = 0, i;

	for (i = 0; i < end; i++)
		n += ch->covered[i];
	return n;
}

static void reachable_count(struct matrix *m, const struct candidates *c, struct coverage *cover)
{
	struct chooser all;
	size_t i;

	chooser_init(&all, m, c);
	for (i = 0; i < c->n; i++) {
		if (candidate_gain(&all, i))
			candidate_cover(&all, i);
		if (!i || c->rows[i].ns < cover->least_ns)
			cover->least_ns = c->rows[i].ns;
	}
	classes_count(&all, cover->reachable);
	chooser_free(&all);
}

static int index_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

void budget_choose(struct matrix *m, const struct candidates *c, uint64_t budget_ns,
		   struct picks *picks, struct coverage *cover)
{
	_cleanup_free_ uint32_t *taken = xcalloc(c->n + 1, sizeof(*taken));
	_cleanup_free_ struct entry *heap = NULL;
	struct entry single = {0};
	struct chooser ch;
	size_t fit, n, i;

	*cover = (struct coverage){0};
	reachable_count(m, c, cover);
	chooser_init(&ch, m, c);
	heap = heap_make(&ch, budget_ns, &fit);
	if (fit)
		single = *single_best(heap, fit);
	n = greedy(&ch, heap, fit, budget_ns, taken);
	if (single.gain > covered_count(&ch)) {
		chooser_free(&ch);
		chooser_init(&ch, m, c);
		candidate_cover(&ch, single.candidate);
		taken[0] = single.candidate;
		n = 1;
	}
	classes_count(&ch, cover->covered);
	chooser_free(&ch);
	*picks = (struct picks){xcalloc(n + 1, sizeof(*picks->index)), n};
	for (i = 0; i < n; i++) {
		picks->index[i] = c->rows[taken[i]].index;
		cover->ns += c->rows[taken[i]].ns;
		cover->recorded += c->rows[taken[i]].recorded;
	}
	qsort(picks->index, n, sizeof(*picks->index), index_compare);
}
