// SPDX-License-Identifier: GPL-2.0
/*
 * Cache family: workers whose speed depends on where they run.
 *
 * cache-pressure reads, changes and writes memory of a chosen size at a chosen stride, round and
 * round: what it loses is the warm cache when it is moved (select_task_rq, load balancing's
 * task_hot(), sched_ext's choice of a dispatch queue by LLC) or when others use its CPU.
 *
 * cache-yield does the same and yields after every round (yield_task, ops.yield): whoever runs next
 * on that CPU, or moves it to another, makes its next round a cold one.
 *
 * A work unit is one touch (read, change, write), so that units by CPU time fall when caches are
 * cold. An iteration is one round through the memory. Neither sleeps: there are no wake latencies.
 */
#include <errno.h>
#include <inttypes.h>

#include "diag.h"
#include "work_wait.h"

enum { CACHE_SIZE, CACHE_STRIDE };

static int cache_complete(struct work_spec *spec, char **why)
{
	if (spec->values[CACHE_STRIDE] <= spec->values[CACHE_SIZE])
		return 0;
	*why = xasprintf("%s: stride=%" PRIu64 " is more than size=%" PRIu64
			 ": expected a stride up to the size",
			 spec->type->name, spec->values[CACHE_STRIDE], spec->values[CACHE_SIZE]);
	return -EINVAL;
}

static int cache_setup(struct worker *w)
{
	return work_memory_get(w, w->spec->values[CACHE_SIZE]);
}

/* One round through the memory. Returns false when it is time to stop. */
static bool cache_round(struct worker *w, struct work_pace *pace)
{
	return work_memory_touch(w, pace, w->spec->values[CACHE_SIZE],
				 w->spec->values[CACHE_STRIDE], 1);
}

/* Rounds may be short, so checkpoints do not keep to them. */
static void cache_pressure(struct worker *w)
{
	uint64_t size = w->spec->values[CACHE_SIZE], stride = w->spec->values[CACHE_STRIDE];
	volatile uint8_t *memory = w->memory;
	struct work_pace pace = {1};
	uint64_t at = 0, n, i;

	do {
		n = pace.n;
		for (i = 0; i < n; i++) {
			memory[at]++;
			at += stride;
			if (at >= size) {
				at = 0;
				worker_iteration(w);
			}
		}
	} while (work_pace_checkpoint(w, &pace, n, n));
}

static void cache_yield(struct worker *w)
{
	struct work_pace pace = {1};

	while (cache_round(w, &pace)) {
		sched_yield();
		worker_iteration(w);
	}
}

#define CACHE_PARAMS                                                                           \
	{                                                                                      \
		[CACHE_SIZE] = {"size", PARAM_SIZE, 32 << 10, 64, 1 << 30, "memory to touch"}, \
		[CACHE_STRIDE] = {"stride", PARAM_SIZE,                                        \
				  64,	    1,                                                 \
				  1 << 20,  "from one touch to the next; a cache line is 64"}, \
	}

const struct work_type work_cache_types[] = {
	{
		.name = "cache-pressure",
		.family = "cache",
		.unit = "one touch: a byte read, changed and written",
		.path = "cache-aware placement and balancing",
		.about = "Goes round and round through its memory, and is slower when that is no "
			 "longer in the caches.",
		.params = CACHE_PARAMS,
		.complete = cache_complete,
		.setup = cache_setup,
		.run = cache_pressure,
	},
	{
		.name = "cache-yield",
		.family = "cache",
		.unit = "one touch: a byte read, changed and written",
		.path = "yield, and the placement of a task whose cache is warm",
		.about = "As cache-pressure, with a yield after every round.",
		.params = CACHE_PARAMS,
		.complete = cache_complete,
		.setup = cache_setup,
		.run = cache_yield,
	},
	{},
};
