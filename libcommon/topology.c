// SPDX-License-Identifier: GPL-2.0
#include "topology.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>

#include "cleanup.h"
#include "diag.h"

/* Read "NUMBER LETTER" at *@p; numbers are 1..TOPOLOGY_MAX_CPUS. */
static int dimension(const char **p, char letter, unsigned int *out)
{
	unsigned int v = 0;

	if (!isdigit((unsigned char)**p))
		return -EINVAL;
	for (; isdigit((unsigned char)**p); (*p)++) {
		v = v * 10 + (**p - '0');
		if (v > TOPOLOGY_MAX_CPUS)
			return -ERANGE;
	}
	if (!v || *(*p)++ != letter)
		return -EINVAL;
	*out = v;
	return 0;
}

int topology_parse(const char *text, struct topology *t, const char **why)
{
	unsigned long long cpus;

	*why = "expected NnLlCcTt, for example 1n2l4c1t";
	if (dimension(&text, 'n', &t->numa_nodes) || dimension(&text, 'l', &t->llcs) ||
	    dimension(&text, 'c', &t->cores) || dimension(&text, 't', &t->threads) || *text)
		return -EINVAL;
	if (t->llcs % t->numa_nodes) {
		*why = "expected a number of LLCs that divides evenly over the NUMA nodes";
		return -EINVAL;
	}
	cpus = 1ULL * t->llcs * t->cores * t->threads;
	if (cpus > TOPOLOGY_MAX_CPUS) {
		*why = "expected at most 4096 CPUs";
		return -EINVAL;
	}
	return 0;
}

char *topology_format(const struct topology *t)
{
	return xasprintf("%un%ul%uc%ut", t->numa_nodes, t->llcs, t->cores, t->threads);
}

unsigned int topology_cpus(const struct topology *t)
{
	return t->llcs * t->cores * t->threads;
}

unsigned int topology_node_cpus(const struct topology *t)
{
	return topology_cpus(t) / t->numa_nodes;
}

unsigned int topology_node_first_cpu(const struct topology *t, unsigned int node)
{
	return node * topology_node_cpus(t);
}
