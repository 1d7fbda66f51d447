// SPDX-License-Identifier: GPL-2.0
#include "crews.h"

#include <signal.h>

#define STOP_WAIT_NS (5 * NSEC_PER_SEC)	  /* for workers to see the stop */
#define KILL_WAIT_NS (2 * NSEC_PER_SEC)	  /* for killed ones to die */
#define POKE_NS	     (50 * NSEC_PER_MSEC) /* between signals that end long waits */

static bool selected(const struct selection *sel, const struct crew *crew)
{
	return sel->crew ? sel->crew == crew : sel->line == crew->line && !crew->stopped_ns;
}

size_t crews_alive(const struct run *run, const struct selection *sel)
{
	size_t n = 0, i;

	for (i = 0; i < run->n_made; i++)
		n += selected(sel, run->made[i]) ? crew_alive(run->made[i]) : 0;
	return n;
}

void crews_stop_at(struct run *run, const struct selection *sel, uint64_t ns)
{
	size_t i;

	for (i = 0; i < run->n_made; i++) {
		if (selected(sel, run->made[i]))
			crew_stop_at(run->made[i], ns);
	}
}

static void crews_signal(const struct run *run, const struct selection *sel, int signal)
{
	size_t i;
	uint32_t m;

	for (i = 0; i < run->n_made; i++) {
		const struct crew *crew = run->made[i];

		for (m = 0; selected(sel, crew) && m < crew->def->workers; m++) {
			if (crew->members[m].state == MEMBER_ALIVE)
				kill(crew->members[m].pid, signal);
		}
	}
}

/* Wait until they are gone, but not beyond @limit_ns. @poke ends their waits. */
static void wait_gone(struct run *run, const struct selection *sel, uint64_t limit_ns, bool poke)
{
	uint64_t next = clock_now() + POKE_NS;

	while (crews_alive(run, sel) && clock_now() < limit_ns) {
		run_wait_signal(run, next < limit_ns ? next : limit_ns);
		if (clock_now() < next)
			continue;
		if (poke)
			crews_signal(run, sel, SIGUSR1);
		next = clock_now() + POKE_NS;
	}
}

static void crews_thaw(struct run *run, const struct selection *sel)
{
	size_t i;

	for (i = 0; i < run->n_made; i++) {
		struct crew *crew = run->made[i];

		if (!crew->frozen || !selected(sel, crew))
			continue;
		cgroup_freeze(&run->tree, crew->def->name, false);
		crew->frozen = false;
	}
}

void crews_finish(struct run *run, const struct selection *sel, uint64_t stop_ns)
{
	size_t i;

	crews_thaw(run, sel);
	wait_gone(run, sel, stop_ns + STOP_WAIT_NS, true);
	if (crews_alive(run, sel)) {
		for (i = 0; i < run->n_made; i++) {
			if (selected(sel, run->made[i]))
				crew_give_up(run->made[i]);
		}
		wait_gone(run, sel, clock_now() + KILL_WAIT_NS, false);
	}
	for (i = 0; i < run->n_made; i++) {
		if (selected(sel, run->made[i]))
			crew_complete(run->made[i]);
	}
}
