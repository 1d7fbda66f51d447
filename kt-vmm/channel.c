// SPDX-License-Identifier: GPL-2.0
#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"

/* More than a guest that follows the protocol ever leaves: credit bounds what it is sent. */
#define OUT_MAX (1 << 20)

int channel_open(struct channel *c, bool is_file)
{
	char path[64];
	int pair[2];

	memset(c, 0, sizeof(*c));
	c->fd = -1;
	c->is_file = is_file;
	if (!is_file) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
			return -errno;
		fcntl(pair[0], F_SETFL, O_NONBLOCK);
		c->fd = pair[0];
		return pair[1];
	}
	pair[1] = memfd_create("kt-channel", MFD_CLOEXEC);
	if (pair[1] < 0)
		return -errno;
	/* An open of its own: reading here must not move the writer. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", pair[1]);
	c->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (c->fd < 0) {
		int err = -errno;

		close(pair[1]);
		return err;
	}
	return pair[1];
}

void channel_close(struct channel *c)
{
	cleanup_closep(&c->fd);
	c->fd = -1;
	free(take_ptr(c->out));
	frame_reader_free(&c->reader);
}

int channel_flush(struct channel *c)
{
	while (c->out_len) {
		ssize_t n = send(c->fd, c->out, c->out_len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -EPIPE;
		memmove(c->out, c->out + n, c->out_len - n);
		c->out_len -= n;
	}
	return 0;
}

int channel_send(struct channel *c, enum frame_type type, const void *data, size_t len)
{
	size_t need = c->out_len + FRAME_HEADER_SIZE + len;

	if (c->is_file)
		return 0;
	if (need > OUT_MAX)
		return -ENOBUFS;
	if (need > c->out_size) {
		c->out_size = 2 * need;
		c->out = xrealloc(c->out, c->out_size);
	}
	c->out_len += frame_encode(c->out + c->out_len, type, data, len);
	return channel_flush(c);
}

int channel_next(struct channel *c, bool ended, struct frame *f, const char **why)
{
	int got = frame_reader_next(&c->reader, f, why);
	long n;

	if (got || c->closed)
		return got;
	n = frame_reader_fill(&c->reader, c->fd);
	if (n <= 0) {
		c->closed = c->is_file ? ended && n == 0 : n != -EAGAIN;
		return 0;
	}
	return frame_reader_next(&c->reader, f, why);
}
