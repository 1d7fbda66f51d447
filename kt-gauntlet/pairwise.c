// SPDX-License-Identifier: GPL-2.0
#include "pairwise.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"

#define FACTORS		 6
#define PAIRS_OF_FACTORS (FACTORS * (FACTORS - 1) / 2)
#define PAIRS_MAX	 (1ULL << 30)

struct pairs {
	struct matrix *m;
	uint32_t *profile;	/* by value of DIM_SUBJECT: which profile it has */
	size_t levels[FACTORS]; /* how many values a factor has */
	uint64_t start[PAIRS_OF_FACTORS];
	bool *covered;
};

static int subject_compare(const void *a, const void *b)
{
	const struct value *x = *(const struct value *const *)a;
	const struct value *y = *(const struct value *const *)b;

	return strcmp(x->part[0].raw, y->part[0].raw);
}

/* Number the profiles by their names: schedulers may have profiles in common. */
static size_t profiles_number(struct matrix *m, uint32_t *profile)
{
	const struct dimension *d = &m->dims[DIM_SUBJECT];
	_cleanup_free_ const struct value **sorted = xcalloc(d->n, sizeof(const struct value *));
	uint32_t number = 0;
	size_t i;

	for (i = 0; i < d->n; i++)
		sorted[i] = &d->values[i];
	qsort(sorted, d->n, sizeof(*sorted), subject_compare);
	for (i = 0; i < d->n; i++) {
		if (i && subject_compare(&sorted[i - 1], &sorted[i]))
			number++;
		profile[sorted[i] - d->values] = number;
	}
	return number + 1;
}

static int pairs_init(struct pairs *p, struct matrix *m)
{
	const struct dimension *d = m->dims;
	uint64_t end = 0;
	size_t a, b, k = 0;

	*p = (struct pairs){.m = m};
	p->profile = xcalloc(d[DIM_SUBJECT].n, sizeof(*p->profile));
	p->levels[0] = d[DIM_TOPOLOGY].n;
	p->levels[1] = profiles_number(m, p->profile);
	p->levels[2] = d[DIM_SUBJECT].values[d[DIM_SUBJECT].n - 1].subject.sched_index + 1;
	p->levels[3] = d[DIM_KERNEL].n;
	p->levels[4] = d[DIM_WORK].n;
	p->levels[5] = d[DIM_SEED].n;
	for (a = 0; a < FACTORS; a++) {
		for (b = a + 1; b < FACTORS; b++) {
			uint64_t n;

			p->start[k++] = end;
			if (__builtin_mul_overflow(p->levels[a], p->levels[b], &n) ||
			    n > PAIRS_MAX || end + n > PAIRS_MAX)
				return -E2BIG;
			end += n;
		}
	}
	p->covered = xcalloc(end, sizeof(*p->covered));
	return 0;
}

static void pairs_free(struct pairs *p)
{
	free(p->profile);
	free(p->covered);
}

/* The numbers of the pairs that a candidate has, to @out. */
static void pairs_of(const struct pairs *p, const struct candidate *c, uint64_t *out)
{
	size_t level[FACTORS], a, b, k = 0;
	struct variant v;

	matrix_decode(p->m, c->index, &v);
	level[0] = v.at[DIM_TOPOLOGY];
	level[1] = p->profile[v.at[DIM_SUBJECT]];
	level[2] = p->m->dims[DIM_SUBJECT].values[v.at[DIM_SUBJECT]].subject.sched_index;
	level[3] = v.at[DIM_KERNEL];
	level[4] = v.at[DIM_WORK];
	level[5] = v.at[DIM_SEED];
	for (a = 0; a < FACTORS; a++) {
		for (b = a + 1; b < FACTORS; b++, k++)
			out[k] = p->start[k] + level[a] * p->levels[b] + level[b];
	}
}

static int gain_of(const struct pairs *p, const uint64_t *pairs)
{
	int gain = 0, k;

	for (k = 0; k < PAIRS_OF_FACTORS; k++)
		gain += !p->covered[pairs[k]];
	return gain;
}

/* All pairs that there are, and the least number of variants that can have them. */
static void size_count(struct pairs *p, const struct candidates *c, struct pairwise_size *size)
{
	size_t by_factors[PAIRS_OF_FACTORS] = {0}, a, b, i, k;

	*size = (struct pairwise_size){0};
	for (i = 0; i < c->n; i++) {
		uint64_t pairs[PAIRS_OF_FACTORS];

		pairs_of(p, &c->rows[i], pairs);
		for (k = 0; k < PAIRS_OF_FACTORS; k++) {
			by_factors[k] += !p->covered[pairs[k]];
			p->covered[pairs[k]] = true;
		}
	}
	for (i = 0; i < c->n; i++) {
		uint64_t pairs[PAIRS_OF_FACTORS];

		pairs_of(p, &c->rows[i], pairs);
		for (k = 0; k < PAIRS_OF_FACTORS; k++)
			p->covered[pairs[k]] = false;
	}
	for (a = 0, k = 0; a < FACTORS; a++) {
		for (b = a + 1; b < FACTORS; b++, k++) {
			if (p->levels[a] > 1 && p->levels[b] > 1)
				size->pairs += by_factors[k];
			if (by_factors[k] > size->least)
				size->least = by_factors[k];
		}
	}
}

static size_t gcd(size_t a, size_t b)
{
	return b ? gcd(b, a % b) : a;
}

/*
 * A step through @n candidates that meets each once, and far-off ones after one another: neighbours
 * have most of their values, and so their pairs, in common.
 */
static size_t stride_for(size_t n)
{
	size_t stride = n * 0.6180339887;

	while (stride > 1 && gcd(stride, n) != 1)
		stride--;
	return stride ? stride : 1;
}

static int index_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/*
 * Greedy: always a candidate with the most new pairs. That number only falls, so one pass for each
 * number takes all that have it when their turn comes, and none is counted more often than there
 * are numbers. Those with none are dropped.
 */
static size_t passes(struct pairs *p, const struct candidates *c, uint64_t *taken)
{
	_cleanup_free_ uint32_t *left = xcalloc(c->n + 1, sizeof(*left));
	size_t n_left = c->n, n_taken = 0, stride = stride_for(c->n), at = 0, i;
	int want, k;

	for (i = 0; i < c->n; i++, at = (at + stride) % c->n)
		left[i] = at;
	for (want = PAIRS_OF_FACTORS; want > 0; want--) {
		size_t kept = 0;

		for (i = 0; i < n_left; i++) {
			uint64_t pairs[PAIRS_OF_FACTORS];
			int gain;

			pairs_of(p, &c->rows[left[i]], pairs);
			gain = gain_of(p, pairs);
			if (gain < want) {
				if (gain)
					left[kept++] = left[i];
				continue;
			}
			taken[n_taken++] = c->rows[left[i]].index;
			for (k = 0; k < PAIRS_OF_FACTORS; k++)
				p->covered[pairs[k]] = true;
		}
		n_left = kept;
	}
	return n_taken;
}

int pairwise_choose(struct matrix *m, const struct candidates *c, struct picks *picks,
		    struct pairwise_size *size)
{
	struct pairs p;
	int err;

	err = pairs_init(&p, m);
	if (!err) {
		size_count(&p, c, size);
		picks->index = xcalloc(c->n + 1, sizeof(*picks->index));
		picks->n = passes(&p, c, picks->index);
		qsort(picks->index, picks->n, sizeof(*picks->index), index_compare);
	}
	pairs_free(&p);
	return err;
}
