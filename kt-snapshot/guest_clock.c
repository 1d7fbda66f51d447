// SPDX-License-Identifier: GPL-2.0
#include "guest_clock.h"

#include <errno.h>
#include <string.h>

#define TRIES 4

int guest_clock_open(struct guest_clock *c, struct kernel *k)
{
	/* An array, whose first one it is, since 6.17. */
	uint64_t va = kallsyms_find(&k->symbols, "timekeeper_data");
	struct field f;

	*c = (struct guest_clock){};
	if (!va)
		va = kallsyms_find(&k->symbols, "tk_core");
	if (!va || types_field(&k->types, "tk_data", "timekeeper.tkr_mono", &f))
		return -ENOENT;
	c->seq = spot_at(k, va, 4);
	c->base = spot_member(k, "tk_read_base", "base", va + f.offset);
	c->nsec = spot_member(k, "tk_read_base", "xtime_nsec", va + f.offset);
	c->shift = spot_member(k, "tk_read_base", "shift", va + f.offset);
	return c->seq.at && c->base.at && c->nsec.at && c->shift.at ? 0 : -ENOENT;
}

/* As of the last tick; 0 while it is being written. */
static uint64_t last_tick(const struct guest_clock *c)
{
	int i;

	for (i = 0; i < TRIES; i++) {
		uint64_t seq = spot_load(c->seq);
		uint64_t base = spot_load(c->base), nsec = spot_load(c->nsec);
		uint64_t shift = spot_load(c->shift);

		if (!(seq & 1) && spot_load(c->seq) == seq)
			return base + (shift < 64 ? nsec >> shift : 0);
	}
	return 0;
}

uint64_t guest_clock_read(struct guest_clock *c, uint64_t host_ns)
{
	uint64_t last = last_tick(c), t;
	int64_t best = INT64_MIN;
	unsigned int i;

	/* Only a clock that has just been updated says how late it is. */
	if (last && last < INT64_MAX && last != c->last) {
		c->pasts[c->next++ % CLOCK_PASTS] = (int64_t)last - (int64_t)host_ns;
		if (c->n_pasts < CLOCK_PASTS)
			c->n_pasts++;
		c->last = last;
	}
	for (i = 0; i < c->n_pasts; i++)
		best = c->pasts[i] > best ? c->pasts[i] : best;
	t = c->n_pasts ? host_ns + best : 0;
	return t > c->last ? t : c->last;
}
