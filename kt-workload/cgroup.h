/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The run's part of the cgroup v2 tree (Documentation/admin-guide/cgroup-v2.rst): a root kt.PID
 * below the caller's own cgroup, or at the top of the mount when only that can give the cpuset
 * controller. It goes away with the run: cgroup_tree_close() removes it, a guardian process does
 * when the caller dies without, and what both left is cleared by the next run.
 */
#ifndef KT_CGROUP_H
#define KT_CGROUP_H

#include <stdbool.h>
#include <sys/types.h>

#include "cpuset.h"

struct cgroup_tree {
	char *outside;	   /* directory of the cgroup that the caller is in */
	char *root;	   /* directory of the run's root, NULL when not open */
	char *controllers; /* those that its children can have, blank-separated */
	char *enabled_in;  /* where controllers were switched on for this run, or NULL */
	char *enabled;	   /* and which */
	int guard;	   /* pipe to the guardian */
	pid_t guardian;
};

/*
 * Make the run's root, looking for a place that has the controllers @want (NULL-terminated), and
 * doing without them when there is none (cgroup_tree_has()). Returns 0 or -errno with *@why set
 * (caller frees).
 */
int cgroup_tree_open(struct cgroup_tree *t, const char *const *want, char **why);

/* Whether the run's cgroups can have @controller ("cpuset"). */
bool cgroup_tree_has(const struct cgroup_tree *t, const char *controller);

/* Kill what is left in it and remove it. */
void cgroup_tree_close(struct cgroup_tree *t);

/*
 * Directory of the cgroup that the calling task is in, or NULL when that is not one of a run.
 * Caller frees.
 */
char *cgroup_own_in_run(void);

/*
 * Make the cgroup @name ("a/b") with the controllers there are, and confine it to @cpus unless
 * that is NULL. Returns 0 or -errno with *@why set (caller frees).
 */
int cgroup_make(struct cgroup_tree *t, const char *name, const struct cpuset *cpus, char **why);

/* Write @value to one of its files. Returns 0 or -errno with *@why set (caller frees). */
int cgroup_set(struct cgroup_tree *t, const char *name, const char *file, const char *value,
	       char **why);

/* A number of the "key number" lines in one of its files, or -1. */
long cgroup_count(struct cgroup_tree *t, const char *name, const char *file, const char *key);

/* Confine it to @cpus, or to what is above it when that is NULL. Returns 0 or -errno. */
int cgroup_confine(struct cgroup_tree *t, const char *name, const struct cpuset *cpus);

/* Ask for its tasks to be frozen or thawed; cgroup_is_frozen() tells when they are. 0 or -errno. */
int cgroup_freeze(struct cgroup_tree *t, const char *name, bool frozen);
bool cgroup_is_frozen(struct cgroup_tree *t, const char *name);

/* Move process @pid into it, or with "/" to where the caller itself was. Returns 0 or -errno. */
int cgroup_move(struct cgroup_tree *t, const char *name, pid_t pid);

/* Move all that is in cgroup @from, again and again as it forks. Returns 0 or -errno. */
int cgroup_move_all(struct cgroup_tree *t, const char *from, const char *to);

/* Remove it if nothing is in it. Returns 0 or -errno. */
int cgroup_remove_empty(struct cgroup_tree *t, const char *name);

/* Kill what is in it and remove it with those below. */
void cgroup_remove(struct cgroup_tree *t, const char *name);

#endif
