/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where files of the host lie in the guest: the same directories and symbolic links lead to them,
 * so that a path means the same on both sides.
 */
#ifndef KT_LAYOUT_H
#define KT_LAYOUT_H

#include <stdbool.h>

#include "cpio.h"

/* Set *@why, unless it is set, to "PATH: error text", malloc'ed. Returns @err, a -errno. */
int path_fail(char **why, int err, const char *path);

/* The absolute form of @path for a process in @cwd, by its words alone: without ".", ".." and "//".
 */
char *path_normalise(const char *cwd, const char *path);

/*
 * The absolute form of the existing file @path: its directory without links and "..", its last name
 * as it is. Returns a malloc'ed path, or NULL with errno set.
 */
char *path_absolute(const char *path);

/* Is it a regular file, behind links or not? */
bool path_is_regular(const char *path);

/* Is it a symbolic link? */
bool path_is_link(const char *path);

/*
 * Refuse a guest path that nothing may be carried to: below a mount of the guest's own, where it
 * would be out of sight, or a file of kt's own. Returns 0 or -EINVAL with *@why.
 */
int layout_check(const struct cpio *c, const char *path, char **why);

/*
 * Walk the absolute path @path as the kernel does and add what the host has on the way:
 * directories, and each link as a link. With @create what is no directory or link there becomes a
 * directory, the last component too. *@real is set to where the path leads, malloc'ed, without
 * links ("" for the root). Returns 0 or -errno with *@why.
 */
int layout_walk(struct cpio *c, const char *path, bool create, char **real, char **why);

/*
 * The guest path of the relative path @path, which is below GUEST_HOME; directories that it leaves
 * by ".." are added, since the guest passes through them. Caller frees.
 */
char *layout_home(struct cpio *c, const char *path);

#endif
