/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The run directory. Files are unnamed (O_TMPFILE) while they are written and get their name when
 * they are complete, so that a killed run leaves nothing. Without -o the directory itself is made
 * only when something is to be kept.
 */
#ifndef KT_RUNDIR_H
#define KT_RUNDIR_H

#include <stdbool.h>
#include <stddef.h>

struct rundir {
	char *path;    /* where the files go; NULL until a temporary one is needed */
	char *staging; /* directory of the file system that holds the unnamed files */
	bool temporary;
	bool made; /* we made it: remove it when it stays empty */
	struct rundir_kept {
		int fd;
		char *name;
	} * kept; /* to get their names at the end */
	size_t n_kept;
};

/*
 * Prepare @path (NULL: temporary). An existing directory must be empty or hold an earlier run,
 * whose files are removed. Returns 0 or -errno with *@why a malloc'ed phrase.
 */
int rundir_open(struct rundir *r, const char *path, char **why);

/* An unnamed file in it, for reading and writing. Returns a descriptor or -errno. */
int rundir_file(const struct rundir *r);

/* Give the complete file @fd its @name, which may lie in a directory below. Returns 0 or -errno. */
int rundir_publish(struct rundir *r, int fd, const char *name);

/*
 * Give @fd, which is taken, its @name before the run's end where the run is kept anyway, else when
 * rundir_publish_kept() says that it is. Returns 0 or -errno.
 */
int rundir_keep(struct rundir *r, int fd, const char *name);

/* The same at the run's end, for a file that is still written to. */
void rundir_keep_later(struct rundir *r, int fd, const char *name);
int rundir_publish_kept(struct rundir *r);

/* Remove the directory if nothing was published into it, and release the struct. */
void rundir_close(struct rundir *r);

#endif
