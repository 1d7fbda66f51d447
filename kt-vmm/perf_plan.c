// SPDX-License-Identifier: GPL-2.0
/* Which host CPU each vCPU gets. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "llc_lock.h"
#include "perf.h"

/* A host LLC as far as it is usable. */
struct host_llc {
	unsigned int id, node;
	unsigned int n_cores, n_cpus;
	unsigned int threads; /* of its smallest core */
	bool used;
};

struct planner {
	struct perf *p;
	const struct topology *t;
	struct host_llc *llcs;
	unsigned int n_llcs;
	struct cpuset taken; /* CPUs with a vCPU */
	pid_t holder;	     /* of an LLC that would have fitted */
	unsigned int held;
	int lock_error;
};

static unsigned int core_threads(const struct host_cpus *h, unsigned int core)
{
	unsigned int n = 0;
	int cpu;

	for (cpu = cpuset_next(&h->usable, 0); cpu >= 0; cpu = cpuset_next(&h->usable, cpu + 1))
		n += h->cpu[cpu].core == core;
	return n;
}

static struct host_llc *llc_of(struct planner *pl, const struct host_cpu *c)
{
	unsigned int i;

	for (i = 0; i < pl->n_llcs && pl->llcs[i].id != c->llc; i++)
		;
	if (i == pl->n_llcs)
		pl->llcs[pl->n_llcs++] =
			(struct host_llc){.id = c->llc, .node = c->node, .threads = ~0U};
	return &pl->llcs[i];
}

static void llcs_find(struct planner *pl)
{
	const struct host_cpus *h = &pl->p->host;
	struct cpuset cores;
	int cpu;

	cpuset_clear(&cores);
	pl->llcs = xcalloc(cpuset_count(&h->usable), sizeof(*pl->llcs));
	for (cpu = cpuset_next(&h->usable, 0); cpu >= 0; cpu = cpuset_next(&h->usable, cpu + 1)) {
		const struct host_cpu *c = &h->cpu[cpu];
		struct host_llc *llc = llc_of(pl, c);
		unsigned int threads;

		llc->n_cpus++;
		if (cpuset_has(&cores, c->core))
			continue;
		cpuset_add(&cores, c->core);
		llc->n_cores++;
		threads = core_threads(h, c->core);
		if (threads < llc->threads)
			llc->threads = threads;
	}
}

/* Are the threads of virtual cores on the threads of host cores; else each is on a core. */
static bool on_threads(const struct planner *pl, const struct host_llc *llc)
{
	return llc->threads >= pl->t->threads && llc->n_cores >= pl->t->cores;
}

static bool llc_fits(const struct planner *pl, const struct host_llc *llc)
{
	return !llc->used && (on_threads(pl, llc) || llc->n_cores >= pl->t->cores * pl->t->threads);
}

/* Pick a free LLC that fits, on @node if one is there, and lock it. */
static struct host_llc *llc_pick(struct planner *pl, unsigned int node)
{
	_cleanup_free_ char *what = topology_format(pl->t);
	unsigned int pass, i;

	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < pl->n_llcs; i++) {
			struct host_llc *llc = &pl->llcs[i];
			int fd;

			if (!llc_fits(pl, llc) || (!pass && llc->node != node))
				continue;
			fd = llc_lock(llc->id, what, &pl->holder);
			if (fd >= 0) {
				pl->p->locks[pl->p->n_locks++] = fd;
				llc->used = true;
				return llc;
			}
			if (fd == -EWOULDBLOCK)
				pl->held += pass;
			else
				pl->lock_error = fd;
		}
	}
	return NULL;
}

/* The vCPUs of virtual LLC @index onto @llc, core by core. */
static void llc_fill(struct planner *pl, unsigned int index, const struct host_llc *llc)
{
	const struct host_cpus *h = &pl->p->host;
	unsigned int per_core = on_threads(pl, llc) ? pl->t->threads : 1;
	unsigned int want = pl->t->cores * pl->t->threads, n = 0, thread;
	int core, cpu;

	for (core = cpuset_next(&h->usable, 0); core >= 0 && n < want;
	     core = cpuset_next(&h->usable, core + 1)) {
		struct cpuset siblings;

		if (h->cpu[core].llc != llc->id || cpuset_has(&pl->taken, core))
			continue;
		cpuset_clear(&siblings);
		for (cpu = core, thread = 0; cpu >= 0; cpu = cpuset_next(&h->usable, cpu + 1)) {
			if (h->cpu[cpu].core != h->cpu[core].core)
				continue;
			if (thread++ < per_core)
				pl->p->cpu[index * want + n++] = cpu;
			cpuset_add(&siblings, cpu);
		}
		cpuset_or(&pl->taken, &siblings);
	}
}

static int service_find(struct planner *pl, char **why)
{
	struct perf *p = pl->p;
	int cpu = cpuset_next(&p->host.usable, 0);
	unsigned int i;

	/* Not on a core of a vCPU, if there is another. */
	while (cpu >= 0 && cpuset_has(&pl->taken, cpu))
		cpu = cpuset_next(&p->host.usable, cpu + 1);
	if (cpu < 0) {
		for (i = 0; i < p->n_cpus; i++)
			cpuset_clear(&pl->taken);
		for (i = 0; i < p->n_cpus; i++)
			cpuset_add(&pl->taken, p->cpu[i]);
		cpu = cpuset_next(&p->host.usable, 0);
		while (cpu >= 0 && cpuset_has(&pl->taken, cpu))
			cpu = cpuset_next(&p->host.usable, cpu + 1);
	}
	if (cpu < 0) {
		*why = xasprintf("the host's %u CPUs are all vCPUs' then, expected one more for "
				 "kt-vmm's own threads",
				 cpuset_count(&p->host.usable));
		return -ENOSPC;
	}
	p->service = cpu;
	return 0;
}

static char *lock_refusal(int err)
{
	_cleanup_free_ char *dir = llc_lock_dir();

	if (!dir)
		return xstrdup("the host's LLCs cannot be locked: expected XDG_RUNTIME_DIR or "
			       "KT_LOCKS to name a directory for it");
	if (err == -EPERM)
		return xasprintf("the host's LLCs cannot be locked: %s: expected a directory of "
				 "your own that others cannot write to",
				 dir);
	return xasprintf("the host's LLCs cannot be locked: %s: %s", dir, strerror(-err));
}

/* Why there is no host LLC for virtual LLC @index. */
static char *refusal(const struct planner *pl, unsigned int index)
{
	const struct topology *t = pl->t;
	unsigned int i, fit = index;

	if (pl->held)
		return xasprintf("the host LLCs that fit are in use by other runs (process %d; "
				 "kt-locks lists them)",
				 pl->holder);
	if (pl->lock_error)
		return lock_refusal(pl->lock_error);
	for (i = 0; i < pl->n_llcs; i++)
		fit += llc_fits(pl, &pl->llcs[i]);
	return xasprintf("%u LLCs with %u cores of %u threads are wanted, the host has %u that are "
			 "large enough among its %u with %u CPUs",
			 t->llcs, t->cores, t->threads, fit, pl->n_llcs,
			 cpuset_count(&pl->p->host.usable));
}

static int llcs_place(struct planner *pl, char **why)
{
	const struct topology *t = pl->t;
	struct perf *p = pl->p;
	unsigned int per_node = t->llcs / t->numa_nodes, i;

	for (i = 0; i < t->llcs; i++) {
		unsigned int node = i / per_node;
		struct host_llc *llc = llc_pick(pl, i % per_node ? p->node[node] : node);

		if (!llc) {
			*why = refusal(pl, i);
			return -ENOSPC;
		}
		if (i % per_node == 0)
			p->node[node] = llc->node;
		else if (p->node[node] != llc->node)
			warn("--perf: node %u has LLCs on host nodes %u and %u", node,
			     p->node[node], llc->node);
		llc_fill(pl, i, llc);
	}
	return 0;
}

int perf_plan(struct perf *p, const struct topology *t, const char *sysfs, char **why)
{
	struct planner pl = {.p = p, .t = t};
	int err;

	memset(p, 0, sizeof(*p));
	cpuset_clear(&pl.taken);
	err = host_cpus_read(&p->host, sysfs);
	if (err) {
		*why = xasprintf("%s does not tell the host's CPUs: %s", sysfs, strerror(-err));
		return err;
	}
	p->n_cpus = topology_cpus(t);
	p->n_nodes = t->numa_nodes;
	p->cpu = xcalloc(p->n_cpus, sizeof(*p->cpu));
	p->node = xcalloc(p->n_nodes, sizeof(*p->node));
	p->locks = xcalloc(t->llcs, sizeof(*p->locks));
	llcs_find(&pl);
	err = llcs_place(&pl, why);
	if (!err)
		err = service_find(&pl, why);
	free(pl.llcs);
	if (err)
		perf_free(p);
	return err;
}
