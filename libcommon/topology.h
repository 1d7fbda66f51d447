/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A CPU topology as declared: NUMA nodes, LLCs in total, cores per LLC, threads per core, written
 * "1n2l4c1t". CPU numbers run thread within core within LLC within node, so that each LLC and each
 * node holds one contiguous range.
 */
#ifndef KT_TOPOLOGY_H
#define KT_TOPOLOGY_H

#define TOPOLOGY_MAX_CPUS 4096

struct topology {
	unsigned int numa_nodes;
	unsigned int llcs;    /* over all nodes; numa_nodes divides it */
	unsigned int cores;   /* per LLC */
	unsigned int threads; /* per core */
};

/*
 * Parse "NnLlCcTt". Returns 0, or -EINVAL with *@why set to a static phrase that says what was
 * expected ("expected NnLlCcTt, for example 1n2l4c1t").
 */
int topology_parse(const char *text, struct topology *t, const char **why);

/* "1n2l4c1t". Caller frees. */
char *topology_format(const struct topology *t);

unsigned int topology_cpus(const struct topology *t);

/* First CPU of node @node, and how many CPUs a node holds. */
unsigned int topology_node_first_cpu(const struct topology *t, unsigned int node);
unsigned int topology_node_cpus(const struct topology *t);

#endif
