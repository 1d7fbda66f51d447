// SPDX-License-Identifier: GPL-2.0
#include "policy.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "identity.h"
#include "names.h"
#include "quantity.h"

#define EXT_NUMBER 7 /* SCHED_EXT, from Linux 6.12 */

#define PRIORITY_MAX 99
#define RUN_MIN_NS   1024 /* kernel/sched/deadline.c, __checkparam_dl() */

static const struct {
	const char *name;
	int number;
} policies[] = {
	{"normal", SCHED_NORMAL}, {"batch", SCHED_BATCH}, {"idle", SCHED_IDLE},
	{"fifo", SCHED_FIFO},	  {"rr", SCHED_RR},	  {"deadline", SCHED_DEADLINE},
	{"ext", EXT_NUMBER},
};

/* "RUN/DEADLINE/PERIOD". */
static int deadline_parse(char *text, struct policy *policy)
{
	uint64_t *const times[] = {&policy->run, &policy->deadline, &policy->period};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(times); i++) {
		char *part = strsep(&text, "/");

		if (!part || duration_parse(part, times[i]))
			return -EINVAL;
	}
	return text || policy->run < RUN_MIN_NS || policy->run > policy->deadline ||
	       policy->deadline > policy->period;
}

static int arguments_parse(char *args, struct policy *policy, const char *text, char **why)
{
	int64_t n = 0;

	switch (policy->number) {
	case SCHED_FIFO:
	case SCHED_RR:
		if (args && !number_parse(args, 1, PRIORITY_MAX, &n)) {
			policy->priority = n;
			return 0;
		}
		*why = xasprintf("policy='%s': expected a priority from 1 to %d, for example "
				 "fifo:50",
				 text, PRIORITY_MAX);
		return -EINVAL;
	case SCHED_DEADLINE:
		if (args && !deadline_parse(args, policy))
			return 0;
		*why = xasprintf("policy='%s': expected times RUN <= DEADLINE <= PERIOD from 1024 "
				 "ns, for example deadline:2ms/10ms/10ms",
				 text);
		return -EINVAL;
	default:
		if (!args)
			return 0;
		*why = xasprintf("policy='%s': expected nothing after the name", text);
		return -EINVAL;
	}
}

int policy_parse(const char *text, struct policy *policy, char **why)
{
	const char *names[ARRAY_SIZE(policies) + 1] = {};
	_cleanup_free_ char *copy = xstrdup(text);
	char *args = copy, *name = strsep(&args, ":");
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(policies) && strcmp(policies[i].name, name); i++)
		names[i] = policies[i].name;
	if (i == ARRAY_SIZE(policies)) {
		*why = unknown_name("policy", name, names);
		return -EINVAL;
	}
	*policy = (struct policy){.number = policies[i].number};
	ret = arguments_parse(args, policy, text, why);
	if (!ret)
		policy->text = xstrdup(text);
	return ret;
}

void policy_free(struct policy *policy)
{
	free(policy->text);
	policy->text = NULL;
}

bool policy_is_realtime(const struct policy *policy)
{
	return policy->text && (policy->number == SCHED_FIFO || policy->number == SCHED_RR ||
				policy->number == SCHED_DEADLINE);
}

/* What an error of sched_setattr(2) means for @policy. */
static const char *error_hint(const struct policy *policy, int error)
{
	if (error == EPERM && !capability_has(CAP_SYS_NICE))
		return " (it needs CAP_SYS_NICE)";
	if (policy->number == SCHED_DEADLINE && error == EPERM)
		return " (deadline tasks cannot be confined to some of the CPUs)";
	if (policy->number == SCHED_DEADLINE && error == EBUSY)
		return " (the CPUs have no bandwidth left for it)";
	if (policy->number == EXT_NUMBER && error == EINVAL)
		return " (the kernel has no sched_ext)";
	return "";
}

int policy_apply(const struct policy *policy, pid_t pid, int nice, char **why)
{
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = policy->number,
		.sched_nice = nice,
		.sched_priority = policy->priority,
		.sched_runtime = policy->run,
		.sched_deadline = policy->deadline,
		.sched_period = policy->period,
	};
	int error;

	if (!syscall(SYS_sched_setattr, pid, &attr, 0))
		return 0;
	error = errno;
	*why = xasprintf("cannot set policy=%s: %s%s", policy->text, strerror(error),
			 error_hint(policy, error));
	return -error;
}
