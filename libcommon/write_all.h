/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KT_WRITE_ALL_H
#define KT_WRITE_ALL_H

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

/* Write all @len bytes of @data to @fd, interrupted or not. Returns 0 or -errno. */
static inline int write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			p += n;
			len -= n;
		}
	}
	return 0;
}

#endif
