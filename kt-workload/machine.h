/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The machine's CPUs as sysfs shows them (Documentation/ABI/stable/sysfs-devices-system-cpu and
 * .../sysfs-devices-node): which are online, which share a last-level cache, which share a node.
 */
#ifndef KT_MACHINE_H
#define KT_MACHINE_H

#include "cpuset.h"

struct machine {
	struct cpuset online;
	struct cpuset usable; /* what fractional CPU sets share out */
	struct cpuset *llcs;  /* ordered by their first CPU */
	size_t n_llcs;
	struct cpuset *nodes; /* indexed by node number; empty for a memory-only or missing node */
	size_t n_nodes;
	struct cpuset *cores; /* the threads of each, ordered by their first CPU */
	size_t n_cores;
	struct cpuset memory_nodes; /* the nodes that have memory */
	char *shape;		    /* "1n2l2c1t", or NULL when the machine is not uniform */
};

/*
 * Read the machine below @sysfs ("/sys"). Missing files are not errors: without cache files the
 * CPUs of a package form one LLC, without node files all CPUs are node 0, without anything the
 * CPUs this process may use are the machine. Release with machine_free().
 */
void machine_read(struct machine *m, const char *sysfs);

/* The CPUs that are online now. Returns 0 or -errno. */
int machine_online(const char *sysfs, struct cpuset *online);
void machine_free(struct machine *m);

#endif
