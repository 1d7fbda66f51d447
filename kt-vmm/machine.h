/* SPDX-License-Identifier: GPL-2.0 */
/* The declared machine: CPUs by topology, memory and distances by node. */
#ifndef KT_MACHINE_H
#define KT_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "topology.h"

#define MACHINE_MAX_NODES 64

struct machine {
	struct topology topology;
	/* The topology's nodes first, memory-only nodes after them. */
	unsigned int nodes;
	uint64_t node_memory[MACHINE_MAX_NODES];		/* bytes */
	uint8_t distance[MACHINE_MAX_NODES][MACHINE_MAX_NODES]; /* SLIT; 10 is local */
	/* HMAT, from a node with CPUs to a node's memory; 0 is not told. */
	bool hmat;
	uint32_t latency_ns[MACHINE_MAX_NODES][MACHINE_MAX_NODES];
	uint32_t bandwidth_mbs[MACHINE_MAX_NODES][MACHINE_MAX_NODES]; /* MiB/s */
};

/* What the options said, before it is made into a machine. */
struct machine_options {
	const char *topology;
	const char *memory;
	const char **node_memory; /* "I:SIZE" */
	const char **distances;	  /* "A:B:D" */
	const char **latencies;	  /* "A:B:NS" */
	const char **bandwidths;  /* "A:B:MIBS" */
};

/*
 * Build the machine. Memory is split evenly over the topology's nodes unless --node-memory says
 * otherwise for one; a node number beyond the topology makes a memory-only node. Mistakes end the
 * program with EXIT_USAGE.
 */
void machine_build(struct machine *m, const struct machine_options *o);

/* The node with CPUs that is nearest to @node: itself, if it has some. */
unsigned int machine_initiator(const struct machine *m, unsigned int node);

uint64_t machine_memory(const struct machine *m);

#endif
