// SPDX-License-Identifier: GPL-2.0
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"
#include "exits.h"
#include "quantity.h"

/* ACPI 6.5 5.2.17: 10 is the node itself; 255 means unreachable. */
#define DISTANCE_LOCAL	10
#define DISTANCE_REMOTE 20
#define DISTANCE_MAX	254

/* ACPI 6.5 5.2.27.4: 0 means nothing is told, 0xffff unreachable. */
#define HMAT_MAX 65534

#define NODE_MIN_MEMORY (16ULL << 20)
#define MIN_MEMORY	(96ULL << 20)
/* Above it QEMU's errors would be the first to say that no host has this much. */
#define MAX_MEMORY (4ULL << 40)

/* The memory @size, which is @text or its end, of @option. */
static uint64_t memory_parse(const char *option, const char *text, const char *size)
{
	uint64_t bytes;

	if (size_parse(size, &bytes))
		die(EXIT_USAGE, "%s '%s': expected a size such as 512M or 2G", option, text);
	if (bytes % (1 << 20))
		die(EXIT_USAGE, "%s '%s': expected whole MiB, for example 512M", option, text);
	if (bytes > MAX_MEMORY)
		die(EXIT_USAGE, "%s '%s': expected at most 4T", option, text);
	return bytes;
}

static void node_memory_apply(struct machine *m, const char *text)
{
	const char *colon = strchr(text, ':');
	char *end;
	unsigned long node = strtoul(text, &end, 10);

	if (!colon || end != colon || end == text)
		die(EXIT_USAGE, "--node-memory '%s': expected NODE:SIZE, for example 2:512M", text);
	if (node > m->nodes || node >= MACHINE_MAX_NODES)
		die(EXIT_USAGE, "--node-memory '%s': expected node 0 to %u", text, m->nodes);
	if (node == m->nodes)
		m->nodes++;
	m->node_memory[node] = memory_parse("--node-memory", text, colon + 1);
	if (m->node_memory[node] < NODE_MIN_MEMORY)
		die(EXIT_USAGE, "--node-memory '%s': expected at least 16M", text);
}

static void distance_apply(struct machine *m, const char *text)
{
	unsigned int a, b, d;
	char extra;

	if (sscanf(text, "%u:%u:%u%c", &a, &b, &d, &extra) != 3)
		die(EXIT_USAGE, "--distance '%s': expected NODE:NODE:DISTANCE, for example 0:1:21",
		    text);
	if (a >= m->nodes || b >= m->nodes || a == b)
		die(EXIT_USAGE, "--distance '%s': expected two different nodes of 0 to %u", text,
		    m->nodes - 1);
	if (d <= DISTANCE_LOCAL || d > DISTANCE_MAX)
		die(EXIT_USAGE, "--distance '%s': expected a distance of 11 to 254", text);
	m->distance[a][b] = m->distance[b][a] = d;
}

/* @value of access from A to B, as @option says it; a table entry has 16 bits, two values of which
 * are taken. */
static void access_apply(struct machine *m, const char *option, const char *text,
			 uint32_t value[][MACHINE_MAX_NODES], const char *example)
{
	unsigned int a, b, v;
	char extra;

	if (sscanf(text, "%u:%u:%u%c", &a, &b, &v, &extra) != 3 || !v || v > HMAT_MAX)
		die(EXIT_USAGE, "%s '%s': expected NODE:NODE:N with N from 1 to %d, for example %s",
		    option, text, HMAT_MAX, example);
	if (a >= m->topology.numa_nodes || b >= m->nodes)
		die(EXIT_USAGE,
		    "%s '%s': expected a node with CPUs (0 to %u), then a node (0 to %u)", option,
		    text, m->topology.numa_nodes - 1, m->nodes - 1);
	value[a][b] = v;
	m->hmat = true;
}

void machine_build(struct machine *m, const struct machine_options *o)
{
	uint64_t total = memory_parse("-m", o->memory, o->memory), share;
	unsigned int i, j;
	const char *why;

	memset(m, 0, sizeof(*m));
	if (topology_parse(o->topology, &m->topology, &why))
		die(EXIT_USAGE, "topology '%s': %s", o->topology, why);
	if (m->topology.numa_nodes > MACHINE_MAX_NODES)
		die(EXIT_USAGE, "topology '%s': expected at most %d NUMA nodes", o->topology,
		    MACHINE_MAX_NODES);
	m->nodes = m->topology.numa_nodes;
	share = total / m->nodes & ~((1ULL << 20) - 1);
	for (i = 0; i < m->nodes; i++)
		m->node_memory[i] = share;
	for (i = 0; o->node_memory && o->node_memory[i]; i++)
		node_memory_apply(m, o->node_memory[i]);
	if (machine_memory(m) > MAX_MEMORY)
		die(EXIT_USAGE, "--node-memory: expected at most 4T over all nodes");
	for (i = 0; i < m->nodes; i++) {
		for (j = 0; j < m->nodes; j++)
			m->distance[i][j] = i == j ? DISTANCE_LOCAL : DISTANCE_REMOTE;
	}
	for (i = 0; o->distances && o->distances[i]; i++)
		distance_apply(m, o->distances[i]);
	for (i = 0; o->latencies && o->latencies[i]; i++)
		access_apply(m, "--latency", o->latencies[i], m->latency_ns, "0:1:180 (ns)");
	for (i = 0; o->bandwidths && o->bandwidths[i]; i++)
		access_apply(m, "--bandwidth", o->bandwidths[i], m->bandwidth_mbs,
			     "0:1:20000 (MiB/s)");
	if (share < NODE_MIN_MEMORY || machine_memory(m) < MIN_MEMORY)
		die(EXIT_USAGE, "-m '%s': expected at least 96M, and 16M for each NUMA node",
		    o->memory);
}

uint64_t machine_memory(const struct machine *m)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < m->nodes; i++)
		sum += m->node_memory[i];
	return sum;
}

unsigned int machine_initiator(const struct machine *m, unsigned int node)
{
	unsigned int i, best = 0;

	if (node < m->topology.numa_nodes)
		return node;
	for (i = 1; i < m->topology.numa_nodes; i++) {
		if (m->distance[i][node] < m->distance[best][node])
			best = i;
	}
	return best;
}
