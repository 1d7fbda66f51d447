// SPDX-License-Identifier: GPL-2.0
#include "command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"

static int file_check(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	return !S_ISREG(st.st_mode) || access(path, X_OK) ? -EACCES : 0;
}

int command_find(const char *name)
{
	_cleanup_free_ char *path = xstrdup(getenv("PATH") ?: "/bin:/usr/bin");
	char *dir, *rest = path;
	int found = -ENOENT;

	if (strchr(name, '/'))
		return file_check(name);
	while (found && (dir = strsep(&rest, ":"))) {
		_cleanup_free_ char *file = xasprintf("%s/%s", *dir ? dir : ".", name);
		int ret = file_check(file);

		if (!ret || ret == -EACCES)
			found = ret;
	}
	return found;
}
