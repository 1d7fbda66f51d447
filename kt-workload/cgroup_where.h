/* SPDX-License-Identifier: GPL-2.0 */
/* Where the cgroup2 file system is mounted, and the caller in it. */
#ifndef KT_CGROUP_WHERE_H
#define KT_CGROUP_WHERE_H

/*
 * Directory of the cgroup2 mount, and which cgroup it shows at its top (proc(5), mountinfo).
 * Returns 0 or -errno. Caller frees both.
 */
int cgroup_mount_find(char **mount, char **shown);

/* The caller's own cgroup, as a directory below @mount. Caller frees; NULL if it is not there. */
char *cgroup_own(const char *mount, const char *shown);

#endif
