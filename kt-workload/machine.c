// SPDX-License-Identifier: GPL-2.0
#include "machine.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"

#define NODES_MAX 1024 /* MAX_NUMNODES of the largest kernel configurations */

/* The first line of a sysfs file, without its newline. Returns 0 or -errno. */
__attribute__((format(printf, 3, 4))) static int sysfs_read(char *buf, size_t size, const char *fmt,
							    ...)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *path = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&path, fmt, ap);
	va_end(ap);
	if (n < 0)
		return -ENOMEM;
	f = fopen(path, "re");
	if (!f)
		return -errno;
	if (!fgets(buf, size, f))
		return -ENODATA;
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

/* A CPU list file; 4096 CPUs with every second one set need about 20 KB. */
static int sysfs_read_set(struct cpuset *set, const char *path)
{
	_cleanup_free_ char *buf = xmalloc(32768);
	int ret = sysfs_read(buf, 32768, "%s", path);

	return ret ? ret : cpuset_parse(buf, set);
}

static int cpu_read_set(const char *sysfs, int cpu, const char *file, struct cpuset *set)
{
	_cleanup_free_ char *path = xasprintf("%s/devices/system/cpu/cpu%d/%s", sysfs, cpu, file);

	return sysfs_read_set(set, path);
}

/* The CPUs that share the highest cache level which holds data. Returns 0 or -ENOENT. */
static int cpu_read_llc(const char *sysfs, int cpu, struct cpuset *set)
{
	int best = 0, index;

	for (index = 0;; index++) {
		_cleanup_free_ char *dir =
			xasprintf("%s/devices/system/cpu/cpu%d/cache/index%d", sysfs, cpu, index);
		_cleanup_free_ char *shared = xasprintf("%s/shared_cpu_list", dir);
		struct cpuset found;
		char text[32];
		int level;

		if (sysfs_read(text, sizeof(text), "%s/level", dir))
			break;
		level = atoi(text);
		if (!sysfs_read(text, sizeof(text), "%s/type", dir) && !strcmp(text, "Instruction"))
			continue;
		if (level > best && !sysfs_read_set(&found, shared)) {
			best = level;
			*set = found;
		}
	}
	return best ? 0 : -ENOENT;
}

int machine_online(const char *sysfs, struct cpuset *online)
{
	_cleanup_free_ char *path = xasprintf("%s/devices/system/cpu/online", sysfs);
	int ret;

	cpuset_clear(online);
	ret = sysfs_read_set(online, path);
	return !ret && !cpuset_count(online) ? -ENODATA : ret;
}

static void machine_read_online(struct machine *m, const char *sysfs)
{
	cpu_set_t mine;

	if (!machine_online(sysfs, &m->online))
		return;
	cpuset_clear(&m->online);
	CPU_ZERO(&mine);
	sched_getaffinity(0, sizeof(mine), &mine);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &mine))
			cpuset_add(&m->online, cpu);
	}
}

static void machine_read_llcs(struct machine *m, const char *sysfs)
{
	struct cpuset seen;

	cpuset_clear(&seen);
	cpuset_for_each (cpu, &m->online) {
		struct cpuset llc;

		if (cpuset_has(&seen, cpu))
			continue;
		if (cpu_read_llc(sysfs, cpu, &llc) &&
		    cpu_read_set(sysfs, cpu, "topology/package_cpus_list", &llc) &&
		    cpu_read_set(sysfs, cpu, "topology/core_siblings_list", &llc))
			llc = m->online;
		cpuset_add(&llc, cpu);
		cpuset_and(&llc, &m->online);
		cpuset_or(&seen, &llc);
		m->llcs = xrealloc(m->llcs, (m->n_llcs + 1) * sizeof(*m->llcs));
		m->llcs[m->n_llcs++] = llc;
	}
}

static void machine_read_nodes(struct machine *m, const char *sysfs)
{
	_cleanup_free_ char *path = xasprintf("%s/devices/system/node/online", sysfs);
	struct cpuset ids;

	cpuset_clear(&ids);
	if (sysfs_read_set(&ids, path) || !cpuset_count(&ids)) {
		m->nodes = xcalloc(1, sizeof(*m->nodes));
		m->nodes[0] = m->online;
		m->n_nodes = 1;
		return;
	}
	cpuset_for_each (id, &ids) {
		_cleanup_free_ char *list =
			xasprintf("%s/devices/system/node/node%d/cpulist", sysfs, id);

		if (id >= NODES_MAX)
			break;
		m->nodes = xrealloc(m->nodes, (id + 1) * sizeof(*m->nodes));
		while (m->n_nodes <= (size_t)id)
			cpuset_clear(&m->nodes[m->n_nodes++]);
		if (sysfs_read_set(&m->nodes[id], list))
			cpuset_clear(&m->nodes[id]);
		cpuset_and(&m->nodes[id], &m->online);
	}
}

static void machine_read_memory(struct machine *m, const char *sysfs)
{
	_cleanup_free_ char *path = xasprintf("%s/devices/system/node/has_memory", sysfs);
	size_t i;

	cpuset_clear(&m->memory_nodes);
	if (!sysfs_read_set(&m->memory_nodes, path) && cpuset_count(&m->memory_nodes))
		return;
	cpuset_clear(&m->memory_nodes);
	for (i = 0; i < m->n_nodes; i++) {
		_cleanup_free_ char *dir = xasprintf("%s/devices/system/node/node%zu", sysfs, i);

		if (m->n_nodes == 1 || !access(dir, F_OK))
			cpuset_add(&m->memory_nodes, i);
	}
}

static void machine_read_cores(struct machine *m, const char *sysfs)
{
	struct cpuset seen;

	cpuset_clear(&seen);
	cpuset_for_each (cpu, &m->online) {
		struct cpuset core;

		if (cpuset_has(&seen, cpu))
			continue;
		if (cpu_read_set(sysfs, cpu, "topology/core_cpus_list", &core) &&
		    cpu_read_set(sysfs, cpu, "topology/thread_siblings_list", &core))
			cpuset_clear(&core);
		cpuset_add(&core, cpu);
		cpuset_and(&core, &m->online);
		cpuset_or(&seen, &core);
		m->cores = xrealloc(m->cores, (m->n_cores + 1) * sizeof(*m->cores));
		m->cores[m->n_cores++] = core;
	}
}

/* Threads of every core, or 0 when cores differ. */
static unsigned int machine_threads(const struct machine *m)
{
	unsigned int threads = cpuset_count(&m->cores[0]);
	size_t i;

	for (i = 1; i < m->n_cores; i++) {
		if (cpuset_count(&m->cores[i]) != threads)
			return 0;
	}
	return threads;
}

/* "NnLlCcTt" when all nodes, LLCs and cores are alike, else NULL. Caller frees. */
static char *machine_shape(const struct machine *m)
{
	unsigned int threads = machine_threads(m), llc_cpus = cpuset_count(&m->llcs[0]);
	unsigned int cpus = cpuset_count(&m->online), nodes = 0;
	size_t i;

	for (i = 0; i < m->n_nodes; i++)
		nodes += cpuset_count(&m->nodes[i]) > 0;
	if (!nodes || !threads || llc_cpus % threads || m->n_llcs % nodes)
		return NULL;
	for (i = 0; i < m->n_llcs; i++) {
		if (cpuset_count(&m->llcs[i]) != llc_cpus)
			return NULL;
	}
	for (i = 0; i < m->n_nodes; i++) {
		unsigned int n = cpuset_count(&m->nodes[i]);

		if (n && n != cpus / nodes)
			return NULL;
	}
	return xasprintf("%un%zul%uc%ut", nodes, m->n_llcs, llc_cpus / threads, threads);
}

void machine_read(struct machine *m, const char *sysfs)
{
	int last = -1;

	*m = (struct machine){};
	machine_read_online(m, sysfs);
	machine_read_llcs(m, sysfs);
	machine_read_nodes(m, sysfs);
	machine_read_memory(m, sysfs);
	machine_read_cores(m, sysfs);
	m->shape = machine_shape(m);
	/* The last CPU stays free for the root cgroup when there are more than two. */
	cpuset_clear(&m->usable);
	cpuset_for_each (cpu, &m->online) {
		if (last >= 0)
			cpuset_add(&m->usable, last);
		last = cpu;
	}
	if (last >= 0 && cpuset_count(&m->online) <= 2)
		cpuset_add(&m->usable, last);
}

void machine_free(struct machine *m)
{
	free(m->llcs);
	free(m->nodes);
	free(m->cores);
	free(m->shape);
	*m = (struct machine){};
}
