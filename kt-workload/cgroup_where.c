// SPDX-License-Identifier: GPL-2.0
#include "cgroup_where.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"

int cgroup_mount_find(char **mount, char **shown)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	if (!f)
		return -errno;
	while (getline(&line, &size, f) >= 0) {
		char root[PATH_MAX], dir[PATH_MAX];

		if (!strstr(line, " - cgroup2 ") ||
		    sscanf(line, "%*s %*s %*s %4095s %4095s", root, dir) != 2)
			continue;
		*mount = xstrdup(dir);
		*shown = xstrdup(root);
		return 0;
	}
	return -ENOENT;
}

char *cgroup_own(const char *mount, const char *shown)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/thread-self/cgroup", "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0, skip = strcmp(shown, "/") ? strlen(shown) : 0;

	while (f && getline(&line, &size, f) >= 0) {
		if (strncmp(line, "0::", 3))
			continue;
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line + 3, shown, skip) || strlen(line + 3) < skip)
			return NULL;
		return xasprintf("%s%s", mount, strcmp(line + 3, "/") ? line + 3 + skip : "");
	}
	return NULL;
}
