/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Dispatch queues (struct scx_dispatch_q): each is an object {type, ...where, nr, tasks}. What is
 * there of tasks and of queues is bounded; "left_out" counts the tasks beyond, and "broken" is true
 * where a list does not lead back to its head.
 */
#ifndef KT_SNAPSHOT_SCX_DSQ_H
#define KT_SNAPSHOT_SCX_DSQ_H

#include "kernel.h"

#define SCX_MAX_DSQS	  4096
#define SCX_MAX_DSQ_TASKS 256
#define SCX_MAX_TASKS	  4096

/* Where the members are, looked up once, and the list that is being filled. */
struct scx_dsqs {
	struct kernel *kernel;
	json_t *list;	/* borrowed */
	size_t n_tasks; /* in all of them */
	bool full;	/* a queue was left out */
	struct field nr, head, node, node_flags;
	struct field id, hash_node, pid, comm, slice, vtime; /* size 0: this kernel lacks it */
};

/*
 * @list, an array, gets an entry for each queue that is added. Returns 0, or -ENOENT when this
 * kernel lacks what every queue needs.
 */
int scx_dsqs_init(struct scx_dsqs *d, struct kernel *k, json_t *list);

/*
 * Add the queue at @va. @where is "cpu" or "node" with its number @number; NULL: it has an id.
 * Returns 0 or -EFAULT.
 */
int scx_dsqs_add(struct scx_dsqs *d, const char *type, const char *where, uint32_t number,
		 uint64_t va);

/*
 * Add the queues in the struct rhashtable at @va, in the order of their ids. Returns 0, -EFAULT,
 * -ENOENT when this kernel lacks a member that it takes, or -ENOTSUP for a table that the kernel
 * had no memory to lay out in one piece.
 */
int scx_dsqs_add_table(struct scx_dsqs *d, uint64_t va);

#endif
