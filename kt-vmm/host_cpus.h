/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The host's CPUs as sysfs shows them (Documentation/ABI/stable/sysfs-devices-system-cpu and
 * .../sysfs-devices-node): which share a core, a last-level cache, a NUMA node.
 */
#ifndef KT_HOST_CPUS_H
#define KT_HOST_CPUS_H

#include "cpuset.h"

struct host_cpu {
	unsigned int core; /* the first CPU of its core stands for it, */
	unsigned int llc;  /* and so for its last-level cache */
	unsigned int node;
};

struct host_cpus {
	struct cpuset usable; /* online, and this process may run there */
	struct host_cpu *cpu; /* by number, CPUSET_MAX of them; malloc'ed */
};

/*
 * Read what is below @sysfs ("/sys"). A CPU without a described cache shares one with its whole
 * node. 0, or -errno when the online CPUs are not told. Free with host_cpus_free().
 */
int host_cpus_read(struct host_cpus *h, const char *sysfs);
void host_cpus_free(struct host_cpus *h);

#endif
