/* SPDX-License-Identifier: GPL-2.0 */
/* Two sets of samples: is one larger than the other, and by how much. Nothing is assumed of how
 * the values are distributed. */
#ifndef KT_ASSERT_RANK_TEST_H
#define KT_ASSERT_RANK_TEST_H

#include <stddef.h>

/* Up to so many samples in both sets together the test is exact. */
#define RANK_TEST_EXACT_MAX 60

/*
 * Mann and Whitney's test (1947), one-sided: the probability that, if all came from one
 * distribution, @y would rank at least as high among @x and @y as it does. Ties have their mean
 * rank, and the exact distribution is that of all ways to choose y's ranks from those, so it holds
 * with ties, too; beyond RANK_TEST_EXACT_MAX it is the normal one, with the corrections for ties
 * and continuity. *@least is the smallest such probability that the same values could have given:
 * that of the largest ones all being in @y. Both sets hold at least one value and no NaN.
 */
double rank_test(const double *x, size_t n, const double *y, size_t m, double *least);

/* Hodges and Lehmann's estimate (1963) of the shift: the median of all differences y - x. */
double shift_estimate(const double *x, size_t n, const double *y, size_t m);

double median(const double *v, size_t n);

/* Holm's correction (1979): replaces each of the @n probabilities by its adjusted one. */
void holm_adjust(double *p, size_t n);

#endif
