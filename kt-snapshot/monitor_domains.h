/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The sched domains' figures of a sample: sums over the CPUs, level by level (struct sched_domain,
 * include/linux/sched/topology.h). The chains are followed anew when a runqueue has another one.
 */
#ifndef KT_SNAPSHOT_MONITOR_DOMAINS_H
#define KT_SNAPSHOT_MONITOR_DOMAINS_H

#include "json_text.h"
#include "spot.h"

struct monitor_domains;

/* @rq is the per-CPU address of the runqueues. NULL when this kernel has no sched domains. */
struct monitor_domains *monitor_domains_open(struct kernel *k, uint64_t rq);
void monitor_domains_close(struct monitor_domains *d);

/* Have what the next sample reads on its way into the cache. */
void monitor_domains_prefetch(const struct monitor_domains *d);

/* Add an array of levels, or null when the domains were changed under our eyes. */
void monitor_domains_add(struct monitor_domains *d, struct json_text *t);

#endif
