// SPDX-License-Identifier: GPL-2.0
#include "patience.h"

#include "worker_clock.h"

void patience_begin(struct patience *p, uint64_t limit_ns)
{
	uint64_t now = clock_now();

	*p = (struct patience){.limit_ns = limit_ns, .begin_ns = now, .looked_ns = now};
}

bool patience_over(struct patience *p)
{
	uint64_t now = clock_now(), since = now - p->looked_ns;

	p->looked_ns = now;
	p->waited_ns += since < PATIENCE_LOOK_NS ? since : PATIENCE_LOOK_NS;
	return p->waited_ns >= p->limit_ns || now - p->begin_ns >= PATIENCE_CAP * p->limit_ns;
}
