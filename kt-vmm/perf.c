// SPDX-License-Identifier: GPL-2.0
#include "perf.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"

/* Low among the real-time priorities: the kernel's own threads stay above. */
#define VCPU_PRIORITY 1

static void pin(pid_t tid, unsigned int cpu, const char *what, unsigned int index)
{
	size_t size = CPU_ALLOC_SIZE(CPUSET_MAX);
	cpu_set_t *set = CPU_ALLOC(CPUSET_MAX);

	if (set) {
		CPU_ZERO_S(size, set);
		CPU_SET_S(cpu, size, set);
	}
	if (!set || sched_setaffinity(tid, size, set))
		warn("--perf: %s %u is not pinned to CPU %u: %s", what, index, cpu,
		     strerror(errno));
	CPU_FREE(set);
}

void perf_threads(const struct perf *p, const struct engine_threads *t)
{
	struct sched_param param = {.sched_priority = VCPU_PRIORITY};
	unsigned int i;

	for (i = 0; i < t->n_service; i++)
		pin(t->service[i], p->service, "service thread", i);
	for (i = 0; i < t->n_vcpus && i < p->n_cpus; i++)
		pin(t->vcpu[i], p->cpu[i], "vCPU", i);
	for (i = 0; i < t->n_vcpus; i++) {
		if (sched_setscheduler(t->vcpu[i], SCHED_FIFO | SCHED_RESET_ON_FORK, &param)) {
			warn("--perf: the vCPUs do not run under SCHED_FIFO: %s (CAP_SYS_NICE or "
			     "'ulimit -r')",
			     strerror(errno));
			break;
		}
	}
}

/* The policy is the memory's own, not the mapping's (mm/mempolicy.c, shared policies). */
static int node_bind(int memfd, uint64_t size, unsigned int node)
{
	unsigned long mask[16] = {0};
	void *p;
	long err;

	if (node >= sizeof(mask) * 8)
		return -EINVAL;
	mask[node / (8 * sizeof(long))] = 1UL << node % (8 * sizeof(long));
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, memfd, 0);
	if (p == MAP_FAILED)
		return -errno;
	err = syscall(SYS_mbind, p, size, MPOL_BIND, mask, sizeof(mask) * 8, 0);
	err = err ? -errno : 0;
	munmap(p, size);
	return err;
}

void perf_memory(const struct perf *p, const struct engine_config *c)
{
	unsigned int i;
	int err;

	for (i = 0; i < p->n_nodes; i++) {
		err = node_bind(c->ram[i], c->machine->node_memory[i], p->node[i]);
		if (err)
			warn("--perf: the memory of node %u is not bound to host node %u: %s", i,
			     p->node[i], strerror(-err));
	}
}

void perf_check_host(const char *sysfs)
{
	_cleanup_free_ char *path =
		xasprintf("%s/kernel/mm/transparent_hugepage/shmem_enabled", sysfs);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char line[128] = "";

	if (!f || !fgets(line, sizeof(line), f) || strstr(line, "[never]") ||
	    strstr(line, "[deny]"))
		warn("--perf: guest memory is in small pages: %s does not allow others", path);
}

char *perf_format(const struct perf *p, const struct topology *t)
{
	unsigned int llc = t->cores * t->threads, i;
	char *text = xstrdup("");

	for (i = 0; i < p->n_cpus; i++) {
		char *more = xasprintf("%s%s%u", text, !i ? "" : i % llc ? "," : " ", p->cpu[i]);

		free(text);
		text = more;
	}
	return text;
}

void perf_free(struct perf *p)
{
	unsigned int i;

	for (i = 0; i < p->n_locks; i++)
		close(p->locks[i]);
	free(take_ptr(p->locks));
	free(take_ptr(p->cpu));
	free(take_ptr(p->node));
	host_cpus_free(&p->host);
	p->n_locks = 0;
}
