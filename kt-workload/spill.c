// SPDX-License-Identifier: GPL-2.0
#include "spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int spill_open(struct spill *s)
{
	const char *dir = getenv("TMPDIR");

	*s = (struct spill){
		.fd = open(dir && *dir ? dir : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)};
	if (s->fd < 0)
		s->fd = memfd_create("kt-steps", MFD_CLOEXEC);
	return s->fd < 0 ? -errno : 0;
}

void spill_close(struct spill *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

off_t spill_reserve(struct spill *s, size_t size)
{
	s->end += size;
	return s->end - (off_t)size;
}

int spill_write(const struct spill *s, off_t at, const void *data, size_t size)
{
	const char *p = data;

	while (size) {
		ssize_t n = pwrite(s->fd, p, size, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		at += n;
		size -= n;
	}
	return 0;
}

int spill_read(const struct spill *s, off_t at, void *data, size_t size)
{
	char *p = data;

	while (size) {
		ssize_t n = pread(s->fd, p, size, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n) { /* behind the last that was written */
			memset(p, 0, size);
			return 0;
		}
		p += n;
		at += n;
		size -= n;
	}
	return 0;
}
