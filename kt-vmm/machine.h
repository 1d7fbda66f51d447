/* SPDX-License-Identifier: GPL-2.0 */
/* The declared machine: CPUs by topology, memory and distances by node. */
#ifndef KT_MACHINE_H
#define KT_MACHINE_H

#include <stdint.h>

#include "topology.h"

#define MACHINE_MAX_NODES 64

struct machine {
	struct topology topology;
	/* The topology's nodes first, memory-only nodes after them. */
	unsigned int nodes;
	uint64_t node_memory[MACHINE_MAX_NODES];		/* bytes */
	uint8_t distance[MACHINE_MAX_NODES][MACHINE_MAX_NODES]; /* SLIT; 10 is local */
};

/* What the options said, before it is made into a machine. */
struct machine_options {
	const char *topology;
	const char *memory;
	const char **node_memory; /* "I:SIZE" */
	const char **distances;	  /* "A:B:D" */
};

/*
 * Build the machine. Memory is split evenly over the topology's nodes unless --node-memory says
 * otherwise for one; a node number beyond the topology makes a memory-only node. Mistakes end the
 * program with EXIT_USAGE.
 */
void machine_build(struct machine *m, const struct machine_options *o);

uint64_t machine_memory(const struct machine *m);

#endif
