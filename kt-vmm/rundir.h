/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The run directory. Files are unnamed (O_TMPFILE) while they are written and get their name when
 * they are complete, so that a killed run leaves nothing. Without -o the directory itself is made
 * only when something is to be kept.
 */
#ifndef KT_RUNDIR_H
#define KT_RUNDIR_H

#include <stdbool.h>

struct rundir {
	char *path;    /* where the files go; NULL until a temporary one is needed */
	char *staging; /* directory of the file system that holds the unnamed files */
	bool temporary;
	bool made; /* we made it: remove it when it stays empty */
};

/*
 * Prepare @path (NULL: temporary). An existing directory must be empty or hold an earlier run,
 * whose files are removed. Returns 0 or -errno with *@why a malloc'ed phrase.
 */
int rundir_open(struct rundir *r, const char *path, char **why);

/* An unnamed file in it, for reading and writing. Returns a descriptor or -errno. */
int rundir_file(const struct rundir *r);

/* Give the complete file @fd its @name. Returns 0 or -errno. */
int rundir_publish(struct rundir *r, int fd, const char *name);

/* Remove the directory if nothing was published into it, and release the struct. */
void rundir_close(struct rundir *r);

#endif
