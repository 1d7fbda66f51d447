// SPDX-License-Identifier: GPL-2.0
#include "worker_clock.h"

#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"

#define TICKS_LEARN (1U << 22) /* that the rate is taken from, at least */

bool worker_clock_usable(const char *sysfs)
{
#ifdef __x86_64__
	_cleanup_free_ char *path =
		xasprintf("%s/devices/system/clocksource/clocksource0/current_clocksource", sysfs);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char name[32];

	/* The kernel takes the TSC only where it is of one rate and the same on all CPUs. */
	return f && fgets(name, sizeof(name), f) && !strcmp(name, "tsc\n");
#else
	(void)sysfs;
	return false;
#endif
}

/* Whether the two readings of ticks are near enough to each other: nobody came in between. */
static bool is_near(struct worker_clock *c, uint64_t apart)
{
	if (!c->spread || apart < c->spread)
		c->spread = apart;
	if (apart <= 2 * c->spread)
		return true;
	/* When it takes longer from now on, this gets used to it. */
	c->spread += c->spread / 8 + 1;
	return false;
}

static void learn(struct worker_clock *c, uint64_t ns, uint64_t ticks)
{
	if (!c->first_ticks) {
		c->first_ns = ns;
		c->first_ticks = ticks;
	}
	if (ticks - c->first_ticks < TICKS_LEARN || ns <= c->first_ns)
		return;
	c->rate = (double)(ns - c->first_ns) / (ticks - c->first_ticks) * 0x1p32;
	c->ns = ns;
	c->ticks = ticks;
	c->fresh = TICKS_FRESH;
}

uint64_t worker_clock_read(struct worker_clock *c)
{
	uint64_t before = ticks_now(), ns = clock_now(), apart = ticks_now() - before;

	if (c->usable && is_near(c, apart))
		learn(c, ns, before + apart / 2);
	if (ns > c->said_ns)
		c->said_ns = ns;
	return c->said_ns;
}
