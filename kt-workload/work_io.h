/* SPDX-License-Identifier: GPL-2.0 */
/* Files that work types write to and read from, and the wait for their disk. */
#ifndef KT_WORK_IO_H
#define KT_WORK_IO_H

#include <sys/types.h>

#include "telemetry.h"

#define IO_PIECE   4096
#define IO_PIECES  16 /* 64 KiB */
#define IO_WAIT_NS 100000

/* A file of its own and what tells how long its calls waited for a CPU. */
struct io_file {
	int fd;
	int schedstat; /* /proc/thread-self/schedstat, or -1 */
	bool has_disk; /* the file system keeps its data on one */
};

/*
 * Open an unlinked file below TMPDIR or /tmp. Returns 0 or -errno with rec->why filled in. It goes
 * away with the worker.
 */
int io_file_open(struct worker *w, struct io_file *f);

/* Write 64 KiB from @offset on, in pieces of 4 KiB of which each is a unit. */
bool io_write(struct worker *w, const struct io_file *f, off_t offset);

/*
 * Wait until what was written is on disk, or for 100 us where there is none. The disk's time is
 * part of the worker's gap, since nothing tells when the disk was ready; the time that the worker
 * then waited for a CPU is its wake latency. Returns what worker_checkpoint() does.
 */
bool io_flush(struct worker *w, const struct io_file *f);

/* Read @size bytes at @offset into @buf, with the same wait. */
bool io_read(struct worker *w, const struct io_file *f, int fd, void *buf, size_t size,
	     off_t offset);

#endif
