/* SPDX-License-Identifier: GPL-2.0 */
/* Which CPUs share a last-level cache, from /sys/devices/system/cpu. */
#ifndef KT_SCHED_LLC_H
#define KT_SCHED_LLC_H

struct llc_map {
	unsigned int n_cpus; /* the highest possible CPU number plus one */
	unsigned int n_llcs;
	unsigned short *cpu_llc; /* n_cpus entries, each below n_llcs; malloc'ed */
};

/*
 * Read the map: LLCs are numbered by their lowest CPU, from 0. A CPU for which sysfs has no cache
 * (it is offline, or the machine hides them) is in LLC 0. Returns 0 or a negative errno: -ERANGE
 * for more than @max_cpus CPUs or @max_llcs LLCs.
 */
int llc_map_read(struct llc_map *map, unsigned int max_cpus, unsigned int max_llcs);

#endif
