/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The channel between kt-vmm on the host and kt-init in the guest: framed messages over a byte
 * stream, the same both ways. docs/channel.md is the specification.
 *
 *   u32 length of the payload | u32 type | u32 CRC32 of type and payload | payload
 *
 * with little-endian numbers.
 *
 * Neither end trusts the other: a frame that is too long, of an unknown type or with a wrong CRC
 * ends the conversation with an error.
 */
#ifndef KT_FRAME_H
#define KT_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_HEADER_SIZE 12
#define FRAME_MAX_PAYLOAD (256 * 1024)

enum frame_type {
	FRAME_HELLO = 1, /* guest: JSON, first frame; vmcoreinfo, kernel, cpus */
	FRAME_STDOUT,	 /* guest: bytes of the command's stdout */
	FRAME_STDERR,	 /* guest: bytes of its stderr */
	FRAME_SCHED,	 /* guest: bytes of the scheduler's stdout and stderr */
	FRAME_EVENT,	 /* guest: one JSON object */
	FRAME_REQUEST,	 /* guest: one JSON object, answered by REPLY */
	FRAME_REPLY,	 /* host: one JSON object */
	FRAME_EXIT,	 /* guest: JSON, last frame: how the run ended */
	FRAME_BYE,	 /* host: EXIT has arrived, power off */
	FRAME_STDIN,	 /* host: bytes for the command's stdin; empty is end of file */
	FRAME_CREDIT,	 /* guest: u32, how many more STDIN bytes it takes */
	FRAME_PING,	 /* host: is kt-init alive? */
	FRAME_PONG,	 /* guest: yes */
	FRAME_WINSIZE,	 /* host: u16 rows, u16 columns of the terminal (--shell) */
	FRAME_TYPE_END,
};

struct frame {
	enum frame_type type;
	uint32_t len;
	const uint8_t *data; /* inside the reader's buffer; valid until its next call */
};

/* Write a frame to @fd, blocking until all is written. Returns 0 or -errno. */
int frame_send(int fd, enum frame_type type, const void *data, size_t len);

/* Append a frame's bytes to @out (at least FRAME_HEADER_SIZE + len bytes). Returns their number. */
size_t frame_encode(uint8_t *out, enum frame_type type, const void *data, size_t len);

/* Incremental reader; zero-initialise, frame_reader_free() releases it. */
struct frame_reader {
	uint8_t *buf;
	size_t start, end;
};

/*
 * Read once from @fd into the buffer. Returns the number of bytes read, 0 at end of file, -EAGAIN
 * when nothing is there (non-blocking @fd), or another negative errno.
 */
long frame_reader_fill(struct frame_reader *r, int fd);

/*
 * Take the next whole frame out of the buffer. Returns 1 with *@f set, 0 when more bytes are
 * needed, or -EBADMSG with *@why set to what is wrong with the stream.
 */
int frame_reader_next(struct frame_reader *r, struct frame *f, const char **why);

void frame_reader_free(struct frame_reader *r);

#endif
