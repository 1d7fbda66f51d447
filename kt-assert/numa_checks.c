// SPDX-License-Identifier: GPL-2.0
/* The checks of where a cgroup's pages are. */
#include <string.h>

#include "check_functions.h"

/* Are the pages known, and are there any? Otherwise it is inconclusive, and says why. */
static bool pages_known(const struct check *c, const struct cgroup *cg, struct result *r)
{
	struct subject who = cgroup_subject(cg);

	if (cg->pages.unknown)
		check_unmeasured(r, c, who, "%zu of %zu workers have no numa_pages",
				 cg->pages.unknown, cg->workers);
	else if (!cg->pages.all)
		check_unmeasured(r, c, who, "its workers have no pages");
	return !cg->pages.unknown && cg->pages.all;
}

/* Memory that was bound to nodes and is on none was not had as it was asked for. */
static bool bound_to_nothing(const struct cgroup *cg)
{
	return !cg->pages.unknown && !cg->pages.all && cg->mempolicy &&
	       !strncmp(cg->mempolicy, "bind", 4);
}

void judge_page_locality(const struct check *c, const struct cgroup *cg, double threshold,
			 struct result *r)
{
	struct subject who = cgroup_subject(cg);
	char text[VALUE_TEXT];
	double ratio;

	if (!cg->nodes_expected)
		return;
	if (bound_to_nothing(cg)) {
		result_measured(r, c->fails, who, 0);
		result_add(r, VERDICT_FAIL, who, 0,
			   "cg%ld misplaced: no pages under mempolicy %s (threshold %.12g)",
			   who.cgroup, cg->mempolicy, threshold);
		return;
	}
	if (!pages_known(c, cg, r))
		return;
	ratio = (double)cg->pages.expected / cg->pages.all;
	result_measured(r, c->fails, who, ratio);
	if (ratio < threshold)
		result_add(r, VERDICT_FAIL, who, ratio,
			   "cg%ld misplaced: page_locality=%s %lld of %lld pages on nodes %s "
			   "(threshold %.12g)",
			   who.cgroup, value_text(text, ratio, threshold, c->fails, 2),
			   (long long)cg->pages.expected, (long long)cg->pages.all,
			   cg->nodes_expected, threshold);
}

void judge_page_migration(const struct check *c, const struct cgroup *cg, double threshold,
			  struct result *r)
{
	struct subject who = cgroup_subject(cg);
	char text[VALUE_TEXT];
	double ratio;

	if (cg->pages.unknown_migrated) {
		check_unmeasured(r, c, who, "%zu of %zu workers have no numa_pages_migrated",
				 cg->pages.unknown_migrated, cg->workers);
		return;
	}
	if (!pages_known(c, cg, r))
		return;
	ratio = (double)cg->pages.migrated / cg->pages.all;
	result_measured(r, c->fails, who, ratio);
	if (ratio > threshold)
		result_add(r, VERDICT_FAIL, who, ratio,
			   "cg%ld restless: cross_node_migration_ratio=%s %lld pages migrated of "
			   "%lld (threshold %.12g)",
			   who.cgroup,
			   value_text(text, ratio, threshold, c->fails, rate_decimals(ratio)),
			   (long long)cg->pages.migrated, (long long)cg->pages.all, threshold);
}

void judge_slow_tier(const struct check *c, const struct cgroup *cg, double threshold,
		     struct result *r)
{
	struct subject who = cgroup_subject(cg);
	char text[VALUE_TEXT];
	double ratio;

	if (cg->pages.slow == BIND_NONE) {
		check_unmeasured(r, c, who, "no numa_nodes: which have memory only is unknown");
		return;
	}
	if (!pages_known(c, cg, r))
		return;
	ratio = (double)cg->pages.slow / cg->pages.all;
	result_measured(r, c->fails, who, ratio);
	if (ratio > threshold)
		result_add(r, VERDICT_FAIL, who, ratio,
			   "cg%ld on slow memory: slow_tier_ratio=%s %lld of %lld pages "
			   "(threshold %.12g)",
			   who.cgroup,
			   value_text(text, ratio, threshold, c->fails, rate_decimals(ratio)),
			   (long long)cg->pages.slow, (long long)cg->pages.all, threshold);
}
