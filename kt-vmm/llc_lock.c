// SPDX-License-Identifier: GPL-2.0
#include "llc_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"

char *llc_lock_dir(void)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR"), *own = getenv("KT_LOCKS");

	if (own && own[0] == '/')
		return xstrdup(own);
	if (geteuid() == 0)
		return xstrdup("/run/kt");
	return runtime && runtime[0] == '/' ? xasprintf("%s/kt", runtime) : NULL;
}

/* The process that wrote itself into the file. */
static pid_t holder_read(int fd)
{
	char text[32] = "";

	return pread(fd, text, sizeof(text) - 1, 0) > 0 ? atoi(text) : 0;
}

int llc_lock(unsigned int llc, const char *what, pid_t *holder)
{
	_cleanup_free_ char *dir = llc_lock_dir(), *path = NULL, *line = NULL;
	_cleanup_close_ int fd = -1;
	struct stat st;

	*holder = 0;
	if (!dir)
		return -ENOENT;
	mkdir(dir, 0700);
	if (lstat(dir, &st) || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
	    st.st_mode & (S_IWGRP | S_IWOTH))
		return -EPERM;
	path = xasprintf("%s/llc-%u.lock", dir, llc);
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		*holder = holder_read(fd);
		return -errno;
	}
	line = xasprintf("%d %s\n", getpid(), what);
	if (ftruncate(fd, 0) || pwrite(fd, line, strlen(line), 0) < 0)
		return -errno;
	return take_fd(fd);
}
