// SPDX-License-Identifier: GPL-2.0
/*
 * I/O family: workers that wait for a disk.
 *
 * io-sync-write writes 64 KiB in pieces of 4 KiB, then waits for the disk: the page cache,
 * fdatasync(2), io_schedule(), a wake-up from the completion's interrupt. A work unit is one piece
 * written, an iteration one flush.
 *
 * io-rand-read reads 4 KiB at random offsets of an 8 MiB file past the page cache (O_DIRECT):
 * submission, io_schedule(), many short waits in state D. A work unit is one read, and so is an
 * iteration.
 *
 * io-convoy writes 4 KiB in sequence and reads 4 KiB at random in turns, and flushes after every
 * 16 pairs: readers that wait behind others' flushes. A work unit is one write or one read, an
 * iteration one flush.
 *
 * Files are unlinked ones below TMPDIR or /tmp. Where their file system keeps no disk (tmpfs), a
 * sleep of 100 us stands for each wait. What the disk takes counts as a gap, for nothing tells when
 * it was ready. The wake latency is the time that the worker waited for a CPU during the call
 * (run_delay), or for its sleep the time from its end.
 */
#include "work_io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "work_common.h"

#define FILE_SIZE (8 << 20)
#define FILL_SIZE (1 << 20)
#define ALIGNMENT 4096

static bool has_disk(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC;
}

int io_file_open(struct worker *w, struct io_file *f)
{
	const char *dir = getenv("TMPDIR");

	if (!dir || !*dir)
		dir = "/tmp";
	f->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (f->fd < 0)
		return worker_fail(w, errno, "cannot make a file in %.80s", dir);
	f->has_disk = has_disk(f->fd);
	f->schedstat = run_delay_open();
	return 0;
}

/* Returns whether all was written; a full disk is told of. */
static bool piece_write(struct worker *w, const struct io_file *f, const char *piece, off_t offset)
{
	ssize_t n = pwrite(f->fd, piece, IO_PIECE, offset);

	if (n != IO_PIECE)
		worker_lacks(w, n < 0 ? errno : ENOSPC, "cannot write to its file");
	return n == IO_PIECE;
}

bool io_write(struct worker *w, const struct io_file *f, off_t offset)
{
	static const char piece[IO_PIECE];
	int i;

	for (i = 0; i < IO_PIECES; i++) {
		bool done = piece_write(w, f, piece, offset + i * IO_PIECE);

		if (!worker_checkpoint(w, done))
			return false;
	}
	return true;
}

/* A call that may have waited is over; @delay is run_delay from before. */
static bool waited(struct worker *w, const struct io_file *f, uint64_t delay)
{
	uint64_t after = run_delay_read(f->schedstat);

	if (after && w->rec->wake)
		histogram_add(w->rec->wake, after - delay);
	return worker_checkpoint(w, 0);
}

bool io_flush(struct worker *w, const struct io_file *f)
{
	uint64_t delay;

	if (!f->has_disk)
		return worker_sleep_until(w, worker_now(w) + IO_WAIT_NS);
	delay = run_delay_read(f->schedstat);
	if (fdatasync(f->fd)) /* also where blocks are given out only now */
		worker_lacks(w, errno, "cannot write its file to the disk");
	return waited(w, f, delay);
}

bool io_read(struct worker *w, const struct io_file *f, int fd, void *buf, size_t size,
	     off_t offset)
{
	uint64_t delay = f->has_disk ? run_delay_read(f->schedstat) : 0;

	ssize_t n = pread(fd, buf, size, offset);

	if (n < 0)
		worker_lacks(w, errno, "cannot read its file");
	w->tally->units += n == (ssize_t)size;
	if (f->has_disk)
		return waited(w, f, delay);
	return worker_sleep_until(w, worker_now(w) + IO_WAIT_NS);
}

static int sync_write_setup(struct worker *w)
{
	w->own = worker_memory(w, sizeof(struct io_file));
	return w->own ? io_file_open(w, w->own) : -ENOMEM;
}

static void io_sync_write(struct worker *w)
{
	const struct io_file *f = w->own;

	while (io_write(w, f, 0) && io_flush(w, f))
		worker_iteration(w);
}

/* A filled file and a second way to it that goes past the page cache. */
struct reader {
	struct io_file file;
	int direct;
	char *buf;
	uint64_t random;
};

static int reader_setup(struct worker *w)
{
	struct reader *r = worker_memory(w, sizeof(*r));
	char path[32];
	int ret, at;

	if (!r)
		return -ENOMEM;
	w->own = r;
	r->random = random_seed(w);
	ret = io_file_open(w, &r->file);
	if (ret)
		return ret;
	r->buf = worker_memory(w, FILL_SIZE); /* page-aligned, as O_DIRECT wants it */
	if (!r->buf)
		return -ENOMEM;
	for (at = 0; at < FILE_SIZE; at += FILL_SIZE) {
		if (pwrite(r->file.fd, r->buf, FILL_SIZE, at) != FILL_SIZE)
			return worker_fail(w, errno, "cannot fill a file of %d bytes", FILE_SIZE);
	}
	if (fsync(r->file.fd))
		return worker_fail(w, errno, "cannot write a file of %d bytes", FILE_SIZE);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", r->file.fd);
	r->direct = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (r->direct < 0) /* a file system without it, as tmpfs: from the page cache then */
		r->direct = r->file.fd;
	return 0;
}

static bool read_random(struct worker *w, struct reader *r)
{
	off_t offset = random_next(&r->random) % (FILE_SIZE / IO_PIECE) * IO_PIECE;

	return io_read(w, &r->file, r->direct, r->buf, IO_PIECE, offset);
}

static void io_rand_read(struct worker *w)
{
	while (read_random(w, w->own))
		worker_iteration(w);
}

#define CONVOY_PAIRS 16

static void io_convoy(struct worker *w)
{
	struct reader *r = w->own;
	off_t at = 0;
	int i;

	do {
		for (i = 0; i < CONVOY_PAIRS; i++) {
			bool done = piece_write(w, &r->file, r->buf, FILE_SIZE + at);

			at = (at + IO_PIECE) % FILE_SIZE;
			if (!worker_checkpoint(w, done) || !read_random(w, r))
				return;
		}
		worker_iteration(w);
	} while (io_flush(w, &r->file));
}

#define WAKE "the moment that the disk's completion made it runnable (run_delay of the call)"

const struct work_type work_io_types[] = {
	{
		.name = "io-sync-write",
		.family = "io",
		.unit = "4 KiB written",
		.path = "the page cache, waits for a disk, wake-ups by its completion",
		.about = "Writes 64 KiB, then waits for them to be on disk (fdatasync(2)), or for "
			 "100 us where the file system has no disk. The disk's time counts as a "
			 "gap.",
		.wake = WAKE,
		.blocks = true,
		.setup = sync_write_setup,
		.run = io_sync_write,
	},
	{
		.name = "io-rand-read",
		.family = "io",
		.unit = "4 KiB read",
		.path = "many short waits for a disk",
		.about =
			"Reads 4 KiB at random offsets of a file of 8 MiB, past the page cache; "
			"without a disk, a wait of 100 us comes after each. The disk's time counts "
			"as a gap.",
		.wake = WAKE,
		.blocks = true,
		.setup = reader_setup,
		.run = io_rand_read,
	},
	{
		.name = "io-convoy",
		.family = "io",
		.unit = "4 KiB written or read",
		.path = "readers and writers that wait behind flushes",
		.about = "Writes 4 KiB in sequence and reads 4 KiB at random in turns, and flushes "
			 "after 16 of each. The disk's time counts as a gap.",
		.wake = WAKE,
		.blocks = true,
		.setup = reader_setup,
		.run = io_convoy,
	},
	{},
};
