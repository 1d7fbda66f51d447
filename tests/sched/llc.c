// SPDX-License-Identifier: GPL-2.0
#include "llc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "cpuset.h"
#include "diag.h"
#include "quantity.h"

#define CPU_DIR "/sys/devices/system/cpu"

/* Read the first line of a file below CPU_DIR. Returns 0 or a negative errno. */
static int sysfs_read(char *line, size_t size, const char *path)
{
	_cleanup_free_ char *full = xasprintf(CPU_DIR "/%s", path);
	_cleanup_fclose_ FILE *f = fopen(full, "re");

	if (!f)
		return -errno;
	if (!fgets(line, size, f))
		return -EIO;
	line[strcspn(line, "\n")] = 0;
	return 0;
}

/* The CPUs that share @cpu's cache of the highest level. -ENOENT when sysfs shows none. */
static int llc_siblings(unsigned int cpu, struct cpuset *siblings)
{
	int64_t level, highest = 0;
	char line[8192];
	int i;

	for (i = 0;; i++) {
		_cleanup_free_ char *dir = xasprintf("cpu%u/cache/index%d", cpu, i);
		_cleanup_free_ char *level_file = xasprintf("%s/level", dir);
		_cleanup_free_ char *list_file = xasprintf("%s/shared_cpu_list", dir);

		if (sysfs_read(line, sizeof(line), level_file) || number_parse(line, 1, 16, &level))
			break;
		if (level <= highest)
			continue;
		if (sysfs_read(line, sizeof(line), list_file) || cpuset_parse(line, siblings))
			return -EIO;
		highest = level;
	}
	return highest ? 0 : -ENOENT;
}

int llc_map_read(struct llc_map *map, unsigned int max_cpus, unsigned int max_llcs)
{
	struct cpuset possible, seen, siblings;
	char line[8192];
	int err;

	err = sysfs_read(line, sizeof(line), "possible");
	if (!err)
		err = cpuset_parse(line, &possible);
	if (err)
		return err;
	*map = (struct llc_map){0};
	cpuset_for_each (cpu, &possible)
		map->n_cpus = cpu + 1;
	if (map->n_cpus > max_cpus)
		return -ERANGE;
	map->cpu_llc = xcalloc(map->n_cpus, sizeof(*map->cpu_llc));
	cpuset_clear(&seen);
	cpuset_for_each (cpu, &possible) {
		if (cpuset_has(&seen, cpu) || llc_siblings(cpu, &siblings))
			continue;
		cpuset_and(&siblings, &possible);
		cpuset_for_each (sibling, &siblings)
			map->cpu_llc[sibling] = map->n_llcs;
		cpuset_or(&seen, &siblings);
		if (++map->n_llcs > max_llcs)
			return -ERANGE;
	}
	if (!map->n_llcs)
		map->n_llcs = 1;
	return 0;
}
