// SPDX-License-Identifier: GPL-2.0
#include "placement.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>

#include "cleanup.h"
#include "crews.h"
#include "diag.h"
#include "random.h"

#define GRACE_NS (10 * NSEC_PER_MSEC) /* after a change of CPUs both the old and new count */

int placement_settle(void *ctx, struct member *m, pid_t pid)
{
	const struct cgroup_def *def = m->crew->place->def;
	struct run *run = ctx;
	int ret;

	run->by_pid[pid] = m;
	ret = def->at_root ? 0 : cgroup_move(&run->tree, def->name, pid);
	if (ret)
		run_error(run, m->crew->def->line, "cannot move a worker into cgroup '%s': %s",
			  def->name, strerror(-ret));
	return ret;
}

/*
 * The affinity that worker @m is to have, or NULL. Where the cpuset controller does not confine it
 * to its cgroup's CPUs @to, that is the affinity's part.
 */
static const struct cpuset *mask_of(const struct run *run, const struct member *m,
				    const struct allowed *to)
{
	if (run->confinement == CONFINED_AFFINITY)
		return to->confined ? &to->cpus : &run->machine->online;
	return m->crew->masks ? &m->crew->masks[m->index] : NULL;
}

static int set_mask(const struct run *run, const struct member *m, const struct allowed *to)
{
	const struct cpuset *mask = mask_of(run, m, to);

	if (!mask || m->state != MEMBER_ALIVE || !m->pid ||
	    !sched_setaffinity(m->pid, sizeof(*mask), (const cpu_set_t *)mask))
		return 0;
	/* Who is gone needs none; a mask with none of its cgroup's CPUs is not in force. */
	return errno == ESRCH || (errno == EINVAL && run->confinement == CONFINED_CPUSET) ? 0
											  : -errno;
}

static int set_nice(struct run *run, const struct member *m)
{
	const struct group_def *def = m->crew->def;
	int ret;

	if (!def->has_nice || !setpriority(PRIO_PROCESS, m->pid, def->nice) || errno == ESRCH)
		return 0;
	ret = -errno;
	run_error(run, def->line, "cannot set nice=%d in cgroup '%s': %s%s", def->nice,
		  def->cgroup->name, strerror(-ret),
		  ret == -EACCES ? " (it needs CAP_SYS_NICE)" : "");
	return ret;
}

int placement_dress(void *ctx, const struct member *m)
{
	const struct group_def *def = m->crew->def;
	_cleanup_free_ char *why = NULL;
	struct run *run = ctx;
	int ret = set_mask(run, m, &m->now);

	if (ret) {
		_cleanup_free_ char *list = cpuset_format(&m->now.cpus);

		run_error(run, def->line, "cannot confine a worker of cgroup '%s' to CPUs %s: %s",
			  def->cgroup->name, list, strerror(-ret));
		return ret;
	}
	ret = set_nice(run, m);
	if (ret || !def->policy.text)
		return ret;
	ret = policy_apply(&def->policy, m->pid, getpriority(PRIO_PROCESS, m->pid), &why);
	if (ret == -ESRCH) /* died already, and that is told elsewhere */
		return 0;
	if (ret)
		run_error(run, def->line, "cgroup '%s': %s", def->cgroup->name, why);
	return ret;
}

void placement_draw(struct run *run, struct crew *crew, const struct affinity *a)
{
	const struct allowed *now = &crew->place->now;
	const struct cpuset *within = now->confined ? &now->cpus : &run->machine->online;
	uint32_t i;

	free(crew->masks);
	crew->masks = NULL;
	if (!a->text || a->kind == AFFINITY_INHERIT || !crew->def->workers)
		return;
	run->draws++;
	crew->masks = xcalloc(crew->def->workers, sizeof(*crew->masks));
	for (i = 0; i < crew->def->workers; i++) {
		uint64_t random = random_mix(run->draw_seed ^ random_mix(run->draws << 32 | i));

		affinity_mask(a, run->machine, within, i, random, &crew->masks[i]);
	}
}

/* Have the kernel confine what is in the cgroup. */
static int confine(struct run *run, const struct change *c)
{
	const struct cpuset *cpus = c->to.confined ? &c->to.cpus : NULL;
	struct crew *crew;
	uint32_t i;
	int ret = 0;

	if (run->confinement == CONFINED_CPUSET)
		ret = cgroup_confine(&run->tree, c->place->def->name, cpus);
	/* Before 6.2 a change of the cpuset drops affinities, so they are given anew. */
	crews_for_each(crew, run, &(struct selection){.place = c->place})
	{
		for (i = 0; i < crew->def->workers && !ret; i++) {
			struct allowed to = member_effective(&crew->members[i], &c->to);

			ret = set_mask(run, &crew->members[i], &to);
		}
	}
	return ret;
}

static void allow_also(struct run *run, const struct change *c)
{
	struct crew *crew;

	crews_for_each(crew, run, &(struct selection){.place = c->place})
		crew_allow_also(crew, &c->to, &run->machine->online);
}

static void allow(struct run *run, const struct change *c)
{
	struct crew *crew;

	c->place->now = c->to;
	crews_for_each(crew, run, &(struct selection){.place = c->place})
		crew_allow(crew, &c->to, &run->machine->online);
}

int placement_change(struct run *run, const struct change *changes, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		allow_also(run, &changes[i]);
	for (i = 0; i < n; i++) {
		int ret = confine(run, &changes[i]);
		_cleanup_free_ char *list = ret ? cpuset_format(&changes[i].to.cpus) : NULL;

		if (!ret)
			continue;
		run_error(run, run->op_line, "cannot change the CPUs of cgroup '%s' to '%s': %s",
			  changes[i].place->def->name, list, strerror(-ret));
		return ret;
	}
	run_hold(run, clock_now() + GRACE_NS);
	for (i = 0; i < n; i++)
		allow(run, &changes[i]);
	return 0;
}

/* Who had an affinity and is to have none may run on all CPUs, as far as its cgroup lets it. */
static int drop_masks(struct run *run, const struct place *place)
{
	const struct cpuset *all = &run->machine->online;
	struct crew *crew;
	uint32_t i;

	if (run->confinement == CONFINED_AFFINITY)
		return 0;
	crews_for_each(crew, run, &(struct selection){.place = place})
	{
		for (i = 0; !crew->masks && i < crew->def->workers; i++) {
			const struct member *m = &crew->members[i];

			if (m->state == MEMBER_ALIVE && m->pid &&
			    sched_setaffinity(m->pid, sizeof(*all), (const cpu_set_t *)all) &&
			    errno != ESRCH)
				return -errno;
		}
	}
	return 0;
}

int placement_affinity(struct run *run, struct place *place, const struct affinity *a)
{
	const struct change same = {.place = place, .to = place->now};
	struct crew *crew;
	uint32_t i;
	int ret;

	crews_for_each(crew, run, &(struct selection){.place = place}) placement_draw(run, crew, a);
	allow_also(run, &same);
	ret = drop_masks(run, place);
	crews_for_each(crew, run, &(struct selection){.place = place})
	{
		for (i = 0; i < crew->def->workers && !ret; i++) {
			struct allowed to = member_effective(&crew->members[i], &place->now);

			ret = set_mask(run, &crew->members[i], &to);
		}
	}
	if (ret) {
		run_error(run, run->op_line, "cannot set affinity '%s' in cgroup '%s': %s", a->text,
			  place->def->name, strerror(-ret));
		return ret;
	}
	run_hold(run, clock_now() + GRACE_NS);
	allow(run, &same);
	return 0;
}

/* The processes of one crew. */
static int crew_move(struct run *run, const struct crew *crew, const struct place *to)
{
	uint32_t i;
	int ret = 0;

	for (i = 0; i < crew->def->workers && !ret; i++) {
		const struct member *m = &crew->members[i];

		if (m->state == MEMBER_ALIVE && !(crew->leader && i))
			ret = cgroup_move(&run->tree, to->def->name,
					  crew->leader ? crew->leader : m->pid);
		ret = ret == -ESRCH ? 0 : ret;
	}
	return ret;
}

/* What the workers have started goes along. Outside of the cgroups all else is not ours. */
static int move_all(struct run *run, const struct place *from, const struct place *to)
{
	struct crew *crew;
	int ret;

	crews_for_each(crew, run, &(struct selection){.place = from})
	{
		ret = crew_move(run, crew, to);
		if (ret)
			return ret;
	}
	return from->def->at_root ? 0 : cgroup_move_all(&run->tree, from->def->name, to->def->name);
}

int placement_move(struct run *run, struct place *from, struct place *to)
{
	const struct change arrive = {.place = to, .to = to->now};
	struct crew *crew;
	int ret;

	crews_for_each(crew, run, &(struct selection){.place = from})
		crew_allow_also(crew, &to->now, &run->machine->online);
	ret = move_all(run, from, to);
	if (ret) {
		run_error(run, run->op_line, "cannot move the tasks of cgroup '%s' to '%s': %s",
			  from->def->name, to->def->name, strerror(-ret));
		return ret;
	}
	crews_for_each(crew, run, &(struct selection){.place = from}) crew->place = to;
	/* Confinement by affinity goes with the workers, the controller's is the cgroup's. */
	ret = placement_change(run, &arrive, 1);
	return ret;
}
