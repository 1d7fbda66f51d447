// SPDX-License-Identifier: GPL-2.0
#include "host_cpus.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"

#define NODES_MAX   1024
#define INDICES_MAX 10

/* The first line of a file, NULL when there is none. Caller frees. */
static char *line_read(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static char *line_read(const char *fmt, ...)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *path = NULL;
	char *line = NULL;
	size_t size = 0;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&path, fmt, ap) < 0)
		path = NULL;
	va_end(ap);
	f = path ? fopen(path, "re") : NULL;
	if (!f || getline(&line, &size, f) < 0) {
		free(line);
		return NULL;
	}
	line[strcspn(line, "\n")] = 0;
	return line;
}

/* The set that a file's line gives; takes the line. Empty when there is none. */
static struct cpuset set_take(char *line)
{
	struct cpuset s;

	cpuset_clear(&s);
	if (line && cpuset_parse(line, &s))
		cpuset_clear(&s);
	free(line);
	return s;
}

/* The CPUs that share the cache of the highest level with @cpu. */
static struct cpuset llc_read(const char *sysfs, int cpu)
{
	struct cpuset best, shared;
	long level, best_level = 0;
	int i;

	cpuset_clear(&best);
	for (i = 0; i < INDICES_MAX; i++) {
		_cleanup_free_ char *text =
			line_read("%s/devices/system/cpu/cpu%d/cache/index%d/level", sysfs, cpu, i);

		if (!text)
			break;
		level = strtol(text, NULL, 10);
		shared = set_take(
			line_read("%s/devices/system/cpu/cpu%d/cache/index%d/shared_cpu_list",
				  sysfs, cpu, i));
		if (level > best_level && cpuset_has(&shared, cpu)) {
			best = shared;
			best_level = level;
		}
	}
	return best;
}

static void nodes_read(struct host_cpus *h, const char *sysfs, struct cpuset *of_node)
{
	struct cpuset online = set_take(line_read("%s/devices/system/node/online", sysfs));
	int node, cpu;

	for (node = cpuset_next(&online, 0); node >= 0 && node < NODES_MAX;
	     node = cpuset_next(&online, node + 1)) {
		of_node[node] =
			set_take(line_read("%s/devices/system/node/node%d/cpulist", sysfs, node));
		for (cpu = cpuset_next(&of_node[node], 0); cpu >= 0;
		     cpu = cpuset_next(&of_node[node], cpu + 1))
			h->cpu[cpu].node = node;
	}
}

/* What sched_getaffinity(2) leaves of @set; all of it where @sysfs is not this host's. */
static void affinity_apply(struct cpuset *set, const char *sysfs)
{
	size_t size = CPU_ALLOC_SIZE(CPUSET_MAX);
	cpu_set_t *mine = CPU_ALLOC(CPUSET_MAX);
	struct cpuset allowed;
	unsigned int i;

	cpuset_clear(&allowed);
	if (!strcmp(sysfs, "/sys") && mine && !sched_getaffinity(0, size, mine)) {
		for (i = 0; i < CPUSET_MAX; i++) {
			if (CPU_ISSET_S(i, size, mine))
				cpuset_add(&allowed, i);
		}
		cpuset_and(set, &allowed);
	}
	CPU_FREE(mine);
}

int host_cpus_read(struct host_cpus *h, const char *sysfs)
{
	struct cpuset *of_node = xcalloc(NODES_MAX, sizeof(*of_node));
	int cpu, first;

	h->usable = set_take(line_read("%s/devices/system/cpu/online", sysfs));
	h->cpu = xcalloc(CPUSET_MAX, sizeof(*h->cpu));
	nodes_read(h, sysfs, of_node);
	for (cpu = cpuset_next(&h->usable, 0); cpu >= 0; cpu = cpuset_next(&h->usable, cpu + 1)) {
		struct cpuset llc = llc_read(sysfs, cpu);
		struct cpuset core = set_take(line_read(
			"%s/devices/system/cpu/cpu%d/topology/core_cpus_list", sysfs, cpu));

		first = cpuset_next(&core, 0);
		h->cpu[cpu].core = first < 0 ? cpu : first;
		first = cpuset_next(&llc, 0);
		if (first < 0)
			first = cpuset_next(&of_node[h->cpu[cpu].node], 0);
		h->cpu[cpu].llc = first < 0 ? 0 : first;
	}
	free(of_node);
	affinity_apply(&h->usable, sysfs);
	return cpuset_count(&h->usable) ? 0 : -ENODEV;
}

void host_cpus_free(struct host_cpus *h)
{
	free(take_ptr(h->cpu));
}
