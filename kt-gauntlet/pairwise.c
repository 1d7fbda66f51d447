// SPDX-License-Identifier: GPL-2.0
#include "pairwise.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"

#define PAIRS_MAX   (1ULL << 30)
#define FACTORS_MAX 512

/* A dimension, or a flag of one scheduler. */
struct factor {
	enum { DIMENSION, PROFILE, SCHED, FLAG } kind;
	enum dim dim;
	size_t sched, flag;
	size_t levels; /* how many values it has */
};

struct pairs {
	struct matrix *m;
	uint32_t *profile; /* by value of DIM_SUBJECT: which profile it has */
	struct factor factors[FACTORS_MAX];
	size_t n_factors;
	uint64_t *start; /* by pair of factors: where their pairs of values begin */
	size_t n;	 /* pairs of factors, and so of values of one candidate */
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

static int factor_add(struct pairs *p, struct factor f)
{
	if (p->n_factors == FACTORS_MAX)
		return -E2BIG;
	if (f.kind == DIMENSION)
		f.levels = p->m->dims[f.dim].n;
	p->factors[p->n_factors++] = f;
	return 0;
}

/* Levels of a flag: off, on, and not there, for other schedulers. */
static int flag_factors_add(struct pairs *p)
{
	const struct dimension *d = &p->m->dims[DIM_SUBJECT];
	size_t i, k;
	int err = 0;

	for (i = 0; i < d->n; i++) {
		const struct subject *s = &d->values[i].subject;

		/* A scheduler's profiles follow one another. */
		if (!s->flags || (i && d->values[i - 1].subject.sched_index == s->sched_index))
			continue;
		for (k = 0; k < s->flags->n && !err; k++)
			err = factor_add(p,
					 (struct factor){FLAG, DIM_SUBJECT, s->sched_index, k, 3});
	}
	return err;
}

static int factors_make(struct pairs *p, enum pairwise_of of)
{
	static const enum dim plain[] = {DIM_TOPOLOGY, DIM_KERNEL, DIM_WORK, DIM_SEED};
	const struct dimension *d = &p->m->dims[DIM_SUBJECT];
	size_t scheds = d->values[d->n - 1].subject.sched_index + 1;
	size_t profiles = profiles_number(p->m, p->profile), i;

	for (i = 0; i < ARRAY_SIZE(plain); i++)
		factor_add(p, (struct factor){DIMENSION, plain[i]});
	factor_add(p, (struct factor){SCHED, .levels = scheds});
	if (of == PAIRWISE_FLAGS)
		return flag_factors_add(p);
	return factor_add(p, (struct factor){PROFILE, .levels = profiles});
}

static int pairs_init(struct pairs *p, struct matrix *m, enum pairwise_of of)
{
	uint64_t end = 0, n;
	size_t a, b;
	int err;

	*p = (struct pairs){.m = m};
	p->profile = xcalloc(m->dims[DIM_SUBJECT].n, sizeof(*p->profile));
	err = factors_make(p, of);
	if (err)
		return err;
	p->start = xcalloc(p->n_factors * p->n_factors, sizeof(*p->start));
	for (a = 0; a < p->n_factors; a++) {
		for (b = a + 1; b < p->n_factors; b++) {
			p->start[p->n++] = end;
			if (__builtin_mul_overflow(p->factors[a].levels, p->factors[b].levels,
						   &n) ||
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
	free(p->start);
	free(p->covered);
}

static size_t level_of(const struct pairs *p, const struct factor *f, const struct variant *v)
{
	size_t at = v->at[DIM_SUBJECT];
	const struct subject *s = &p->m->dims[DIM_SUBJECT].values[at].subject;

	switch (f->kind) {
	case PROFILE:
		return p->profile[at];
	case SCHED:
		return s->sched_index;
	case FLAG:
		return s->sched_index == f->sched ? s->mask >> f->flag & 1 : 2;
	default:
		return v->at[f->dim];
	}
}

/* The numbers of the pairs that a candidate has, to @out with room for p->n. */
static void pairs_of(const struct pairs *p, const struct candidate *c, uint64_t *out)
{
	size_t level[FACTORS_MAX], a, b, k = 0;
	struct variant v;

	matrix_decode(p->m, c->index, &v);
	for (a = 0; a < p->n_factors; a++)
		level[a] = level_of(p, &p->factors[a], &v);
	for (a = 0; a < p->n_factors; a++) {
		for (b = a + 1; b < p->n_factors; b++, k++)
			out[k] = p->start[k] + level[a] * p->factors[b].levels + level[b];
	}
}

/* All pairs that there are, and the least number of variants that can have them. */
static void size_count(struct pairs *p, const struct candidates *c, uint64_t *pairs,
		       struct pairwise_size *size)
{
	_cleanup_free_ size_t *by_factors = xcalloc(p->n, sizeof(*by_factors));
	size_t a, b, i, k;

	*size = (struct pairwise_size){0};
	for (i = 0; i < c->n; i++) {
		pairs_of(p, &c->rows[i], pairs);
		for (k = 0; k < p->n; k++) {
			by_factors[k] += !p->covered[pairs[k]];
			p->covered[pairs[k]] = true;
		}
	}
	for (i = 0; i < c->n; i++) {
		pairs_of(p, &c->rows[i], pairs);
		for (k = 0; k < p->n; k++)
			p->covered[pairs[k]] = false;
	}
	for (a = 0, k = 0; a < p->n_factors; a++) {
		for (b = a + 1; b < p->n_factors; b++, k++) {
			if (p->factors[a].levels > 1 && p->factors[b].levels > 1)
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

/* What is left to choose from: a candidate, and how many new pairs it had when last counted. */
struct entry {
	uint32_t candidate, gain;
};

static struct entry *entries_make(const struct pairs *p, const struct candidates *c)
{
	struct entry *entries = xcalloc(c->n + 1, sizeof(*entries));
	size_t stride = stride_for(c->n), at = 0, i;

	for (i = 0; i < c->n; i++, at = (at + stride) % c->n)
		entries[i] = (struct entry){at, p->n};
	return entries;
}

static uint32_t gain_of(const struct pairs *p, const uint64_t *pairs)
{
	uint32_t gain = 0;
	size_t k;

	for (k = 0; k < p->n; k++)
		gain += !p->covered[pairs[k]];
	return gain;
}

/*
 * Greedy: always a candidate with the most new pairs. That number only falls, so one pass for each
 * number takes all that have it when their turn comes, and counts none anew that had fewer already.
 * Those with none are dropped.
 */
static size_t passes(struct pairs *p, const struct candidates *c, uint64_t *pairs, uint64_t *taken)
{
	_cleanup_free_ struct entry *left = entries_make(p, c);
	size_t n_left = c->n, n_taken = 0, want, i, k;

	for (want = p->n; want > 0; want--) {
		size_t kept = 0;

		for (i = 0; i < n_left; i++) {
			struct entry e = left[i];

			if (e.gain >= want) {
				pairs_of(p, &c->rows[e.candidate], pairs);
				e.gain = gain_of(p, pairs);
			}
			if (e.gain >= want) {
				taken[n_taken++] = c->rows[e.candidate].index;
				for (k = 0; k < p->n; k++)
					p->covered[pairs[k]] = true;
			} else if (e.gain) {
				left[kept++] = e;
			}
		}
		n_left = kept;
	}
	return n_taken;
}

int pairwise_choose(struct matrix *m, const struct candidates *c, enum pairwise_of of,
		    struct picks *picks, struct pairwise_size *size)
{
	_cleanup_free_ uint64_t *pairs = NULL;
	struct pairs p;
	int err;

	err = pairs_init(&p, m, of);
	if (!err) {
		pairs = xcalloc(p.n, sizeof(*pairs));
		size_count(&p, c, pairs, size);
		picks->index = xcalloc(c->n + 1, sizeof(*picks->index));
		picks->n = passes(&p, c, pairs, picks->index);
		qsort(picks->index, picks->n, sizeof(*picks->index), index_compare);
	}
	pairs_free(&p);
	return err;
}
