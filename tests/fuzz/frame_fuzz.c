// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target for what kt-vmm reads from a guest: no stream may crash the frame reader, and no
 * EXIT payload the reading of it. An input is two bytes and a list of frames without headers:
 *
 *   byte size of the pieces that the stream is fed in, byte 0: the rest is a raw stream | frames:
 *   byte type, byte flags (1: spoil the CRC, 2: spoil the length), u16 length, payload
 *
 * so that frames with a right CRC are as easy to find as wrong ones. tests/fuzz/run builds and runs
 * it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "frame.h"
#include "outcome.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Make a stream of the listed frames in @out, which has room for them. Returns its length. */
static size_t stream_build(uint8_t *out, const uint8_t *data, size_t size)
{
	size_t len = 0;

	while (size >= 4) {
		size_t want = data[2] | data[3] << 8, have = want < size - 4 ? want : size - 4, n;

		n = frame_encode(out + len, data[0], data + 4, have);
		if (data[1] & 1)
			out[len + 8] ^= 1;
		if (data[1] & 2)
			out[len + 3] ^= 0x80;
		len += n;
		data += 4 + have;
		size -= 4 + have;
	}
	return len;
}

static void exit_read(const struct frame *f)
{
	struct outcome o = {0};

	/* What is accepted has a name and a status; what is refused leaves the run unjudged. */
	if (outcome_from_exit(&o, f->data, f->len) ? o.name != NULL
						   : !o.name || o.status < 0 || o.status > 255)
		abort();
	outcome_free(&o);
}

/* Feed the stream in pieces through a file, as a deterministic run's channel is read. */
static void stream_read(const uint8_t *stream, size_t len, size_t piece)
{
	struct frame_reader r = {0};
	int fd = memfd_create("stream", MFD_CLOEXEC), got = 0;
	const char *why = NULL;
	struct frame f;
	size_t at, seen = 0;

	for (at = 0; at < len && got >= 0; at += piece) {
		size_t n = len - at < piece ? len - at : piece;

		if (pwrite(fd, stream + at, n, at) != (ssize_t)n ||
		    frame_reader_fill(&r, fd) != (long)n)
			abort();
		while ((got = frame_reader_next(&r, &f, &why)) > 0) {
			seen += FRAME_HEADER_SIZE + f.len;
			if (f.type < FRAME_HELLO || f.type >= FRAME_TYPE_END || seen > len)
				abort();
			if (f.type == FRAME_EXIT)
				exit_read(&f);
		}
	}
	if ((got < 0) != (why != NULL))
		abort();
	frame_reader_free(&r);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *stream;
	size_t len;

	if (size < 2)
		return 0;
	if (data[1]) {
		stream = malloc(size * (FRAME_HEADER_SIZE / 4 + 1));
		len = stream_build(stream, data + 2, size - 2);
	} else {
		stream = malloc(size);
		len = size - 2;
		memcpy(stream, data + 2, len);
	}
	stream_read(stream, len, (size_t)data[0] * 7 + 1);
	free(stream);
	/* Most of what can go wrong is in EXIT: every input is one, too. */
	exit_read(&(struct frame){.type = FRAME_EXIT, .len = size, .data = data});
	return 0;
}
