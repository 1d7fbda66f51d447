/* SPDX-License-Identifier: GPL-2.0 */
/* Where a worker's memory lies. */
#ifndef KT_NUMA_H
#define KT_NUMA_H

#include <stdbool.h>
#include <stdint.h>

#define NUMA_NODES_MAX 64

/* Pages by node, as counted at the worker's end. */
struct numa_pages {
	bool known;
	uint64_t on[NUMA_NODES_MAX];
};

/*
 * Count the caller's own pages: anonymous, present and mapped by nobody else
 * (Documentation/admin-guide/mm/pagemap.rst, bits 61, 63 and 56), each on the node that
 * move_pages(2) tells. Text, libraries and what a fork still shares are not the worker's to place.
 */
void numa_pages_count(struct numa_pages *p);

/*
 * How many pages automatic NUMA balancing has moved for the calling task so far
 * (numa_pages_migrated of /proc/PID/sched), or -1 on a kernel that does not tell.
 */
int64_t numa_pages_migrated(void);

#endif
