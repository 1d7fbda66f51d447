// SPDX-License-Identifier: GPL-2.0
#include "source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"

static const struct subject whole_run = {.cgroup = -1};

int source_unreadable(const char *path, char **message)
{
	int err = errno;

	*message = xasprintf("cannot read '%s': %s", path, strerror(err));
	return -err;
}

static int read_stats(struct judgement *j, int fd, const char *path, char **message)
{
	_cleanup_free_ char *why = NULL;
	int err = stats_read(fd, j->options->step, &j->stats, &why);

	if (err)
		*message = xasprintf("%s: %s", path, why);
	j->has_stats = !err;
	return err;
}

/* Is it the error of a file that is not whole, or that this version does not know? */
static bool is_incomplete(int err)
{
	return err == -ENODATA || err == -EPROTONOSUPPORT;
}

/* Has the directory been a run's: does it hold one of its files, or, cleared or new, nothing? */
static bool is_run_dir(const char *dir)
{
	static const char *const files[] = {
		"run.json",  "stats.json",    "stderr.log",   "console.log",
		"sched.log", "monitor.jsonl", "events.jsonl", "console-attempt1.log",
	};
	DIR *d = opendir(dir);
	bool found = false, any = false;
	const struct dirent *e;
	size_t i;

	while (d && !found && (e = readdir(d))) {
		any |= strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
		for (i = 0; i < ARRAY_SIZE(files); i++)
			found |= !strcmp(e->d_name, files[i]);
	}
	if (d)
		closedir(d);
	return found || (d && !any);
}

/* Does a directory in @dir have a run.json? Whoever gives a matrix's directory means those. */
static bool holds_runs(const char *dir)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	bool found = false;

	while (d && !found && (e = readdir(d))) {
		_cleanup_free_ char *path = xasprintf("%s/%s/run.json", dir, e->d_name);

		found = e->d_name[0] != '.' && !access(path, F_OK);
	}
	if (d)
		closedir(d);
	return found;
}

static int read_outcome(struct judgement *j, const char *dir, char **message)
{
	_cleanup_free_ char *why = NULL;
	int err = run_read(dir, &j->run, &why);

	if (err && !is_incomplete(err)) {
		*message = take_ptr(why);
		return err;
	}
	j->partial = err || !j->run.known;
	if (err)
		result_add(&j->completed, VERDICT_INCONCLUSIVE, whole_run, NAN, "%s", why);
	else if (j->run.known)
		run_judge(&j->run, &j->completed);
	else
		result_add(&j->completed, VERDICT_INCONCLUSIVE, whole_run, NAN,
			   "incomplete: %s has no run.json, which is written last", dir);
	return 0;
}

/*
 * Stats that can't be had fail or excuse a run that ended badly. After a good end malformed ones
 * are an error.
 */
static int read_run_dir(struct judgement *j, const char *dir, char **message)
{
	_cleanup_free_ char *path = xasprintf("%s/stats.json", dir);
	_cleanup_free_ char *why = NULL;
	_cleanup_close_ int fd = -1;
	int err;

	if (!is_run_dir(dir)) {
		*message = xasprintf("%s: expected a run directory with run.json or stats.json%s",
				     dir, holds_runs(dir) ? "; it holds some: name those" : "");
		return -EBADMSG;
	}
	err = read_outcome(j, dir, message);
	if (err)
		return err;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT)
		return source_unreadable(path, message);
	if (fd < 0) {
		j->partial |= run_ended_well(&j->run);
		result_add(&j->completed, VERDICT_INCONCLUSIVE, whole_run, NAN,
			   "no stats.json: nothing was measured");
		return 0;
	}
	err = read_stats(j, fd, path, &why);
	if (err && !is_incomplete(err) && run_ended_well(&j->run)) {
		*message = take_ptr(why);
		return err;
	}
	if (err) {
		j->partial |= run_ended_well(&j->run);
		result_add(&j->completed, VERDICT_INCONCLUSIVE, whole_run, NAN, "no stats: %s",
			   why);
	}
	return 0;
}

int source_read(struct judgement *j, char **message)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (!strcmp(j->source, "-"))
		return read_stats(j, STDIN_FILENO, "stdin", message);
	fd = open(j->source, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return source_unreadable(j->source, message);
	if (S_ISDIR(st.st_mode))
		return read_run_dir(j, j->source, message);
	return read_stats(j, fd, j->source, message);
}
