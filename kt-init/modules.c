// SPDX-License-Identifier: GPL-2.0
/* Kernel modules that the run asked for. */
#include <errno.h>
#include <fcntl.h>
#include <linux/module.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "init.h"

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

/* Load one file. The kernel unpacks what is compressed, if it was built to. Returns 0 or -errno. */
static int module_load(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	int flags = ends_with(path, ".ko") ? 0 : MODULE_INIT_COMPRESSED_FILE;

	if (fd < 0)
		return -errno;
	return syscall(SYS_finit_module, fd, "", flags) && errno != EEXIST ? -errno : 0;
}

char *modules_load(const struct guestconf *conf)
{
	_cleanup_free_ char **files = guestconf_list(conf, "module");
	size_t i;

	for (i = 0; files[i]; i++) {
		int err = module_load(files[i]);

		if (err)
			return xasprintf("%s: %s", strrchr(files[i], '/') + 1, strerror(-err));
	}
	return NULL;
}
