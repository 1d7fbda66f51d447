/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a kernel keeps sched_ext's state (kernel/sched/ext.c, kernel/sched/ext/): that of a
 * scheduler is in static variables up to 6.15, in struct scx_sched from 6.16 on.
 */
#ifndef KT_SNAPSHOT_SCX_H
#define KT_SNAPSHOT_SCX_H

#include "kernel.h"

#define SCX_MAX_EVENTS 64

/* One counter of struct scx_event_stats. */
struct scx_event {
	char name[48]; /* "select_cpu_fallback" */
	uint32_t offset;
};

/* The counters that this kernel has, in its order. Returns how many. */
size_t scx_events(const struct kernel *k, struct scx_event events[SCX_MAX_EVENTS]);

/*
 * The per-CPU address (kernel_per_cpu()) of the struct scx_event_stats of the scheduler at @root;
 * where there is no struct scx_sched, @root is not looked at. Returns 0, -ENOENT when this kernel
 * has none, or -EFAULT.
 */
int scx_events_address(struct kernel *k, uint64_t root, uint64_t *address);

/* The variable with the enable state, or NULL. */
const char *scx_state_symbol(const struct kernel *k);

/*
 * The name of @value of enum @type, in lower case and without @prefix ("scx_"); "unknown" when it
 * has none. @buf holds it.
 */
const char *scx_enum_name(const struct kernel *k, const char *type, const char *prefix,
			  int64_t value, char *buf, size_t size);

/* The same of an enable state. */
const char *scx_state_name(const struct kernel *k, int64_t value, char *buf, size_t size);

/*
 * The names of the bits in @value that enum @type has, an array, each like scx_enum_name()'s; bits
 * without a name are left out.
 */
json_t *scx_flag_names(const struct kernel *k, const char *type, const char *prefix,
		       uint64_t value);

/* @text as JSON; bytes that are not printable ASCII become '?'. */
json_t *scx_text(const char *text);

/* A jiffy in nanoseconds, or 0: this kernel does not say. */
uint64_t scx_tick_ns(struct kernel *k);

#endif
