// SPDX-License-Identifier: GPL-2.0
/*
 * What telemetry costs: the rate of kt-workload's spin-wait, with a checkpoint about every 20 us,
 * against that of the bare loop doing the same number of units. Both run by turns in one process
 * and are timed in its CPU time; the median of the pairs' ratios is compared, so that what else
 * runs on the machine counts for neither.
 *
 * Prints "spin-wait RATE units/s of CPU time, bare loop RATE, ratio R"; exits 1 when R is below the
 * share that is promised (0.99).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "work.h"

#define REPETITIONS 41
#define TURN_NS	    (50 * NSEC_PER_MSEC)
#define PROMISED    0.99

static uint64_t cpu_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/* Run the work type as it is for TURN_NS. Returns units a second. */
static double rate_of_work(const struct work_type *type, uint64_t units_per_check, uint64_t *units)
{
	static struct record rec;
	static struct tally tally;
	static struct start_line line;
	struct worker w = {
		.rec = &rec,
		.tally = &tally,
		.line = &line,
		.units_per_check = units_per_check,
	};

	rec = (struct record){.tallies = &tally, .n_tallies = 1};
	tally = (struct tally){};
	line.start_ns = clock_now();
	rec.last_ns = line.start_ns;
	rec.stop_ns = line.start_ns + TURN_NS;
	w.cpu_mark_ns = cpu_time();
	worker_measure_begin(&w);
	type->run(&w);
	worker_measure_end(&w);
	*units = tally.units;
	return tally.units * 1e9 / tally.cpu_ns;
}

static double rate_of_loop(uint64_t units)
{
	uint64_t begin = cpu_time();

	work_spin(units);
	return units * 1e9 / (cpu_time() - begin);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), compare);
	return v[n / 2];
}

int main(void)
{
	double with[REPETITIONS], without[REPETITIONS], ratio[REPETITIONS], share;
	const struct work_type *type = work_cpu_types;
	uint64_t units_per_check = work_calibrate(), units;
	int i;

	while (strcmp(type->name, "spin-wait"))
		type++;
	rate_of_work(type, units_per_check, &units); /* warm up */
	for (i = 0; i < REPETITIONS; i++) {
		with[i] = rate_of_work(type, units_per_check, &units);
		without[i] = rate_of_loop(units);
		ratio[i] = with[i] / without[i];
	}
	share = median(ratio, REPETITIONS);
	printf("spin-wait %.0f units/s of CPU time, bare loop %.0f, ratio %.4f (promised: %.2f)\n",
	       median(with, REPETITIONS), median(without, REPETITIONS), share, PROMISED);
	return share >= PROMISED ? 0 : 1;
}
