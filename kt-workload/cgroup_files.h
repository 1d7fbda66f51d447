/* SPDX-License-Identifier: GPL-2.0 */
/* The controllers' files that a scenario may write for a cgroup (cgroup-v2.rst), and their values.
 */
#ifndef KT_CGROUP_FILES_H
#define KT_CGROUP_FILES_H

#include <stddef.h>

/*
 * Check @value for @file ("cpu.max"); *@text is what to write then. Returns 0, or -EINVAL with
 * *@why (caller frees either).
 */
int cgroup_file_check(const char *file, const char *value, char **text, char **why);

/* The @i-th such file, or NULL beyond the last. */
const char *cgroup_file_at(size_t i);

/* The controller that has it: what comes before the first dot. Caller frees. */
char *cgroup_file_controller(const char *file);

#endif
