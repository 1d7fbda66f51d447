/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Monitor data: what was sampled from the guest's memory while a run went on, JSON Lines with a
 * sample on each, read as a stream: one sample is kept at a time.
 */
#ifndef KT_ASSERT_MONITOR_H
#define KT_ASSERT_MONITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A runqueue; BIND_NONE where a value is null: it could not be read. */
struct monitor_cpu {
	int64_t nr_running, local_dsq_depth;
	int64_t rq_clock; /* ns */
	bool preempted;	  /* the host had taken the vCPU off its CPU */
};

/* Counts since the scheduler was loaded; BIND_NONE: there was no scheduler. */
struct monitor_events {
	int64_t select_cpu_fallback, dispatch_keep_last;
};

struct monitor_sample {
	int64_t t_ns;
	struct monitor_cpu *cpus; /* by position */
	size_t n_cpus, max_cpus;
	struct monitor_events events;
	/* While reading. */
	struct monitor_cpu next_cpu;
	int64_t listed;
};

/*
 * Read @fd to its end and hand each sample to @take, in order; it is gone after the call. Returns
 * 0, -EBADMSG for malformed input, -ENODATA when the last sample is cut short, or another negative
 * errno from read(2); *@message is then one line, without the file's name, that the caller frees.
 */
int monitor_read(int fd, void (*take)(void *ctx, const struct monitor_sample *s), void *ctx,
		 char **message);

#endif
