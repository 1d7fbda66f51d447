/* SPDX-License-Identifier: GPL-2.0 */
/* What the two halves of kt_sched, in the kernel and in user space, have in common. */
#ifndef KT_SCHED_H
#define KT_SCHED_H

#define KT_MAX_CPUS    4096
#define KT_MAX_QUEUES  512
#define KT_CGROUP_NAME 256

/* How the kernel ended the scheduler: its struct scx_exit_info. kind is 0 while it runs. */
struct kt_exit {
	int kind;
	long long code;
	char reason[128];
	char message[1024];
};

/* Event counts of one CPU, the value of the per-CPU array cpu_stats. */
struct kt_cpu_stats {
	unsigned long long enqueued;   /* tasks that this CPU queued */
	unsigned long long direct;     /* tasks put on an idle CPU without being queued */
	unsigned long long dispatched; /* tasks taken from a queue */
	unsigned long long stolen;     /* of those, from another LLC's queue */
	unsigned long long runs;       /* times a task was put on this CPU */
	unsigned long long llc_moves;  /* of those, after it last ran in another LLC */
};

#endif
