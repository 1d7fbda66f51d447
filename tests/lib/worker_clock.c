// SPDX-License-Identifier: GPL-2.0
/*
 * Workers' clock beside the real one: worker_clock SYSFS MS. For MS milliseconds it is read between
 * two readings of CLOCK_MONOTONIC, in turns of running and of sleeping. Prints as JSON how often
 * that was, how often it went back, and the most that it was outside of the two, in ns.
 */
#include "worker_clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define READINGS_MIN 1000000 /* where the machine stood still for the whole time */

int main(int argc, char **argv)
{
	struct worker_clock clock = {};
	uint64_t readings = 0, back = 0, outside = 0, last = 0, end;
	const struct timespec pause = {.tv_nsec = 300000};

	if (argc != 3)
		return 64;
	clock.usable = worker_clock_usable(argv[1]);
	end = clock_now() + strtoull(argv[2], NULL, 10) * NSEC_PER_MSEC;
	while (last < end || readings < READINGS_MIN) {
		uint64_t before = clock_now(), now = worker_clock_at(&clock, ticks_now());
		uint64_t after = clock_now(), off;

		off = clock_between(now, before) + clock_between(after, now);
		outside = off > outside ? off : outside;
		back += now < last;
		last = now;
		if (++readings % 100000 == 0)
			nanosleep(&pause, NULL);
	}
	printf("{\"usable\": %s, \"rate\": %" PRIu64 ", \"readings\": %" PRIu64
	       ", \"back\": %" PRIu64 ", \"outside_ns\": %" PRIu64 "}\n",
	       clock.usable ? "true" : "false", clock.rate, readings, back, outside);
	return 0;
}
