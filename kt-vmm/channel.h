/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The host's end of the channel (docs/channel.md). Sending never blocks: what the guest does not
 * take yet waits in a buffer, of a bounded size.
 */
#ifndef KT_CHANNEL_H
#define KT_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"

struct channel {
	int fd;	      /* a non-blocking socket, or a file that grows; -1 when there is none */
	bool is_file; /* a deterministic run's: only read, and its end is not the end */
	bool closed;  /* nothing more will come */
	struct frame_reader reader;
	uint8_t *out;
	size_t out_len, out_size;
};

/*
 * Make the channel. Returns the guest's end, which the caller owns, or -errno.
 */
int channel_open(struct channel *c, bool is_file);
void channel_close(struct channel *c);

/*
 * Send a frame, or keep it until channel_flush(). A file takes none: it is dropped. Returns 0,
 * -ENOBUFS when the guest leaves too much unread, -EPIPE when it is gone.
 */
int channel_send(struct channel *c, enum frame_type type, const void *data, size_t len);

/* Send what waits, as far as the guest takes it. Call when the socket is writable. */
int channel_flush(struct channel *c);

/*
 * The next frame, reading at most once. Returns as frame_reader_next() does. @ended says that the
 * VM is gone, so that the end of a file is final.
 */
int channel_next(struct channel *c, bool ended, struct frame *f, const char **why);

#endif
