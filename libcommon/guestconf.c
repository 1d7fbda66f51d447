// SPDX-License-Identifier: GPL-2.0
#include "guestconf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"

static void guestconf_append(struct guestconf *c, const char *s)
{
	size_t n = strlen(s) + 1;

	c->data = xrealloc(c->data, c->len + n);
	memcpy(c->data + c->len, s, n);
	c->len += n;
}

void guestconf_add(struct guestconf *c, const char *key, const char *value)
{
	guestconf_append(c, key);
	guestconf_append(c, value);
}

int guestconf_read(struct guestconf *c, const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t nuls = 0, i;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	c->data = xmalloc(st.st_size);
	for (c->len = 0; c->len < (size_t)st.st_size; c->len += n) {
		n = read(fd, c->data + c->len, st.st_size - c->len);
		if (n < 0)
			return -errno;
		if (!n)
			break;
	}
	for (i = 0; i < c->len; i++)
		nuls += !c->data[i];
	return !c->len || c->data[c->len - 1] || nuls % 2 ? -EBADMSG : 0;
}

/* The value that follows the key at @key. */
static const char *value_of(const char *key)
{
	return key + strlen(key) + 1;
}

/* The key after the pair at @key, or NULL at the end; @key NULL gives the first. */
static const char *next_key(const struct guestconf *c, const char *key)
{
	const char *next = key ? value_of(value_of(key)) : c->data;

	return c->len && next < c->data + c->len ? next : NULL;
}

const char *guestconf_get(const struct guestconf *c, const char *key)
{
	const char *k;

	for (k = next_key(c, NULL); k; k = next_key(c, k)) {
		if (!strcmp(k, key))
			return value_of(k);
	}
	return NULL;
}

char **guestconf_list(const struct guestconf *c, const char *key)
{
	char **list = NULL;
	size_t n = 0;
	const char *k;

	for (k = next_key(c, NULL); k; k = next_key(c, k)) {
		if (!strcmp(k, key))
			ptrlist_add(&list, &n, value_of(k));
	}
	return list ? list : xcalloc(1, sizeof(*list));
}
