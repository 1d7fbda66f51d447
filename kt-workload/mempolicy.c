// SPDX-License-Identifier: GPL-2.0
#include "mempolicy.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "names.h"

/* Newer than some headers: Linux 5.15 and 6.9. */
#define PREFERRED_MANY	    5
#define WEIGHTED_INTERLEAVE 6
#ifndef MPOL_F_NUMA_BALANCING
#define MPOL_F_NUMA_BALANCING (1 << 13)
#endif

static const struct {
	const char *name;
	int mode;
	bool nodes; /* it takes some */
} modes[] = {
	{"default", MPOL_DEFAULT, false},
	{"local", MPOL_LOCAL, false},
	{"bind", MPOL_BIND, true},
	{"preferred", MPOL_PREFERRED, true},
	{"interleave", MPOL_INTERLEAVE, true},
	{"weighted-interleave", WEIGHTED_INTERLEAVE, true},
};

static const struct {
	const char *name;
	int flag;
} flag_names[] = {
	{"static", MPOL_F_STATIC_NODES},
	{"relative", MPOL_F_RELATIVE_NODES},
	{"numa-balancing", MPOL_F_NUMA_BALANCING},
};

static int nodes_parse(const char *text, const char *list, const struct cpuset *have,
		       struct mempolicy *mp, char **why)
{
	_cleanup_free_ char *known = cpuset_format(have);

	if (!list || cpuset_parse(list, &mp->nodes) || !cpuset_count(&mp->nodes)) {
		*why = xasprintf(
			"mempolicy='%s': expected nodes after the name, for example bind:0", text);
		return -EINVAL;
	}
	if (!cpuset_subset(&mp->nodes, have)) {
		*why = xasprintf("mempolicy='%s': the nodes with memory that the workers may use "
				 "are %s",
				 text, known);
		return -EINVAL;
	}
	if (mp->mode == MPOL_PREFERRED && cpuset_count(&mp->nodes) > 1)
		mp->mode = PREFERRED_MANY;
	return 0;
}

int mempolicy_parse(const char *text, const struct cpuset *have, struct mempolicy *mp, char **why)
{
	const char *names[ARRAY_SIZE(modes) + 1] = {};
	_cleanup_free_ char *copy = xstrdup(text);
	char *list = copy, *name = strsep(&list, ":");
	size_t i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(modes) && strcmp(modes[i].name, name); i++)
		names[i] = modes[i].name;
	if (i == ARRAY_SIZE(modes)) {
		*why = unknown_name("mempolicy", name, names);
		return -EINVAL;
	}
	*mp = (struct mempolicy){.mode = modes[i].mode};
	if (modes[i].nodes) {
		ret = nodes_parse(text, list, have, mp, why);
	} else if (list) {
		*why = xasprintf("mempolicy='%s': expected nothing after the name", text);
		ret = -EINVAL;
	}
	if (!ret)
		mp->text = xstrdup(text);
	return ret;
}

/* What set_mempolicy(2) would refuse. */
static const char *flags_fault(const struct mempolicy *mp)
{
	int both = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES;

	if (!mp->text)
		return "expected a mempolicy with it";
	if ((mp->flags & both) == both)
		return "expected static or relative, not both";
	if (!cpuset_count(&mp->nodes))
		return "expected a mempolicy that names nodes";
	if (mp->flags & MPOL_F_NUMA_BALANCING && mp->mode != MPOL_BIND)
		return "expected numa-balancing with mempolicy=bind:N only";
	return NULL;
}

int mempolicy_flags_parse(const char *text, struct mempolicy *mp, char **why)
{
	const char *names[ARRAY_SIZE(flag_names) + 1] = {};
	_cleanup_free_ char *copy = xstrdup(text);
	char *rest = copy, *name;
	const char *fault;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flag_names); i++)
		names[i] = flag_names[i].name;
	while ((name = strsep(&rest, ","))) {
		for (i = 0; i < ARRAY_SIZE(flag_names) && strcmp(names[i], name); i++)
			;
		if (i == ARRAY_SIZE(flag_names)) {
			*why = unknown_name("flag", name, names);
			return -EINVAL;
		}
		mp->flags |= flag_names[i].flag;
	}
	fault = flags_fault(mp);
	if (fault)
		*why = xasprintf("mpol-flags='%s': %s", text, fault);
	return fault ? -EINVAL : 0;
}

void mempolicy_free(struct mempolicy *mp)
{
	free(mp->text);
	mp->text = NULL;
}

int mempolicy_apply(const struct mempolicy *mp)
{
	bool nodes = cpuset_count(&mp->nodes);

	/* The kernel reads one bit less than it is told of (get_nodes(), mm/mempolicy.c). */
	if (syscall(SYS_set_mempolicy, mp->mode | mp->flags, nodes ? mp->nodes.bits : NULL,
		    nodes ? CPUSET_MAX + 1UL : 0))
		return -errno;
	return 0;
}
