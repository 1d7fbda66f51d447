/* SPDX-License-Identifier: GPL-2.0 */
/* The checks of monitor data: a violation counts when it lasts some samples in a row. */
#ifndef KT_ASSERT_MONITOR_CHECKS_H
#define KT_ASSERT_MONITOR_CHECKS_H

#include <stddef.h>
#include <stdint.h>

#include "checks.h"
#include "policy.h"
#include "result.h"

/* Events over the intervals in which they were counted. */
struct event_rate {
	int64_t count, ns;
};

/* A time in which samples are judged, and what a report shows of them. */
struct monitor {
	/* Set by the caller: from @from_ns on and before @to_ns by the samples' clock. */
	struct scope scope;
	int64_t from_ns, to_ns;
	/* Set here. */
	size_t samples, cpus;
	int64_t first_ns, last_ns;
	double max_imbalance; /* NAN: not measured */
	int64_t max_depth;    /* BIND_NONE: not measured */
	size_t stalls; /* samples with a CPU that stood still, those not sustained included */
	struct event_rate fallback, keep_last;
};

/*
 * Read monitor data from @fd and judge it as @p has it into @results (by position in checks[]), by
 * itself for each of the @n times in @m. A check without a usable sample is inconclusive; those of
 * event rates are skipped when there was no scheduler, unless asked for by the command line.
 * Returns 0 or what monitor_read() does; the samples before a malformed one are judged either way.
 */
int monitor_judge(int fd, const struct policy *p, struct monitor *m, size_t n,
		  struct result *results, char **message);

/* Per second, NAN when no interval was measured. */
double event_rate(const struct event_rate *r);

#endif
