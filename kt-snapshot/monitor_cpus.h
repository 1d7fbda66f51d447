/* SPDX-License-Identifier: GPL-2.0 */
/* The CPUs' part of a sample: each one's runqueue (struct rq) and the task that it runs. */
#ifndef KT_SNAPSHOT_MONITOR_CPUS_H
#define KT_SNAPSHOT_MONITOR_CPUS_H

#include "json_text.h"
#include "spot.h"

struct monitor_cpus;

/* @rq is the per-CPU address of the runqueues. */
struct monitor_cpus *monitor_cpus_open(struct kernel *k, uint64_t rq);
void monitor_cpus_close(struct monitor_cpus *m);

/* Have what the next sample reads on its way into the cache. */
void monitor_cpus_prefetch(const struct monitor_cpus *m);

/* Read all of them, and return the latest runqueue clock that is believed, in nanoseconds. */
uint64_t monitor_cpus_read(struct monitor_cpus *m);

/* Add "cpus", an array: what was read last. @t_ns is the guest's time then. */
void monitor_cpus_add(struct monitor_cpus *m, struct json_text *t, uint64_t t_ns);

#endif
