// SPDX-License-Identifier: GPL-2.0
#include "carry.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "elfdeps.h"
#include "guestconf.h"
#include "layout.h"

/* Open the regular file @path. Returns a descriptor with *@st, or -errno with *@why. */
static int open_regular(const char *path, struct stat *st, char **why)
{
	int fd;

	if (stat(path, st))
		return path_fail(why, -errno, path);
	if (!S_ISREG(st->st_mode)) {
		*why = xasprintf("%s: expected a regular file", path);
		return -EINVAL;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, st))
		return path_fail(why, -errno, path);
	return fd;
}

/* Copy the content of @fd, the host's @host, to @guest. */
static int carry_content(struct cpio *c, int fd, const struct stat *st, const char *host,
			 const char *guest, char **why)
{
	int err = layout_check(c, guest, why);

	if (!err)
		err = cpio_add_fd(c, guest, st->st_mode & 07777, fd, st->st_size);
	return err ? path_fail(why, err, host) : 0;
}

/* Carry the file @host to @guest without what it needs. */
static int carry_data(struct cpio *c, const char *host, const char *guest, char **why)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (cpio_has(c, guest))
		return layout_check(c, guest, why);
	fd = open_regular(host, &st, why);
	return fd < 0 ? fd : carry_content(c, fd, &st, host, guest, why);
}

/* A library or the loader's cache, at the path where the loader looks for it. */
static int carry_library(struct cpio *c, const char *path, char **why)
{
	_cleanup_free_ char *to = NULL;
	int err = 0;

	if (path[0] == '/')
		err = layout_walk(c, path, false, &to, why);
	else
		to = layout_home(c, path);
	return err ? err : carry_data(c, path, to, why);
}

static int carry_libraries(struct cpio *c, const struct elf_needs *n, char **why)
{
	/* The loader finds libraries in unusual directories by this cache. */
	static const char cache[] = "/etc/ld.so.cache";
	size_t i;
	int err = 0;

	for (i = 0; n->files && n->files[i] && !err; i++)
		err = carry_library(c, n->files[i], why);
	if (!err && n->files && access(cache, R_OK) == 0)
		err = carry_library(c, cache, why);
	return err;
}

/* "#!INTERPRETER [ARG]": the interpreter, and for env(1) the program that it starts. */
static int carry_script_needs(struct cpio *c, int fd, const char *host, char **why)
{
	_cleanup_free_ char *command = NULL;
	char line[512], *interpreter, *arg, *save;
	ssize_t n = pread(fd, line, sizeof(line) - 1, 0);
	bool guest_program;
	int err;

	line[n > 0 ? n : 0] = 0;
	line[strcspn(line, "\n")] = 0;
	if (strncmp(line, "#!", 2))
		return 0;
	interpreter = strtok_r(line + 2, " \t", &save);
	if (!interpreter || interpreter[0] != '/')
		return 0;
	if (!path_is_regular(interpreter) || access(interpreter, X_OK)) {
		*why = xasprintf("%s: its interpreter %s is not an executable file", host,
				 interpreter);
		return -ENOENT;
	}
	err = carry_file(c, interpreter, NULL, why);
	arg = strtok_r(NULL, " \t", &save);
	if (err || !arg || strcmp(basename(interpreter), "env"))
		return err;
	if (!strcmp(arg, "-S"))
		arg = strtok_r(NULL, " \t", &save);
	command = arg ? carry_find_command(arg, &guest_program) : NULL;
	return command && path_is_regular(command) ? carry_file(c, command, NULL, why) : 0;
}

/*
 * Carry the regular file @host, a path without links, to @guest with what it needs to run. With
 * @may_link a program that looks for libraries relative to its own place keeps it, and @guest is a
 * link to there: the kernel tells the loader the path behind links.
 */
static int carry_regular(struct cpio *c, const char *host, const char *guest, bool may_link,
			 char **why)
{
	_cleanup_(elf_needs_free) struct elf_needs needs = {0};
	_cleanup_free_ char *real = NULL, *needs_why = NULL;
	_cleanup_close_ int fd = -1;
	struct stat st;
	int err, needs_err;

	err = layout_check(c, guest, why);
	if (err || cpio_has(c, guest))
		return err;
	fd = open_regular(host, &st, why);
	if (fd < 0)
		return fd;
	needs_err = elf_needs_read(fd, host, &needs, &needs_why);
	if (may_link && needs.by_origin && strcmp(host, guest)) {
		err = cpio_add_symlink(c, guest, host);
		if (err)
			return path_fail(why, err, host);
		err = layout_walk(c, host, false, &real, why);
		guest = host;
	}
	if (!err)
		err = carry_content(c, fd, &st, host, guest, why);
	if (err)
		return err;
	if (needs_err)
		*why = take_ptr(needs_why);
	if (needs_err)
		return needs_err;
	return needs.is_elf ? carry_libraries(c, &needs, why)
			    : carry_script_needs(c, fd, host, why);
}

/* What a walk over a tree on the host has come to; @to is its place in the guest. */
static int carry_entry(struct cpio *c, FTSENT *e, const char *to, bool elsewhere, char **why)
{
	char target[PATH_MAX];
	ssize_t n;
	int err;

	switch (e->fts_info) {
	case FTS_D:
		if (elsewhere && path_is_link(to))
			return layout_walk(c, to, true, (char **)&e->fts_pointer, why);
		e->fts_pointer = xstrdup(to);
		return to[0] ? cpio_add_dir(c, to, e->fts_statp->st_mode & 07777) : 0;
	case FTS_DP:
		free(take_ptr(e->fts_pointer));
		return 0;
	case FTS_F:
		if (e->fts_statp->st_mode & 0111)
			return carry_regular(c, e->fts_path, to, false, why);
		return carry_data(c, e->fts_path, to, why);
	case FTS_SL:
	case FTS_SLNONE:
		n = readlink(e->fts_path, target, sizeof(target) - 1);
		if (n < 0)
			return -errno;
		target[n] = 0;
		err = layout_check(c, to, why);
		return err ? err : cpio_add_symlink(c, to, target);
	case FTS_DEFAULT:
		info("not carried: %s: neither a file nor a directory nor a link", e->fts_path);
		return 0;
	default: /* FTS_DNR, FTS_ERR, FTS_NS */
		return -e->fts_errno;
	}
}

/* A directory with all below it. With @elsewhere @guest is not its own path. */
static int carry_tree(struct cpio *c, const char *host, const char *guest, bool elsewhere,
		      char **why)
{
	char *const roots[] = {(char *)host, NULL};
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *e;
	int err = 0;

	if (!fts)
		return path_fail(why, -errno, host);
	while (!err && (errno = 0, e = fts_read(fts))) {
		_cleanup_free_ char *to =
			e->fts_level == FTS_ROOTLEVEL
				? xstrdup(guest)
				: xasprintf("%s/%s", (char *)e->fts_parent->fts_pointer,
					    e->fts_name);

		err = carry_entry(c, e, to, elsewhere, why);
		if (err)
			path_fail(why, err, e->fts_path);
	}
	if (!err && errno)
		err = path_fail(why, -errno, host);
	fts_close(fts);
	return err;
}

/* Where @host goes: *@to is malloc'ed, "" for the root. */
static int place(struct cpio *c, const char *host, const char *guest, char **to, char **why)
{
	_cleanup_free_ char *cwd = getcwd(NULL, 0), *path = NULL, *dir = NULL;
	char *slash;
	int err;

	if (!guest && host[0] != '/' && (!cwd || strcmp(cwd, GUEST_HOME))) {
		*to = layout_home(c, host);
		return 0;
	}
	if (!guest) {
		path = host[0] == '/' ? xstrdup(host) : xasprintf(GUEST_HOME "/%s", host);
		return layout_walk(c, path, false, to, why);
	}
	/* /lib and /bin are links on most hosts: the way to @guest must not turn them to
	 * directories. */
	path = path_normalise(GUEST_HOME, guest);
	slash = strrchr(path, '/');
	*slash = 0;
	err = layout_walk(c, path, true, &dir, why);
	*to = slash[1] ? xasprintf("%s/%s", dir, slash + 1) : xstrdup("");
	return err;
}

int carry_file(struct cpio *c, const char *host, const char *guest, char **why)
{
	_cleanup_free_ char *real = realpath(host, NULL), *to = NULL;
	struct stat st;
	int err;

	*why = NULL;
	if (!real || stat(host, &st))
		return path_fail(why, -errno, host);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
		*why = xasprintf("%s: expected a regular file or a directory", host);
		return -EINVAL;
	}
	err = place(c, host, guest, &to, why);
	if (err)
		return err;
	if (S_ISDIR(st.st_mode))
		return carry_tree(c, real, to, guest != NULL, why);
	if (!to[0]) {
		*why = xasprintf("%s: the guest's root is a directory, expected a file's path",
				 host);
		return -EISDIR;
	}
	return carry_regular(c, real, to, true, why);
}

char *carry_find_command(const char *name, bool *is_guest_program)
{
	char self[PATH_MAX], *path, *slash;
	const char *dirs = getenv("PATH");
	ssize_t n;

	*is_guest_program = false;
	if (strchr(name, '/'))
		return access(name, F_OK) ? NULL : xstrdup(name);
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n > 0 && !strncmp(name, "kt-", 3)) {
		self[n] = 0;
		slash = strrchr(self, '/');
		path = xasprintf("%.*s/%s", (int)(slash - self), self, name);
		*is_guest_program = access(path, X_OK) == 0;
		if (*is_guest_program)
			return path;
		free(path);
	}
	while (dirs && *dirs) {
		size_t len = strcspn(dirs, ":");
		struct stat st;

		path = xasprintf("%.*s/%s", (int)len, dirs, name);
		if (len && access(path, X_OK) == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode))
			return path;
		free(path);
		dirs += len + (dirs[len] == ':');
	}
	return NULL;
}

void carry_busybox(struct cpio *c)
{
	/* What scripts use; asking busybox for its own list would cost more than all else here. */
	static const char *const applets[] = {
		"sh",	    "ash",	"awk",	  "basename", "cat",	  "chgrp",    "chmod",
		"chown",    "chroot",	"chrt",	  "clear",    "cmp",	  "cp",	      "cut",
		"date",	    "dd",	"df",	  "diff",     "dirname",  "dmesg",    "du",
		"echo",	    "env",	"expr",	  "false",    "find",	  "free",     "grep",
		"gunzip",   "gzip",	"halt",	  "head",     "hexdump",  "hostname", "insmod",
		"id",	    "ifconfig", "ionice", "ip",	      "kill",	  "killall",  "less",
		"ln",	    "ls",	"lsmod",  "md5sum",   "mkdir",	  "mkfifo",   "mknod",
		"mktemp",   "more",	"mount",  "mv",	      "nc",	  "nice",     "nohup",
		"nproc",    "od",	"pgrep",  "pidof",    "ping",	  "pkill",    "poweroff",
		"printenv", "printf",	"ps",	  "pwd",      "readlink", "realpath", "reboot",
		"renice",   "rm",	"rmdir",  "sed",      "seq",	  "setsid",   "sha256sum",
		"sleep",    "sort",	"stat",	  "stty",     "sync",	  "sysctl",   "tail",
		"tar",	    "taskset",	"tee",	  "test",     "time",	  "timeout",  "top",
		"touch",    "tr",	"true",	  "tty",      "umount",	  "uname",    "uniq",
		"unshare",  "uptime",	"usleep", "vi",	      "watch",	  "wc",	      "wget",
		"which",    "xargs",	"yes",	  "zcat",
	};
	static const char host[] = "/bin/busybox", guest[] = GUEST_BIN_DIR "/busybox";
	_cleanup_free_ char *why = NULL;
	size_t i;

	if (access(host, X_OK) || carry_file(c, host, guest, &why))
		return;
	for (i = 0; i < ARRAY_SIZE(applets); i++) {
		_cleanup_free_ char *path = xasprintf(GUEST_BIN_DIR "/%s", applets[i]);

		cpio_add_symlink(c, path, "busybox");
	}
}
