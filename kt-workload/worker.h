/* SPDX-License-Identifier: GPL-2.0 */
/* What a worker does from its birth on: in a process of its own, or as a thread of its group's. */
#ifndef KT_WORKER_H
#define KT_WORKER_H

#include "group_fds.h"
#include "member.h"

/* Where a leader waits until it has been moved to its cgroup; shared with the parent. */
struct gate {
	_Atomic uint32_t open;
};

void gate_open(struct gate *gate);

/* The life of a forked worker @w, a child of @parent. */
_Noreturn void worker_process(const struct crew *crew, struct worker *w,
			      const struct group_fds *fds, const struct spawn *spawn, pid_t parent);

/* The life of the process whose threads are the workers of the crew and its mates. */
_Noreturn void leader_process(const struct crew *crew, const struct spawn *spawn, pid_t parent);

#endif
