/* SPDX-License-Identifier: GPL-2.0 */
/* What the rows of checks[] call, and what those functions share. */
#ifndef KT_ASSERT_CHECK_FUNCTIONS_H
#define KT_ASSERT_CHECK_FUNCTIONS_H

#include "checks.h"

/* Each judges one worker or one cgroup by @c into @r; see struct check. */
#define WORKER_CHECK(name) \
	void name(const struct check *c, const struct worker *w, double threshold, struct result *r)
#define CGROUP_CHECK(name)                                                          \
	void name(const struct check *c, const struct cgroup *cg, double threshold, \
		  struct result *r)

WORKER_CHECK(judge_starved);
WORKER_CHECK(judge_gap);
WORKER_CHECK(judge_isolation);
WORKER_CHECK(judge_work_rate);
WORKER_CHECK(judge_iteration_rate);
CGROUP_CHECK(judge_spread);
CGROUP_CHECK(judge_throughput_cv);
CGROUP_CHECK(judge_migration_ratio);
CGROUP_CHECK(judge_wake_p99);
CGROUP_CHECK(judge_wake_cv);
CGROUP_CHECK(judge_page_locality);
CGROUP_CHECK(judge_page_migration);
CGROUP_CHECK(judge_slow_tier);

struct subject cgroup_subject(const struct cgroup *cg);

/* Add the inconclusive finding "cg0: NAME not measured: @fmt...". */
void check_unmeasured(struct result *r, const struct check *c, struct subject who, const char *fmt,
		      ...) __attribute__((format(printf, 4, 5)));

#endif
