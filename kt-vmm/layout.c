// SPDX-License-Identifier: GPL-2.0
#include "layout.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "guestconf.h"

/* As many symbolic links as the kernel follows in one path (MAXSYMLINKS). */
#define MAX_LINKS 40

struct walk {
	char *at;   /* where it has come to, without links; "" is the root */
	char *todo; /* the components that are still to go */
	int links;
	bool create;
};

int path_fail(char **why, int err, const char *path)
{
	if (!*why)
		*why = xasprintf("%s: %s", path, strerror(-err));
	return err;
}

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

char *path_absolute(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	_cleanup_free_ char *parent = NULL, *dir = NULL;

	if (!name[0] || !strcmp(name, ".") || !strcmp(name, ".."))
		return realpath(path, NULL);
	parent = slash ? xstrndup(path, slash - path + 1) : xstrdup(".");
	dir = realpath(parent, NULL);
	if (!dir || access(path, F_OK))
		return NULL;
	return xasprintf("%s/%s", dir[1] ? dir : "", name);
}

bool path_is_regular(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool path_is_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

int layout_check(const struct cpio *c, const char *path, char **why)
{
	static const char *const mounts[] = {"/proc/", "/sys/", "/dev/"};
	bool own = !strcmp(path, GUESTCONF_PATH) || !strcmp(path, GUEST_STDIN_PATH) ||
		   (!strcmp(path, "/init") && cpio_has(c, path));
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mounts); i++) {
		if (strncmp(path, mounts[i], strlen(mounts[i])))
			continue;
		*why = xasprintf("%s: the guest mounts its own /proc, /sys and /dev; give another "
				 "path with --include FILE:GUESTPATH",
				 path);
		return -EINVAL;
	}
	if (own)
		*why = xasprintf("%s: kt's own file in the guest; give another path with --include "
				 "FILE:GUESTPATH",
				 path);
	return own ? -EINVAL : 0;
}

/* Take the first component off @w->todo. Returns it malloc'ed, or NULL at the end. */
static char *walk_next(struct walk *w)
{
	size_t skip = strspn(w->todo, "/"), len = strcspn(w->todo + skip, "/");
	char *name = len ? xstrndup(w->todo + skip, len) : NULL;

	memmove(w->todo, w->todo + skip + len, strlen(w->todo + skip + len) + 1);
	return name;
}

/* Add the link @link; go on with its target. */
static int walk_link(struct cpio *c, struct walk *w, const char *link, char **why)
{
	char target[PATH_MAX], *todo;
	ssize_t n = readlink(link, target, sizeof(target) - 1);
	int err = layout_check(c, link, why);

	if (n < 0)
		return -errno;
	if (++w->links > MAX_LINKS)
		return -ELOOP;
	target[n] = 0;
	if (!err)
		err = cpio_add_symlink(c, link, target);
	todo = xasprintf("%s%s", target, w->todo);
	free(w->todo);
	w->todo = todo;
	if (target[0] == '/')
		w->at[0] = 0;
	return err;
}

static int walk_step(struct cpio *c, struct walk *w, const char *name, char **why)
{
	_cleanup_free_ char *next = NULL;
	char *slash = strrchr(w->at, '/');
	struct stat st;

	if (!strcmp(name, "."))
		return 0;
	if (!strcmp(name, "..")) {
		if (slash)
			*slash = 0;
		return 0;
	}
	next = xasprintf("%s/%s", w->at, name);
	if (lstat(next, &st)) {
		if (!w->create)
			return -errno;
		st.st_mode = 0;
	}
	if (S_ISLNK(st.st_mode))
		return walk_link(c, w, next, why);
	free(w->at);
	w->at = take_ptr(next);
	if (S_ISDIR(st.st_mode))
		return cpio_add_dir(c, w->at, st.st_mode & 07777);
	if (w->create)
		return cpio_add_dir(c, w->at, 0755);
	return w->todo[strspn(w->todo, "/")] ? -ENOTDIR : 0;
}

int layout_walk(struct cpio *c, const char *path, bool create, char **real, char **why)
{
	struct walk w = {.at = xstrdup(""), .todo = xstrdup(path), .create = create};
	char *name;
	int err = 0;

	while (!err && (name = walk_next(&w))) {
		err = walk_step(c, &w, name, why);
		free(name);
	}
	free(w.todo);
	*real = w.at;
	return err ? path_fail(why, err, path) : 0;
}

char *layout_home(struct cpio *c, const char *path)
{
	_cleanup_free_ char *joined = xasprintf(GUEST_HOME "/%s", path);
	const char *up;

	for (up = strstr(joined, "/.."); up; up = strstr(up + 1, "/..")) {
		_cleanup_free_ char *prefix = xstrndup(joined, up - joined);
		_cleanup_free_ char *dir = path_normalise("/", prefix);

		cpio_add_dir(c, dir, 0755);
	}
	return path_normalise("/", joined);
}
