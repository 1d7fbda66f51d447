/* SPDX-License-Identifier: GPL-2.0 */
/*
 * --perf: run the machine on host CPUs of its own, laid out as the declared one is. Each virtual
 * LLC has a host LLC for itself, each virtual core a host core, and our own threads a CPU that no
 * vCPU is on. What the host or its permissions do not allow is told, part by part.
 */
#ifndef KT_PERF_H
#define KT_PERF_H

#include "engine.h"
#include "host_cpus.h"

struct perf {
	struct host_cpus host;
	unsigned int n_cpus;
	unsigned int *cpu;  /* host CPU of each vCPU */
	unsigned int *node; /* host node of each of the machine's nodes with CPUs */
	unsigned int n_nodes;
	unsigned int service; /* the CPU of our own threads */
	int *locks;	      /* held LLCs */
	unsigned int n_locks;
};

/*
 * Plan, and lock the LLCs. 0, or -errno with *@why a malloc'ed phrase that says what is too small
 * or taken. perf_free() gives the locks back.
 */
int perf_plan(struct perf *p, const struct topology *t, const char *sysfs, char **why);
void perf_free(struct perf *p);

/* Warn of what the host as a whole does not give: huge pages. */
void perf_check_host(const char *sysfs);

/* Have each node's memory come from the host node that its CPUs are on. */
void perf_memory(const struct perf *p, const struct engine_config *c);

/* Pin the threads and raise the vCPUs' priority. */
void perf_threads(const struct perf *p, const struct engine_threads *t);

/* "0,1 4,5" : the host CPUs by virtual LLC. Caller frees. */
char *perf_format(const struct perf *p, const struct topology *t);

#endif
