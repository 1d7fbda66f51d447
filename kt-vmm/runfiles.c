// SPDX-License-Identifier: GPL-2.0
#include "runfiles.h"

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "status.h"

void sinks_open(struct sinks *s, struct rundir *r)
{
	int *fds[] = {&s->stats, &s->err, &s->sched, &s->events};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		*fds[i] = rundir_file(r);
		if (*fds[i] < 0) {
			_cleanup_free_ char *staging = xstrdup(r->staging);

			rundir_close(r);
			die(STATUS_VMM, "%s: %s", staging, strerror(-*fds[i]));
		}
	}
}

void runfiles_publish(struct rundir *dir, const struct report *r)
{
	const struct sinks *s = &r->vm->sinks;
	int json = rundir_file(dir);
	struct {
		int fd;
		const char *name;
		bool always;
	} files[] = {
		{s->stats, "stats.json", true},
		{r->result->console.fd, "console.log", true},
		{s->sched, "sched.log", r->guest->sched != NULL},
		{s->err, "stderr.log", false},
		{s->events, "events.jsonl", true},
		{r->first ? r->first->console.fd : -1, "console-attempt1.log", false},
		{json, "run.json", true},
	};
	struct stat st;
	size_t i;
	int err = json < 0 ? json : report_write(r, json);

	if (!err)
		err = rundir_publish_kept(dir);
	for (i = 0; i < ARRAY_SIZE(files) && !err; i++) {
		if (files[i].fd < 0 || fstat(files[i].fd, &st) || (!st.st_size && !files[i].always))
			continue;
		err = rundir_publish(dir, files[i].fd, files[i].name);
	}
	if (err)
		warn("run directory %s: %s", dir->path ? dir->path : dir->staging, strerror(-err));
	cleanup_closep(&json);
}

void sched_log_say(int fd)
{
	char tail[2048], *line, *save;
	off_t size = lseek(fd, 0, SEEK_END);
	off_t from = size > (off_t)sizeof(tail) - 1 ? size - (off_t)sizeof(tail) + 1 : 0;
	ssize_t n = pread(fd, tail, sizeof(tail) - 1, from), i;

	for (i = 0; i < n; i++) {
		if (tail[i] != '\n' && !isprint((unsigned char)tail[i]))
			tail[i] = ' ';
	}
	tail[n > 0 ? n : 0] = 0;
	for (line = strtok_r(tail, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		warn("scheduler: %s", line);
}
