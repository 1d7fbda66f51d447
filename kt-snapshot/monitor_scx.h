/* SPDX-License-Identifier: GPL-2.0 */
/* sched_ext's part of a sample: its state, and the event counters summed over the CPUs. */
#ifndef KT_SNAPSHOT_MONITOR_SCX_H
#define KT_SNAPSHOT_MONITOR_SCX_H

#include "json_text.h"
#include "spot.h"

struct monitor_scx;

struct monitor_scx *monitor_scx_open(struct kernel *k);
void monitor_scx_close(struct monitor_scx *m);

/* Have what the next sample reads on its way into the cache. */
void monitor_scx_prefetch(const struct monitor_scx *m);

/*
 * Add "scx_state" and "events". The events are null without a scheduler; also when one came or went
 * under our eyes, or a count was not believed, which "suspect" then says.
 */
void monitor_scx_add(struct monitor_scx *m, struct json_text *t);

#endif
