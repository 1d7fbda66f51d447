/* SPDX-License-Identifier: GPL-2.0 */
/* When the steps of a run were, by the guest's clock: from its events (kt-workload(1)). */
#ifndef KT_ASSERT_STEP_TIMES_H
#define KT_ASSERT_STEP_TIMES_H

#include <stddef.h>
#include <stdint.h>

struct step_time {
	char *name;
	int64_t from_ns, to_ns; /* to_ns: INT64_MAX when its end is not told */
};

/* In the order in which the steps began. */
struct step_times {
	struct step_time *v;
	size_t n, max;
};

/* Read @dir/events.jsonl; none when it is not there. Lines that are no events are passed over. */
void step_times_read(const char *dir, struct step_times *t);
void step_times_free(struct step_times *t);

#endif
