/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Descriptors that a group of workers shares (work_type.prepare()). Workers are forked one by one
 * and close what is not theirs, so the parent has those of one group open at a time: it opens them
 * before the group's first worker and closes them after its last.
 */
#ifndef KT_GROUP_FDS_H
#define KT_GROUP_FDS_H

#include "work.h"

struct group_fds {
	int *fds; /* work_spec.fds of them; -1: none */
	unsigned int n;
};

/* Open those of one group of @spec. Returns 0 or -errno. Release with group_fds_close(). */
int group_fds_open(struct group_fds *g, const struct work_spec *spec);
void group_fds_close(struct group_fds *g);

/* A worker's part: close all descriptors beyond stderr but those of its group. */
void group_fds_close_others(const struct group_fds *g);

#endif
