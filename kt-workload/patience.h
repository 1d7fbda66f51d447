/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How long to wait for others that may never come. When the waiting process itself does not run for
 * a while, because its machine stands still or the scheduler under test has it wait, so may those
 * it waits for: of such a time only a little counts.
 */
#ifndef KT_PATIENCE_H
#define KT_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

#define PATIENCE_LOOK_NS 10000000ULL /* what counts from one look to the next, at most */
#define PATIENCE_CAP	 20	     /* after so many times the limit it is over all the same */

struct patience {
	uint64_t limit_ns, begin_ns, looked_ns, waited_ns;
};

/* Begin, or begin again after progress. */
void patience_begin(struct patience *p, uint64_t limit_ns);

/* To be asked every PATIENCE_LOOK_NS or more often: has it waited long enough? */
bool patience_over(struct patience *p);

#endif
