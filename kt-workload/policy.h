/* SPDX-License-Identifier: GPL-2.0 */
/* Scheduling policies as scenarios write them: normal, batch, idle, fifo:PRIO, rr:PRIO,
 * deadline:RUN/DEADLINE/PERIOD, ext. */
#ifndef KT_POLICY_H
#define KT_POLICY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct policy {
	char *text;			/* as written; NULL: none was asked for */
	int number;			/* SCHED_...: include/uapi/linux/sched.h */
	int priority;			/* fifo and rr */
	uint64_t run, deadline, period; /* ns */
};

/* Parse @text. Returns 0, or -EINVAL with *@why set (caller frees). Release with policy_free(). */
int policy_parse(const char *text, struct policy *policy, char **why);
void policy_free(struct policy *policy);

/* Whether it goes before every task of the normal classes. */
bool policy_is_realtime(const struct policy *policy);

/* Give process @pid the policy, and the nice value @nice where it knows one. Returns 0 or -errno
 * with *@why set (caller frees). */
int policy_apply(const struct policy *policy, pid_t pid, int nice, char **why);

#endif
