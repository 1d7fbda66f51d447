/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What programs of the run have started and left behind. Most of it dies with its cgroup; what was
 * placed outside of the run's cgroups is found by its parent, which this process becomes.
 */
#ifndef KT_ORPHANS_H
#define KT_ORPHANS_H

#include <sys/types.h>

/* From now on descendants whose parents die become children of the caller. */
void orphans_adopt(void);

/* Kill all children of the caller but @spared, and theirs; wait for it 1 s at most. */
void orphans_end(pid_t spared);

#endif
