// SPDX-License-Identifier: GPL-2.0
#include "crews.h"

#define STOP_WAIT_NS (5 * NSEC_PER_SEC)	  /* for workers to see the stop */
#define WAIT_MAX_NS  (60 * NSEC_PER_SEC)  /* however many there are */
#define KILL_WAIT_NS (2 * NSEC_PER_SEC)	  /* for killed ones to die */
#define POKE_NS	     (50 * NSEC_PER_MSEC) /* between signals that end long waits */

struct crew *crews_next(const struct run *run, const struct selection *sel, size_t *i)
{
	while (*i < run->n_made) {
		struct crew *crew = run->made[(*i)++];

		if (!crew->stopped_ns &&
		    (sel->place ? sel->place == crew->place : sel->line == crew->line))
			return crew;
	}
	return NULL;
}

size_t crews_alive(const struct run *run, const struct selection *sel)
{
	struct crew *crew;
	size_t n = 0;

	crews_for_each(crew, run, sel) n += crew_alive(crew);
	return n;
}

void crews_stop_at(struct run *run, const struct selection *sel, uint64_t ns)
{
	struct crew *crew;

	crews_for_each(crew, run, sel) crew_stop_at(crew, ns);
}

/*
 * Wait until they are gone, but no longer than @wait_ns after @from_ns and after the last of them
 * that went. @poke ends their waits.
 */
static void wait_gone(struct run *run, const struct selection *sel, uint64_t from_ns,
		      uint64_t wait_ns, bool poke)
{
	uint64_t next = clock_now() + POKE_NS, limit = from_ns + wait_ns;
	uint64_t last = from_ns + WAIT_MAX_NS;
	size_t alive = crews_alive(run, sel), now_alive;
	struct crew *crew;

	while (alive && clock_now() < limit) {
		run_wait_signal(run, next < limit ? next : limit);
		now_alive = crews_alive(run, sel);
		if (now_alive < alive)
			limit = clock_now() + wait_ns;
		limit = limit < last ? limit : last;
		alive = now_alive;
		if (clock_now() < next)
			continue;
		if (poke) {
			crews_for_each(crew, run, sel) crew_poke(crew);
		}
		next = clock_now() + POKE_NS;
	}
}

static void crews_thaw(struct run *run, const struct selection *sel)
{
	struct crew *crew;

	crews_for_each(crew, run, sel)
	{
		if (!crew->place->frozen)
			continue;
		cgroup_freeze(&run->tree, crew->place->def->name, false);
		crew->place->frozen = false;
	}
}

void crews_finish(struct run *run, const struct selection *sel, uint64_t stop_ns)
{
	struct crew *crew;

	crews_thaw(run, sel);
	wait_gone(run, sel, stop_ns, STOP_WAIT_NS, true);
	if (crews_alive(run, sel)) {
		crews_for_each(crew, run, sel) crew_give_up(crew);
		wait_gone(run, sel, clock_now(), KILL_WAIT_NS, false);
	}
	crews_for_each(crew, run, sel) crew_complete(crew);
}
