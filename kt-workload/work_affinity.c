// SPDX-License-Identifier: GPL-2.0
/*
 * Task life and class family, second part: workers that change where tasks may run.
 *
 * affinity-churn sends itself to another CPU: spin, sched_setaffinity(2) to one CPU that it is not
 * on, drawn at random from those of its cgroup (__set_cpus_allowed_ptr(), affine_move_task(),
 * migration_cpu_stop(), ops.set_cpumask), sched_yield(2). A work unit is one such call, and so is
 * an iteration; each is one migration where there is more than one CPU.
 *
 * cross-affinity-churn does it to the others: each turn takes one CPU out of the affinity of every
 * other task in its cgroup, and gives it back in the next: the same path for a task that runs
 * elsewhere, waits or sleeps. A work unit is one changed affinity of another task, an iteration
 * one turn over all of them. With one CPU, or alone in its cgroup, it does nothing but yield. Which
 * tasks there are is looked up every 100 ms. At the end they have all the CPUs again.
 *
 * numa-migration-churn moves to the CPUs of the next NUMA node each period and spins there. A work
 * unit is one spin unit (256 turns of an empty loop), an iteration one move.
 *
 * None of them blocks. The CPUs are those of the cgroup where that is confined, else those that
 * the worker began with.
 */
#include "work_common.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"

enum { AFFINITY_SPIN };

/* Some CPU of @cpus other than @here, drawn by @random; @here if there is no other. */
static int draw_cpu(const struct cpuset *cpus, int here, uint64_t *random)
{
	unsigned int n = cpuset_count(cpus) - cpuset_has(cpus, here), skip;

	if (!n)
		return here;
	skip = random_next(random) % n;
	cpuset_for_each (cpu, cpus) {
		if (cpu != here && !skip--)
			return cpu;
	}
	return here;
}

static void affinity_churn(struct worker *w)
{
	struct cpuset own, one;
	uint64_t random = random_seed(w);

	affinity_read(&own);
	while (work_spin_turns_checked(w, w->spec->values[AFFINITY_SPIN])) {
		uint64_t done;

		cpuset_clear(&one);
		cpuset_add(&one, draw_cpu(worker_cpus(w, &own), cpu_now(), &random));
		done = !affinity_set(0, &one);
		sched_yield();
		w->tally->iterations += done;
		if (!worker_checkpoint(w, done))
			break;
	}
	affinity_set(0, worker_cpus(w, &own));
}

#define SIBLINGS_MAX	 1024
#define SIBLINGS_READ_NS (100 * NSEC_PER_MSEC)

/* The other tasks of the cgroup. */
struct siblings {
	int fd; /* cgroup.threads */
	int tids[SIBLINGS_MAX];
	size_t n;
	char text[SIBLINGS_MAX * 8];
};

static int siblings_setup(struct worker *w)
{
	struct siblings *s = worker_memory(w, sizeof(*s));
	_cleanup_free_ char *dir = NULL, *path = NULL;
	int ret;

	if (!s)
		return -ENOMEM;
	w->own = s;
	ret = worker_cgroup(w, &dir);
	if (ret)
		return ret;
	path = xasprintf("%s/cgroup.threads", dir);
	s->fd = open(path, O_RDONLY | O_CLOEXEC);
	return s->fd < 0 ? worker_fail(w, errno, "cannot read %.100s", path) : 0;
}

static void siblings_read(struct siblings *s)
{
	int self = gettid();
	ssize_t n = pread(s->fd, s->text, sizeof(s->text) - 1, 0);
	char *at = s->text, *end;

	s->n = 0;
	s->text[n > 0 ? n : 0] = '\0';
	while (s->n < SIBLINGS_MAX) {
		int tid = strtol(at, &end, 10);

		if (end == at)
			return;
		if (tid != self)
			s->tids[s->n++] = tid;
		at = end;
	}
}

/* Give @cpus to all of them. Returns what worker_checkpoint() does. */
static bool siblings_set(struct worker *w, const struct siblings *s, const struct cpuset *cpus)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		int ret = affinity_set(s->tids[i], cpus);

		if (ret == -EPERM)
			worker_lacks(w, EPERM, "cannot change the affinity of another user's task");
		if (!worker_checkpoint(w, !ret))
			return false;
	}
	return true;
}

static void cross_affinity_churn(struct worker *w)
{
	struct siblings *s = w->own;
	struct cpuset own, most;
	uint64_t next = 0, random = random_seed(w);
	bool all = false, more = true;

	affinity_read(&own);
	while (more && work_spin_turns_checked(w, w->spec->values[AFFINITY_SPIN])) {
		const struct cpuset *cpus = worker_cpus(w, &own);

		if (worker_now(w) >= next) {
			siblings_read(s);
			next = worker_now(w) + SIBLINGS_READ_NS;
		}
		if (s->n && cpuset_count(cpus) > 1) {
			int out = draw_cpu(cpus, -1, &random);

			cpuset_clear(&most);
			cpuset_for_each (cpu, cpus) {
				if (all || cpu != out)
					cpuset_add(&most, cpu);
			}
			all = !all;
			more = siblings_set(w, s, &most);
			worker_iteration(w);
		}
		sched_yield();
		more = more && worker_checkpoint(w, 0);
	}
	for (size_t i = 0; i < s->n; i++)
		affinity_set(s->tids[i], worker_cpus(w, &own));
}

enum { MIGRATION_PERIOD };

static int nodes_complete(struct work_spec *spec, char **why)
{
	return work_needs_nodes(spec, why);
}

static int nodes_setup(struct worker *w)
{
	struct machine *m = worker_memory(w, sizeof(*m));

	if (!m)
		return -ENOMEM;
	work_machine_read(m);
	w->own = m;
	return 0;
}

/* Move to the CPUs of the next node after @node that has some for this worker. */
static size_t node_next(struct worker *w, const struct cpuset *own, size_t node)
{
	const struct machine *m = w->own;
	size_t i;

	for (i = 1; i <= m->n_nodes; i++) {
		struct cpuset cpus = m->nodes[(node + i) % m->n_nodes];

		cpuset_and(&cpus, worker_cpus(w, own));
		if (!cpuset_count(&cpus) || affinity_set(0, &cpus))
			continue;
		worker_iteration(w);
		return (node + i) % m->n_nodes;
	}
	return node;
}

static void numa_migration_churn(struct worker *w)
{
	struct cpuset own;
	size_t node = w->index;
	bool more = true;

	affinity_read(&own);
	while (more) {
		uint64_t end = worker_now(w) + w->spec->values[MIGRATION_PERIOD];

		node = node_next(w, &own, node);
		do {
			work_spin(w->units_per_check);
			more = worker_checkpoint(w, w->units_per_check);
		} while (more && worker_now(w) < end);
	}
	affinity_set(0, worker_cpus(w, &own));
}

#define SPIN_PARAM                                    \
	[AFFINITY_SPIN] = {"spin", PARAM_COUNT, 1024, \
			   0,	   1000000000,	"turns of an empty loop between changes"}

const struct work_type work_affinity_types[] = {
	{
		.name = "affinity-churn",
		.family = "task",
		.unit = "one change of its own affinity",
		.path = "forced migration of a task that runs",
		.about =
			"Binds itself to another CPU of its cgroup, drawn at random, again and "
			"again, with a spin and a yield in between: each change is a migration. It "
			"does not block.",
		.params = {SPIN_PARAM},
		.run = affinity_churn,
	},
	{
		.name = "cross-affinity-churn",
		.family = "task",
		.unit = "one change of another task's affinity",
		.path = "changes of the affinity of tasks that run elsewhere, wait or sleep",
		.about = "Takes one CPU out of the affinity of every other task in its cgroup and "
			 "gives it back, in turns, with a spin and a yield in between. It does not "
			 "block.",
		.params = {SPIN_PARAM},
		.in_cgroup = true,
		.setup = siblings_setup,
		.run = cross_affinity_churn,
	},
	{
		.name = "numa-migration-churn",
		.family = "task",
		.unit = "256 turns of an empty loop",
		.path = "migration between NUMA nodes",
		.about =
			"Spins on the CPUs of one NUMA node for the period, then binds itself to "
			"those of the next. It does not block. A machine with one node is refused.",
		.params = {[MIGRATION_PERIOD] = {"period", PARAM_DURATION, 100 * NSEC_PER_MSEC,
						 NSEC_PER_MSEC, 3600 * NSEC_PER_SEC,
						 "time on a node"}},
		.complete = nodes_complete,
		.setup = nodes_setup,
		.run = numa_migration_churn,
	},
	{},
};
