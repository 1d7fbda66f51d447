// SPDX-License-Identifier: GPL-2.0
/*
 * histogram: compare what a histogram says of many values of all sizes with what the sorted values
 * themselves say. Prints the worst errors as JSON, relative to the value.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "histogram.h"

#define VALUES 100000

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static double error_of(double seen, double value)
{
	return value ? fabs(seen - value) / value : seen;
}

int main(void)
{
	static uint64_t values[VALUES];
	static struct histogram h;
	double worst = 0, sum = 0, squares = 0, mean, cv;
	uint64_t x = 1;
	size_t i;

	for (i = 0; i < VALUES; i++) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		/* From 0 to 40 bits, as many of each length. */
		values[i] = (x >> 20) & ((1ULL << (x >> 33) % 41) - 1);
		histogram_add(&h, values[i]);
		sum += values[i];
	}
	qsort(values, VALUES, sizeof(*values), by_value);
	mean = sum / VALUES;
	for (i = 0; i < VALUES; i++) {
		double error = error_of(histogram_percentile(&h, (i + 0.5) / VALUES), values[i]);

		worst = error > worst ? error : worst;
		squares += (values[i] - mean) * (values[i] - mean);
	}
	cv = sqrt(squares / VALUES) / mean;
	printf("{\"percentile\": %g, \"cv\": %g, \"mean\": %g, \"exact\": %s}\n", worst,
	       error_of(histogram_cv(&h), cv), error_of(histogram_mean(&h), mean),
	       h.count == VALUES && h.min == values[0] && h.max == values[VALUES - 1] ? "true"
										      : "false");
	return 0;
}
