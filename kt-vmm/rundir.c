// SPDX-License-Identifier: GPL-2.0
#include "rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"

#define SNAPSHOTS "snapshots"

/* What a run may leave; also what an earlier run's directory may hold. */
static const char *const artifacts[] = {
	"run.json",	"stats.json",		"console.log", "sched.log",	"stderr.log",
	"events.jsonl", "console-attempt1.log", "vm.sock",     "monitor.jsonl",
};

/* mkdir -p. */
static int make_dirs(const char *path)
{
	_cleanup_free_ char *copy = xstrdup(path);
	char *p = copy;

	while ((p = strchr(p + 1, '/'))) {
		*p = 0;
		if (mkdir(copy, 0777) && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return mkdir(path, 0777) ? -errno : 0;
}

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Is there nothing in it, or nothing but @besides (NULL: none)? */
static bool is_empty(const char *path, const char *besides)
{
	DIR *d = opendir(path);
	struct dirent *e;
	int others = 0;

	if (!d)
		return false;
	while ((e = readdir(d)))
		others += strcmp(e->d_name, ".") && strcmp(e->d_name, "..") &&
			  (!besides || strcmp(e->d_name, besides));
	closedir(d);
	return !others;
}

/* Remove an earlier run's snapshots; what else is in there stays, and so does the directory then.
 */
static int clear_snapshots(const char *path, char **why)
{
	_cleanup_free_ char *dir = xasprintf("%s/" SNAPSHOTS, path);
	DIR *d = opendir(dir);
	struct dirent *e;
	int err = 0;

	while (d && !err && (e = readdir(d))) {
		const char *dot = strrchr(e->d_name, '.');

		if (!dot || strcmp(dot, ".json") || !unlinkat(dirfd(d), e->d_name, 0))
			continue;
		err = -errno;
		*why = xasprintf("%s/%s: %s", dir, e->d_name, strerror(errno));
	}
	if (d)
		closedir(d);
	if (!err)
		rmdir(dir);
	return err;
}

/* Remove what an earlier run left, so that its files are not taken for this one's. */
static int clear_earlier(const char *path, char **why)
{
	_cleanup_free_ char *mark = xasprintf("%s/run.json", path);
	size_t i;
	int err;

	if (is_empty(path, NULL))
		return 0;
	/* A run that was killed has left its snapshots and no run.json. */
	if (access(mark, F_OK) && !is_empty(path, SNAPSHOTS)) {
		*why = xasprintf("%s: not empty, and not a run directory (it has no run.json)",
				 path);
		return -ENOTEMPTY;
	}
	err = clear_snapshots(path, why);
	if (err)
		return err;
	/* run.json last: it is what makes this a run directory. */
	for (i = ARRAY_SIZE(artifacts); i-- > 0;) {
		_cleanup_free_ char *file = xasprintf("%s/%s", path, artifacts[i]);

		if (unlink(file) && errno != ENOENT) {
			*why = xasprintf("%s: %s", file, strerror(errno));
			return -errno;
		}
	}
	return 0;
}

int rundir_open(struct rundir *r, const char *path, char **why)
{
	const char *tmp = getenv("TMPDIR");
	int err;

	memset(r, 0, sizeof(*r));
	if (!path) {
		r->temporary = true;
		r->staging = xstrdup(tmp && tmp[0] ? tmp : "/tmp");
		return 0;
	}
	err = make_dirs(path);
	if (err && err != -EEXIST) {
		*why = xasprintf("run directory %s: %s", path, strerror(-err));
		return err;
	}
	if (err && !is_dir(path)) {
		*why = xasprintf("run directory %s: a file of this name is there", path);
		return -ENOTDIR;
	}
	r->made = !err;
	r->path = realpath(path, NULL);
	if (!r->path || access(r->path, W_OK | X_OK)) {
		*why = xasprintf("run directory %s: %s", path, strerror(errno));
		return -errno;
	}
	r->staging = xstrdup(r->path);
	return r->made ? 0 : clear_earlier(r->path, why);
}

int rundir_file(const struct rundir *r)
{
	int fd = open(r->staging, O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);

	/* Not every file system has unnamed files. */
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT))
		fd = memfd_create("kt-run", MFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Copy @from into a new file at @path. */
static int copy_to(int from, const char *path)
{
	_cleanup_close_ int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	off_t off = 0;
	ssize_t n;

	if (to < 0)
		return -errno;
	while ((n = sendfile(to, from, &off, 1 << 20)) > 0)
		;
	return n < 0 ? -errno : 0;
}

/* The directory that @file lies in. Returns 0 or -errno. */
static int make_parent(const char *file)
{
	_cleanup_free_ char *dir = xstrndup(file, strrchr(file, '/') - file);

	return mkdir(dir, 0777) && errno != EEXIST ? -errno : 0;
}

int rundir_publish(struct rundir *r, int fd, const char *name)
{
	_cleanup_free_ char *final = NULL, *partial = NULL;
	char self[64];
	int err = 0;

	if (!r->path) {
		r->path = xasprintf("%s/kt-run.XXXXXX", r->staging);
		if (!mkdtemp(r->path)) {
			err = -errno;
			free(take_ptr(r->path));
			return err;
		}
		r->made = true;
	}
	final = xasprintf("%s/%s", r->path, name);
	err = strchr(name, '/') ? make_parent(final) : 0;
	if (err)
		return err;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, self, AT_FDCWD, final, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	name = strrchr(final, '/') + 1;
	partial = xasprintf("%.*s.%s.%d", (int)(name - final), final, name, getpid());
	err = copy_to(fd, partial);
	if (!err && rename(partial, final))
		err = -errno;
	if (err)
		unlink(partial);
	return err;
}

void rundir_keep_later(struct rundir *r, int fd, const char *name)
{
	r->kept = xrealloc(r->kept, (r->n_kept + 1) * sizeof(*r->kept));
	r->kept[r->n_kept++] = (struct rundir_kept){fd, xstrdup(name)};
}

int rundir_keep(struct rundir *r, int fd, const char *name)
{
	int err;

	if (r->temporary) {
		rundir_keep_later(r, fd, name);
		return 0;
	}
	err = rundir_publish(r, fd, name);
	close(fd);
	return err;
}

int rundir_publish_kept(struct rundir *r)
{
	int err = 0;
	size_t i;

	for (i = 0; !err && i < r->n_kept; i++)
		err = rundir_publish(r, r->kept[i].fd, r->kept[i].name);
	return err;
}

void rundir_close(struct rundir *r)
{
	if (r->made && r->path && is_empty(r->path, NULL))
		rmdir(r->path);
	while (r->n_kept) {
		close(r->kept[--r->n_kept].fd);
		free(r->kept[r->n_kept].name);
	}
	free(r->kept);
	free(r->path);
	free(r->staging);
}
