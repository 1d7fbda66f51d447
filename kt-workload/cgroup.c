// SPDX-License-Identifier: GPL-2.0
#include "cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cgroup_where.h"
#include "cleanup.h"
#include "diag.h"

#define ROOT_PREFIX "kt."
#define MOVE_TRIES  100 /* what forks all the time leaves a few behind each time */

static int file_write(const char *dir, const char *file, const char *text)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, file);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* The first @size - 1 bytes of a file. Returns 0 or -errno. */
static int file_read(const char *dir, const char *file, char *buf, size_t size)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, file);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return 0;
}

/* Whether the blank-separated @list has @word. */
static bool list_has(const char *list, const char *word)
{
	size_t len = strlen(word);
	const char *at;

	for (at = list; (at = strstr(at, word)); at += len) {
		if ((at == list || at[-1] == ' ') && strchr(" \n", at[len]))
			return true;
	}
	return false;
}

/* Whether the list in @file has it. */
static bool file_has_word(const char *dir, const char *file, const char *word)
{
	char buf[512];

	return !file_read(dir, file, buf, sizeof(buf)) && list_has(buf, word);
}

char *cgroup_own_in_run(void)
{
	_cleanup_free_ char *mount = NULL, *shown = NULL, *own = NULL;

	if (cgroup_mount_find(&mount, &shown))
		return NULL;
	own = cgroup_own(mount, shown);
	return own && strstr(own, "/" ROOT_PREFIX) ? take_ptr(own) : NULL;
}

/* Give children of @dir every controller that is there; a missing one is found out when used. */
static void controllers_enable(const char *dir)
{
	static const char *const names[] = {"+cpuset", "+cpu", "+memory", "+io", "+pids"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		file_write(dir, "cgroup.subtree_control", names[i]);
}

static void sleep_ms(unsigned int ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

/* Remove the directories of @dir, deepest first. Returns 0 or the first -errno. */
static int tree_rmdir(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int ret = 0;

	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while ((e = readdir(d))) {
		_cleanup_free_ char *below = NULL;
		int err;

		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		below = xasprintf("%s/%s", dir, e->d_name);
		err = tree_rmdir(below);
		ret = ret ? ret : err;
	}
	closedir(d);
	if (rmdir(dir) && errno != ENOENT)
		ret = ret ? ret : -errno;
	return ret;
}

/* Kill all in @dir, below too, and remove it; a dying task holds it for a moment. */
static int tree_remove(const char *dir)
{
	int tries, ret;

	for (tries = 0;; tries++) {
		file_write(dir, "cgroup.kill", "1");
		ret = tree_rmdir(dir);
		if (ret != -EBUSY || tries == 300)
			return ret;
		sleep_ms(tries < 50 ? 1 : 10);
	}
}

/* Remove the roots of runs whose process is gone; one with live tasks is not ours to judge. */
static void clear_stale(const char *base)
{
	DIR *d = opendir(base);
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d))) {
		_cleanup_free_ char *dir = NULL;
		char events[128];
		char *end;
		long pid;

		if (strncmp(e->d_name, ROOT_PREFIX, strlen(ROOT_PREFIX)))
			continue;
		pid = strtol(e->d_name + strlen(ROOT_PREFIX), &end, 10);
		if (*end || pid <= 0 || !kill(pid, 0) || errno != ESRCH)
			continue;
		dir = xasprintf("%s/%s", base, e->d_name);
		if (file_read(dir, "cgroup.events", events, sizeof(events)) ||
		    !strstr(events, "populated 0"))
			continue;
		info("removing the cgroups of process %ld, which is gone: %s", pid, dir);
		tree_rmdir(dir);
	}
	closedir(d);
}

/*
 * Wait for the owner's end of the pipe to close. A byte before that says that nothing is left to
 * do; without one the owner was killed.
 */
_Noreturn static void guardian_main(const char *root, int fd)
{
	char byte;

	prctl(PR_SET_NAME, "kt-guardian");
	setsid();
	sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1});
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	dup2(fd, STDIN_FILENO);
	/* Nobody who waits for the run's output is to wait for the guardian. */
	close_range(STDOUT_FILENO, ~0U, 0);
	if (read(STDIN_FILENO, &byte, 1) == 0)
		tree_remove(root);
	_exit(0);
}

static int guardian_start(struct cgroup_tree *t)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	t->guardian = fork();
	if (t->guardian < 0) {
		close(fds[0]);
		close(fds[1]);
		return -errno;
	}
	if (t->guardian == 0) {
		close(fds[1]);
		guardian_main(t->root, fds[0]);
	}
	close(fds[0]);
	t->guard = fds[1];
	return 0;
}

/* Switch on in @base what it has of @want and does not give its children yet. */
static void base_enable(struct cgroup_tree *t, const char *base, const char *const *want)
{
	for (; *want; want++) {
		_cleanup_free_ char *on = xasprintf("+%s", *want);
		_cleanup_free_ char *before = t->enabled;

		if (file_has_word(base, "cgroup.subtree_control", *want) ||
		    file_write(base, "cgroup.subtree_control", on)) {
			before = NULL;
			continue;
		}
		t->enabled = xasprintf("%s -%s", before ? before : "", *want);
		if (!t->enabled_in)
			t->enabled_in = xstrdup(base);
	}
}

/* Make kt.PID in @base. Returns 0 or -errno. */
static int root_make(struct cgroup_tree *t, const char *base, const char *const *want)
{
	_cleanup_free_ char *root = xasprintf("%s/" ROOT_PREFIX "%d", base, getpid());
	char controllers[512];

	clear_stale(base);
	if (mkdir(root, 0755)) {
		/* With our own number, it is left from a process of an earlier boot of numbers. */
		if (errno != EEXIST || tree_remove(root) || mkdir(root, 0755))
			return -errno;
	}
	base_enable(t, base, want);
	controllers_enable(root);
	if (!file_read(root, "cgroup.subtree_control", controllers, sizeof(controllers)))
		t->controllers = xstrdup(controllers);
	t->root = take_ptr(root);
	return 0;
}

static void root_remove(struct cgroup_tree *t)
{
	int ret = tree_remove(t->root);

	if (ret)
		warn("cannot remove the run's cgroups in %s: %s", t->root, strerror(-ret));
	/* Fails when another run has come to use it, and then it is theirs. */
	if (t->enabled_in)
		file_write(t->enabled_in, "cgroup.subtree_control", t->enabled);
	free(t->enabled_in);
	free(t->enabled);
	free(t->controllers);
	free(t->root);
	t->root = t->enabled_in = t->enabled = t->controllers = NULL;
}

bool cgroup_tree_has(const struct cgroup_tree *t, const char *controller)
{
	return t->controllers && list_has(t->controllers, controller);
}

/* How many of @want the children of @dir have, or could have. */
static size_t count_controllers(const char *dir, const char *file, const char *const *want)
{
	size_t n = 0;

	for (; *want; want++)
		n += file_has_word(dir, file, *want);
	return n;
}

/* The caller's own cgroup is the place; when the mount's top offers more of @want, that is. */
static int root_place(struct cgroup_tree *t, const char *own, const char *mount,
		      const char *const *want)
{
	int ret = root_make(t, own, want);
	size_t have;

	if (!strcmp(own, mount))
		return ret;
	have = ret ? 0 : count_controllers(t->root, "cgroup.subtree_control", want);
	if (!ret && have >= count_controllers(mount, "cgroup.controllers", want))
		return 0;
	if (!ret)
		root_remove(t);
	return root_make(t, mount, want);
}

int cgroup_tree_open(struct cgroup_tree *t, const char *const *want, char **why)
{
	_cleanup_free_ char *mount = NULL, *shown = NULL, *own = NULL;
	int ret;

	*t = (struct cgroup_tree){.guard = -1, .guardian = -1};
	ret = cgroup_mount_find(&mount, &shown);
	if (ret) {
		*why = xasprintf("no cgroup2 file system is mounted: expected one at "
				 "/sys/fs/cgroup");
		return ret;
	}
	own = cgroup_own(mount, shown);
	t->outside = xstrdup(own ? own : mount);
	ret = root_place(t, t->outside, mount, want);
	if (ret) {
		*why = xasprintf("cannot make a cgroup in %s: %s: expected to run as root or in "
				 "a delegated cgroup",
				 t->outside, strerror(-ret));
		free(t->outside);
		t->outside = NULL;
		return ret;
	}
	ret = guardian_start(t);
	if (ret) {
		*why = xasprintf("cannot start the guardian process: %s", strerror(-ret));
		root_remove(t);
	}
	return ret;
}

void cgroup_tree_close(struct cgroup_tree *t)
{
	free(t->outside);
	t->outside = NULL;
	if (!t->root)
		return;
	root_remove(t);
	if (write(t->guard, "", 1) == 1)
		waitpid(t->guardian, NULL, 0);
	close(t->guard);
}

int cgroup_make(struct cgroup_tree *t, const char *name, const struct cpuset *cpus, char **why)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", t->root, name);
	char *slash = path + strlen(t->root);
	int ret;

	while ((slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		if (!mkdir(path, 0755))
			controllers_enable(path);
		*slash = '/';
	}
	if (mkdir(path, 0755) && errno != EEXIST) {
		ret = -errno;
		*why = xasprintf("cannot make cgroup '%s': %s%s", name, strerror(-ret),
				 ret == -EAGAIN
					 ? " (cgroup.max.descendants or cgroup.max.depth above it)"
					 : "");
		return ret;
	}
	if (!cpus)
		return 0;
	ret = cgroup_confine(t, name, cpus);
	if (ret) {
		_cleanup_free_ char *list = cpuset_format(cpus);

		*why = xasprintf("cannot confine cgroup '%s' to CPUs %s: %s", name, list,
				 strerror(-ret));
	}
	return ret;
}

int cgroup_set(struct cgroup_tree *t, const char *name, const char *file, const char *value,
	       char **why)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", t->root, name);
	int ret = file_write(path, file, value);

	if (ret)
		*why = xasprintf("cannot write '%s' to %s of cgroup '%s': %s%s", value, file, name,
				 strerror(-ret),
				 ret == -ENOENT ? " (the kernel has no such file)" : "");
	return ret;
}

long cgroup_count(struct cgroup_tree *t, const char *name, const char *file, const char *key)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", t->root, name);
	char buf[1024], *line, *rest = buf;
	size_t len = strlen(key);

	if (file_read(path, file, buf, sizeof(buf)))
		return -1;
	while ((line = strsep(&rest, "\n"))) {
		if (!strncmp(line, key, len) && line[len] == ' ')
			return atol(line + len);
	}
	return -1;
}

int cgroup_confine(struct cgroup_tree *t, const char *name, const struct cpuset *cpus)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", t->root, name);
	_cleanup_free_ char *list = cpus ? cpuset_format(cpus) : xstrdup("");
	/* A write of no bytes would not reach the kernel's handler. */
	_cleanup_free_ char *line = xasprintf("%s\n", list);

	return file_write(path, "cpuset.cpus", line);
}

int cgroup_freeze(struct cgroup_tree *t, const char *name, bool frozen)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", t->root, name);

	return file_write(path, "cgroup.freeze", frozen ? "1" : "0");
}

bool cgroup_is_frozen(struct cgroup_tree *t, const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", t->root, name);
	char events[128];

	return !file_read(path, "cgroup.events", events, sizeof(events)) &&
	       strstr(events, "frozen 1");
}

int cgroup_move(struct cgroup_tree *t, const char *name, pid_t pid)
{
	_cleanup_free_ char *path =
		!strcmp(name, "/") ? xstrdup(t->outside) : xasprintf("%s/%s", t->root, name);
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	return file_write(path, "cgroup.procs", text);
}

/* Move who is there now. Returns how many there were, or -errno. */
static int move_present(struct cgroup_tree *t, const char *from, const char *to)
{
	_cleanup_free_ char *path = xasprintf("%s/%s/cgroup.procs", t->root, from);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	int n = 0, pid, ret;

	if (!f)
		return -errno;
	for (; fscanf(f, "%d", &pid) == 1; n++) {
		ret = cgroup_move(t, to, pid);
		if (ret && ret != -ESRCH)
			return ret;
	}
	return n;
}

int cgroup_move_all(struct cgroup_tree *t, const char *from, const char *to)
{
	int tries, n = 1;

	for (tries = 0; n > 0 && tries < MOVE_TRIES; tries++)
		n = move_present(t, from, to);
	return n > 0 ? -EBUSY : n;
}

int cgroup_remove_empty(struct cgroup_tree *t, const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", t->root, name);

	return rmdir(path) ? -errno : 0;
}

void cgroup_remove(struct cgroup_tree *t, const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", t->root, name);
	int ret = tree_remove(path);

	if (ret)
		warn("cannot remove cgroup '%s': %s", name, strerror(-ret));
}
