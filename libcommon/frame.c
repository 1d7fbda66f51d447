// SPDX-License-Identifier: GPL-2.0
#include "frame.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include <zlib.h>

#include "diag.h"

#define READER_SIZE (2 * (FRAME_HEADER_SIZE + FRAME_MAX_PAYLOAD))

static void put_le32(uint8_t *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, 4);
}

static uint32_t get_le32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return le32toh(v);
}

/* CRC of the type word and the payload. */
static uint32_t frame_crc(const uint8_t *type, const void *data, size_t len)
{
	uLong crc = crc32(0, type, 4);

	return len ? crc32(crc, data, len) : crc;
}

static void header_encode(uint8_t *h, enum frame_type type, const void *data, size_t len)
{
	put_le32(h, len);
	put_le32(h + 4, type);
	put_le32(h + 8, frame_crc(h + 4, data, len));
}

size_t frame_encode(uint8_t *out, enum frame_type type, const void *data, size_t len)
{
	header_encode(out, type, data, len);
	if (len)
		memcpy(out + FRAME_HEADER_SIZE, data, len);
	return FRAME_HEADER_SIZE + len;
}

int frame_send(int fd, enum frame_type type, const void *data, size_t len)
{
	uint8_t header[FRAME_HEADER_SIZE];
	struct iovec iov[2] = {{header, sizeof(header)}, {(void *)data, len}};
	int i = 0;

	if (len > FRAME_MAX_PAYLOAD)
		return -EMSGSIZE;
	header_encode(header, type, data, len);
	while (i < 2) {
		ssize_t n = writev(fd, iov + i, 2 - i);

		if (n < 0) {
			struct pollfd p = {fd, POLLOUT, 0};

			if (errno == EINTR)
				continue;
			if (errno != EAGAIN)
				return -errno;
			poll(&p, 1, -1);
			continue;
		}
		while (i < 2 && (size_t)n >= iov[i].iov_len)
			n -= iov[i++].iov_len;
		if (i < 2) {
			iov[i].iov_base = (char *)iov[i].iov_base + n;
			iov[i].iov_len -= n;
		}
	}
	return 0;
}

long frame_reader_fill(struct frame_reader *r, int fd)
{
	ssize_t n;

	if (!r->buf)
		r->buf = xmalloc(READER_SIZE);
	if (r->start) {
		memmove(r->buf, r->buf + r->start, r->end - r->start);
		r->end -= r->start;
		r->start = 0;
	}
	do {
		n = read(fd, r->buf + r->end, READER_SIZE - r->end);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	r->end += n;
	return n;
}

int frame_reader_next(struct frame_reader *r, struct frame *f, const char **why)
{
	size_t have = r->end - r->start;
	const uint8_t *h = r->buf + r->start;
	uint32_t len, type;

	if (have < FRAME_HEADER_SIZE)
		return 0;
	len = get_le32(h);
	type = get_le32(h + 4);
	if (len > FRAME_MAX_PAYLOAD) {
		*why = "frame longer than 256 KiB";
		return -EBADMSG;
	}
	if (!type || type >= FRAME_TYPE_END) {
		*why = "unknown frame type";
		return -EBADMSG;
	}
	if (have < FRAME_HEADER_SIZE + len)
		return 0;
	if (get_le32(h + 8) != frame_crc(h + 4, h + FRAME_HEADER_SIZE, len)) {
		*why = "frame with a wrong CRC32";
		return -EBADMSG;
	}
	f->type = type;
	f->len = len;
	f->data = h + FRAME_HEADER_SIZE;
	r->start += FRAME_HEADER_SIZE + len;
	return 1;
}

void frame_reader_free(struct frame_reader *r)
{
	free(r->buf);
	memset(r, 0, sizeof(*r));
}
