/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The monitor: samples of a guest that runs on meanwhile, a JSON object a line (docs/monitor.md;
 * kt-assert judges them). Where the numbers lie is found out once; a sample is plain loads from the
 * mapped RAM. What cannot be read is null, what is not believed is null and named.
 *
 * A write(2) to a file costs as much as the rest of a sample: lines for a file are collected for a
 * second at most. Any other descriptor, a pipe or a terminal, gets each at once.
 *
 *	struct monitor *m = monitor_open(&session, fd, 100000000, &why);
 *
 *	for (;;) {
 *		... poll() until now_ns() >= monitor_due(m) ...
 *		err = monitor_sample(m);
 *	}
 *	err = monitor_close(m);
 */
#ifndef KT_SNAPSHOT_MONITOR_H
#define KT_SNAPSHOT_MONITOR_H

#include "session.h"

#define MONITOR_INTERVAL_NS	100000000ULL
#define MONITOR_MIN_INTERVAL_NS 1000000ULL

struct monitor;

/*
 * Get ready to sample the kernel of @s every @interval_ns (MONITOR_MIN_INTERVAL_NS at least) into
 * @fd. Both stay the caller's and are used until monitor_close(); @fd may be a file or a pipe, and
 * should block. The control socket is not used. Returns NULL with *@why malloc'ed when the kernel
 * has no runqueues to be found.
 */
struct monitor *monitor_open(struct session *s, int fd, uint64_t interval_ns, char **why);

/* When the next sample is due, by now_ns(). Intervals that were missed are passed over. */
uint64_t monitor_due(const struct monitor *m);

/*
 * Take a sample now: one line more. None while the guest's clock has not got later (a guest that
 * was frozen for long has first to catch up). Returns 0, or -errno of write(2): nobody reads it any
 * more, the disk is full.
 */
int monitor_sample(struct monitor *m);

/* Lines so far. */
uint64_t monitor_count(const struct monitor *m);

/* Write what is collected, and release @m, which may be NULL. Returns 0 or -errno of write(2). */
int monitor_close(struct monitor *m);

#endif
