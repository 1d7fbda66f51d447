/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file without a name for what is over and only reported at the end, so that memory does not grow
 * with a scenario's length. It is in TMPDIR or /tmp, or in memory where no file can be made there.
 */
#ifndef KT_SPILL_H
#define KT_SPILL_H

#include <stddef.h>
#include <sys/types.h>

struct spill {
	int fd; /* -1: not open */
	off_t end;
};

/* Returns 0 or -errno. Release with spill_close(). */
int spill_open(struct spill *s);
void spill_close(struct spill *s);

/* Room for @size bytes, which read as zeros until they are written. Returns its offset. */
off_t spill_reserve(struct spill *s, size_t size);

/* All of it. Each returns 0 or -errno. */
int spill_write(const struct spill *s, off_t at, const void *data, size_t size);
int spill_read(const struct spill *s, off_t at, void *data, size_t size);

#endif
