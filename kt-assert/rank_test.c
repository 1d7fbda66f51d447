// SPDX-License-Identifier: GPL-2.0
#include "rank_test.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"

/* Differences whose median is taken. */
#define PAIRS_MAX 1000000

struct ranked {
	double v;
	bool in_y;
	size_t rank2; /* twice the rank from 1, so that a mean rank is whole */
};

static int by_value(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return (x->v > y->v) - (x->v < y->v);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Rank all; returns the sum of t^3 - t over the groups of t equal values. */
static double rank_all(struct ranked *all, size_t n)
{
	double ties = 0;
	size_t i, k;

	qsort(all, n, sizeof(*all), by_value);
	for (i = 0; i < n; i = k) {
		double t;

		for (k = i; k < n && all[k].v == all[i].v; k++)
			;
		t = k - i;
		ties += t * t * t - t;
		for (size_t j = i; j < k; j++)
			all[j].rank2 = i + 1 + k;
	}
	return ties;
}

/*
 * The share of all choices of @m of the @n ranks whose (doubled) sum is at least @sum, and that of
 * those at least @most. ways[k * size + s] counts the choices of k ranks with the sum s.
 */
static void exact_shares(const struct ranked *all, size_t n, size_t m, size_t sum, size_t most,
			 double *p, double *least)
{
	size_t size = most + 1, i, k, s;
	_cleanup_free_ double *ways = xcalloc((m + 1) * size, sizeof(*ways));
	double total = 0, above = 0;

	ways[0] = 1;
	for (i = 0; i < n; i++) {
		size_t rank = all[i].rank2;

		for (k = i + 1 < m ? i + 1 : m; k > 0; k--) {
			double *to = ways + k * size, *from = ways + (k - 1) * size;

			for (s = size; s-- > rank;)
				to[s] += from[s - rank];
		}
	}
	for (s = 0; s < size; s++) {
		total += ways[m * size + s];
		if (s >= sum)
			above += ways[m * size + s];
	}
	*p = above / total;
	*least = ways[m * size + most] / total;
}

static double normal_share(double sum, double mean, double deviation)
{
	if (deviation <= 0)
		return 1;
	return 0.5 * erfc((sum - mean - 0.5) / deviation / sqrt(2));
}

double rank_test(const double *x, size_t n, const double *y, size_t m, double *least)
{
	_cleanup_free_ struct ranked *all = xcalloc(n + m, sizeof(*all));
	size_t sum = 0, most = 0, i;
	double ties, mean, deviation, p, total = n + m;

	for (i = 0; i < n + m; i++)
		all[i] = (struct ranked){i < n ? x[i] : y[i - n], i >= n, 0};
	ties = rank_all(all, n + m);
	for (i = 0; i < n + m; i++) {
		sum += all[i].in_y ? all[i].rank2 : 0;
		most += i >= n ? all[i].rank2 : 0;
	}
	if (n + m <= RANK_TEST_EXACT_MAX) {
		exact_shares(all, n + m, m, sum, most, &p, least);
		return p;
	}
	mean = m * (total + 1) / 2;
	deviation = sqrt(n * (m / 12.0) * (total + 1 - ties / (total * (total - 1))));
	*least = normal_share(most / 2.0, mean, deviation);
	return normal_share(sum / 2.0, mean, deviation);
}

double median(const double *v, size_t n)
{
	_cleanup_free_ double *sorted = xcalloc(n, sizeof(*sorted));

	memcpy(sorted, v, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_size);
	return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

double shift_estimate(const double *x, size_t n, const double *y, size_t m)
{
	_cleanup_free_ double *pairs = NULL;
	size_t i, k, used = 0;

	/* So many are no longer uncertain: the medians will do. */
	if (m > PAIRS_MAX / n)
		return median(y, m) - median(x, n);
	pairs = xcalloc(n * m, sizeof(*pairs));
	for (i = 0; i < n; i++) {
		for (k = 0; k < m; k++)
			pairs[used++] = y[k] - x[i];
	}
	return median(pairs, used);
}

struct indexed {
	double p;
	size_t at;
};

static int by_p(const void *a, const void *b)
{
	const struct indexed *x = a, *y = b;

	return (x->p > y->p) - (x->p < y->p);
}

void holm_adjust(double *p, size_t n)
{
	_cleanup_free_ struct indexed *sorted = xcalloc(n + 1, sizeof(*sorted));
	double worst = 0;
	size_t i;

	for (i = 0; i < n; i++)
		sorted[i] = (struct indexed){p[i], i};
	qsort(sorted, n, sizeof(*sorted), by_p);
	for (i = 0; i < n; i++) {
		worst = fmax(worst, fmin(1, (n - i) * sorted[i].p));
		p[sorted[i].at] = worst;
	}
}
