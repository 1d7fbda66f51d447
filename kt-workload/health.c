// SPDX-License-Identifier: GPL-2.0
#include "health.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "diag.h"

bool health_oom_kill(struct run *run, struct place *place, int status)
{
	long kills;

	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL || place->def->at_root)
		return false;
	kills = cgroup_count(&run->tree, place->def->name, "memory.events.local", "oom_kill");
	if (kills <= place->oom_kills)
		return false;
	place->oom_kills++;
	return true;
}

void health_note_end(struct run *run, struct member *m)
{
	const struct crew *crew;
	uint32_t i;

	member_note_end(m);
	if (m->timed_out || !health_oom_kill(run, m->crew->place, m->status))
		return;
	m->oom = true;
	for (crew = m->crew; crew && crew->leader; crew = crew->mate) {
		for (i = 0; i < crew->def->workers; i++)
			crew->members[i].oom = WIFSIGNALED(crew->members[i].status);
	}
}

static void check_scheduler(struct run *run)
{
	_cleanup_free_ char *fault = sched_ext_fault(&run->sched);

	if (!fault)
		return;
	run_error(run, 0, "%s", fault);
	run->dead = true;
}

/* A run is planned for the CPUs that were there when its script was read. */
static void check_cpus(struct run *run)
{
	_cleanup_free_ char *list = NULL;
	struct cpuset now, lost;

	if (machine_online(run->sysfs, &now) || cpuset_subset(&run->machine->online, &now))
		return;
	cpuset_clear(&lost);
	cpuset_for_each (cpu, &run->machine->online) {
		if (!cpuset_has(&now, cpu))
			cpuset_add(&lost, cpu);
	}
	list = cpuset_format(&lost);
	run_error(run, 0, "went offline during the run: CPU %s", list);
	run->dead = true;
}

void run_check(struct run *run)
{
	if (!run->dead && run->sched.name)
		check_scheduler(run);
	if (!run->dead)
		check_cpus(run);
}

/* What went wrong with @m, or NULL. @who is it. */
static char *member_fault(const struct member *m, const char *who)
{
	if (m->timed_out)
		return xasprintf("%s did not stop in time", who);
	if (m->state == MEMBER_PLANNED) /* told of all together */
		return NULL;
	if (m->oom)
		return xasprintf("%s was killed for want of memory (oom_kill in its memory.events)",
				 who);
	if (m->state == MEMBER_GONE && WIFSIGNALED(m->status))
		return xasprintf("%s was killed by signal %d (%s)", who, WTERMSIG(m->status),
				 strsignal(WTERMSIG(m->status)));
	if (m->rec->why[0])
		return xasprintf("%s: %s", who, m->rec->why);
	if (m->late)
		return xasprintf("%s came up after the start", who);
	if (m->state == MEMBER_GONE && WEXITSTATUS(m->status))
		return xasprintf("%s exited with status %d", who, WEXITSTATUS(m->status));
	return NULL;
}

void health_judge(struct run *run)
{
	size_t i;
	uint32_t k;

	for (i = 0; i < run->n_made; i++) {
		const struct crew *crew = run->made[i];
		uint32_t planned = 0;

		for (k = 0; k < crew->def->workers; k++) {
			const struct member *m = &crew->members[k];
			/* Who never ran has no number of its own but that in its group. */
			_cleanup_free_ char *who =
				xasprintf("worker %d of cgroup '%s'", m->pid ? m->pid : (int)k,
					  crew->def->cgroup->name);
			_cleanup_free_ char *fault = member_fault(m, who);

			if (fault)
				run_error(run, 0, "%s", fault);
			planned += m->state == MEMBER_PLANNED;
		}
		if (planned)
			run_error(run, 0, "%u of %u workers of cgroup '%s' were never started",
				  planned, crew->def->workers, crew->def->cgroup->name);
	}
}
