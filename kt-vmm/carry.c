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

/* As many symbolic links as the kernel follows in one path (MAXSYMLINKS). */
#define MAX_LINKS 40

static int carry_needs(struct cpio *c, const char *host, char **why);

char *path_normalise(const char *cwd, const char *path)
{
	_cleanup_free_ char *joined =
		path[0] == '/' ? xstrdup(path) : xasprintf("%s/%s", cwd, path);
	char *out = xmalloc(strlen(joined) + 2), *end = out, *word, *save;

	for (word = strtok_r(joined, "/", &save); word; word = strtok_r(NULL, "/", &save)) {
		if (!strcmp(word, "."))
			continue;
		if (!strcmp(word, "..")) {
			while (end > out && *--end != '/')
				;
			continue;
		}
		*end++ = '/';
		end = stpcpy(end, word);
	}
	if (end == out)
		*end++ = '/';
	*end = 0;
	return out;
}

static int fail(char **why, int err, const char *path)
{
	if (!*why)
		*why = xasprintf("%s: %s", path, strerror(-err));
	return err;
}

/* Is @path under a mount of the guest's own, where a carried file would be out of sight? */
static bool is_hidden(const char *path)
{
	static const char *const mounts[] = {"/proc/", "/sys/", "/dev/"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mounts); i++) {
		if (!strncmp(path, mounts[i], strlen(mounts[i])))
			return true;
	}
	return false;
}

/* Copy the content of regular file @host to @guest. */
static int carry_content(struct cpio *c, const char *host, const char *guest, char **why)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int err;

	if (is_hidden(guest)) {
		*why = xasprintf("%s: the guest mounts its own /proc, /sys and /dev; give another "
				 "path with --include FILE:GUESTPATH",
				 guest);
		return -EINVAL;
	}
	fd = open(host, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return fail(why, -errno, host);
	err = cpio_add_fd(c, guest, st.st_mode & 07777, fd, st.st_size);
	return err ? fail(why, err, host) : 0;
}

/*
 * Carry @path as the host has it: every component in turn, a symbolic link as a link and then the
 * path that it leads to.
 */
static int carry_path(struct cpio *c, const char *path, int links, char **why)
{
	_cleanup_free_ char *prefix = xstrdup(path);
	char *p = prefix;
	struct stat st;

	while (p) {
		p = strchr(p + 1, '/');
		if (p)
			*p = 0;
		if (lstat(prefix, &st))
			return fail(why, -errno, path);
		if (S_ISLNK(st.st_mode)) {
			_cleanup_free_ char *rest = NULL, *next = NULL, *dir = NULL;
			char target[PATH_MAX];
			ssize_t n = readlink(prefix, target, sizeof(target) - 1);

			if (n < 0 || links >= MAX_LINKS)
				return fail(why, n < 0 ? -errno : -ELOOP, path);
			target[n] = 0;
			cpio_add_symlink(c, prefix, target);
			dir = xstrndup(prefix, strrchr(prefix, '/') - prefix);
			rest = p ? xasprintf("%s/%s", target, p + 1) : xstrdup(target);
			next = path_normalise(dir, rest);
			return carry_path(c, next, links + 1, why);
		}
		if (!p && S_ISREG(st.st_mode))
			return carry_content(c, prefix, prefix, why);
		cpio_add_dir(c, prefix, st.st_mode & 07777);
		if (p)
			*p = '/';
	}
	return 0;
}

/* The file at absolute @host under its own path, with what it needs. */
static int carry_as_is(struct cpio *c, const char *host, char **why)
{
	int err;

	if (cpio_has(c, host))
		return 0;
	err = carry_path(c, host, 0, why);
	return err ? err : carry_needs(c, host, why);
}

static int carry_libraries(struct cpio *c, const char *host, const struct elf_object *o, char **why)
{
	size_t i;
	int err = 0;

	if (o->interpreter)
		err = carry_as_is(c, o->interpreter, why);
	for (i = 0; o->needed && o->needed[i] && !err; i++) {
		_cleanup_free_ char *lib = elf_library_find(host, o, o->needed[i]);

		if (!lib) {
			*why = xasprintf("%s: needs the library %s, which is not found", host,
					 o->needed[i]);
			return -ENOENT;
		}
		err = carry_as_is(c, lib, why);
	}
	/* The loader finds libraries in unusual directories by this cache. */
	if (!err && o->dynamic && access("/etc/ld.so.cache", R_OK) == 0)
		err = carry_content(c, "/etc/ld.so.cache", "/etc/ld.so.cache", why);
	return err;
}

/* "#!INTERPRETER [ARG]": the interpreter, and for env(1) the program that it starts. */
static int carry_script_needs(struct cpio *c, const char *host, char **why)
{
	_cleanup_fclose_ FILE *f = fopen(host, "re");
	_cleanup_free_ char *command = NULL;
	char line[512], *interpreter, *arg, *save;
	bool guest_program;
	int err;

	if (!f || !fgets(line, sizeof(line), f) || strncmp(line, "#!", 2))
		return 0;
	interpreter = strtok_r(line + 2, " \t\n", &save);
	if (!interpreter || interpreter[0] != '/')
		return 0;
	if (access(interpreter, X_OK)) {
		*why = xasprintf("%s: its interpreter %s is not found", host, interpreter);
		return -ENOENT;
	}
	err = carry_as_is(c, interpreter, why);
	arg = strtok_r(NULL, " \t\n", &save);
	if (err || !arg || strcmp(basename(interpreter), "env"))
		return err;
	command = carry_find_command(arg, &guest_program);
	return command ? carry_as_is(c, command, why) : 0;
}

static int carry_needs(struct cpio *c, const char *host, char **why)
{
	struct elf_object o;
	const char *elf_why = NULL;
	int err = elf_object_read(host, &o, &elf_why);

	if (err == -ENOEXEC)
		*why = xasprintf("%s: %s", host, elf_why);
	else if (err)
		fail(why, err, host);
	else if (o.is_elf)
		err = carry_libraries(c, host, &o, why);
	else
		err = carry_script_needs(c, host, why);
	elf_object_free(&o);
	return err;
}

/* A directory with all below it. */
static int carry_tree(struct cpio *c, const char *host, const char *guest, char **why)
{
	char *const roots[] = {(char *)host, NULL};
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *e;
	int err = 0;

	if (!fts)
		return fail(why, -errno, host);
	while (!err && (e = fts_read(fts))) {
		_cleanup_free_ char *to = xasprintf("%s%s", guest, e->fts_path + strlen(host));
		char target[PATH_MAX];
		ssize_t n;

		if (e->fts_info == FTS_D) {
			err = cpio_add_dir(c, to, e->fts_statp->st_mode & 07777);
		} else if (e->fts_info == FTS_F) {
			err = carry_content(c, e->fts_path, to, why);
			if (!err && e->fts_statp->st_mode & 0111)
				err = carry_needs(c, e->fts_path, why);
		} else if (e->fts_info == FTS_SL || e->fts_info == FTS_SLNONE) {
			n = readlink(e->fts_path, target, sizeof(target) - 1);
			target[n > 0 ? n : 0] = 0;
			err = cpio_add_symlink(c, to, target);
		}
	}
	fts_close(fts);
	return err ? fail(why, err, host) : 0;
}

/* Does the loader look for libraries relative to where this program lies? */
static bool wants_origin(const char *host)
{
	struct elf_object o;
	const char *why;
	bool wants = elf_object_read(host, &o, &why) == 0 &&
		     ((o.runpath && strstr(o.runpath, "ORIGIN")) ||
		      (o.rpath && strstr(o.rpath, "ORIGIN")));

	elf_object_free(&o);
	return wants;
}

int carry_file(struct cpio *c, const char *host, const char *guest, char **why)
{
	_cleanup_free_ char *cwd = getcwd(NULL, 0), *from = NULL, *to = NULL;
	struct stat st;
	bool origin;
	int err;

	*why = NULL;
	if (stat(host, &st))
		return fail(why, -errno, host);
	from = path_normalise(cwd ? cwd : "/", host);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
		*why = xasprintf("%s: expected a regular file or a directory", host);
		return -EINVAL;
	}
	to = path_normalise(GUEST_HOME, guest ? guest : host);
	if (S_ISDIR(st.st_mode))
		return carry_tree(c, from, to, why);
	/* Under its own path the links on the way come along; elsewhere only the content. */
	if (!strcmp(from, to))
		return carry_as_is(c, from, why);
	if (cpio_has(c, to))
		return 0;
	/* The kernel tells the loader the path behind a link: its libraries are found from there.
	 */
	origin = wants_origin(from);
	if (origin)
		err = cpio_add_symlink(c, to, from);
	else
		err = carry_content(c, from, to, why);
	if (err)
		return fail(why, err, host);
	return origin ? carry_as_is(c, from, why) : carry_needs(c, from, why);
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
		"sh",	    "ash",    "awk",	"basename", "cat",	"chgrp",     "chmod",
		"chown",    "chroot", "chrt",	"clear",    "cmp",	"cp",	     "cut",
		"date",	    "dd",     "df",	"diff",	    "dirname",	"dmesg",     "du",
		"echo",	    "env",    "expr",	"false",    "find",	"free",	     "grep",
		"gunzip",   "gzip",   "halt",	"head",	    "hexdump",	"hostname",  "id",
		"ifconfig", "ionice", "ip",	"kill",	    "killall",	"less",	     "ln",
		"ls",	    "lsmod",  "md5sum", "mkdir",    "mkfifo",	"mknod",     "mktemp",
		"more",	    "mount",  "mv",	"nc",	    "nice",	"nohup",     "nproc",
		"od",	    "pgrep",  "pidof",	"ping",	    "pkill",	"poweroff",  "printenv",
		"printf",   "ps",     "pwd",	"readlink", "realpath", "reboot",    "renice",
		"rm",	    "rmdir",  "sed",	"seq",	    "setsid",	"sha256sum", "sleep",
		"sort",	    "stat",   "stty",	"sync",	    "sysctl",	"tail",	     "tar",
		"taskset",  "tee",    "test",	"time",	    "timeout",	"top",	     "touch",
		"tr",	    "true",   "tty",	"umount",   "uname",	"uniq",	     "unshare",
		"uptime",   "usleep", "vi",	"watch",    "wc",	"wget",	     "which",
		"xargs",    "yes",    "zcat",
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
