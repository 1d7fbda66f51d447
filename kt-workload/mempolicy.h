/* SPDX-License-Identifier: GPL-2.0 */
/* Memory policies as scenarios write them: default, local, bind:N, preferred:N, interleave:N,
 * weighted-interleave:N (Documentation/admin-guide/mm/numa_memory_policy.rst). */
#ifndef KT_MEMPOLICY_H
#define KT_MEMPOLICY_H

#include <stdint.h>

#include "cpuset.h"

struct mempolicy {
	char *text; /* as written; NULL: none was asked for */
	int mode;   /* MPOL_...: include/uapi/linux/mempolicy.h */
	int flags;  /* MPOL_F_... */
	struct cpuset nodes;
};

/*
 * Parse @text for memory on the nodes @have. Returns 0, or -EINVAL with *@why (caller frees).
 * Release with mempolicy_free().
 */
int mempolicy_parse(const char *text, const struct cpuset *have, struct mempolicy *mp, char **why);

/* Add the flags @text, "static", "relative" and "numa-balancing", to a parsed policy. As above. */
int mempolicy_flags_parse(const char *text, struct mempolicy *mp, char **why);
void mempolicy_free(struct mempolicy *mp);

/* Give the calling thread the policy. Returns 0 or -errno. */
int mempolicy_apply(const struct mempolicy *mp);

#endif
