// SPDX-License-Identifier: GPL-2.0
#include "watchdog.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "access.h"
#include "cleanup.h"
#include "diag.h"

#define NS_PER_SEC	  1000000000ULL
#define WORK_PENDING	  1	       /* WORK_STRUCT_PENDING_BIT */
#define TIMEOUT_MAX_TICKS (1ULL << 30) /* times in ticks are compared by their difference */

uint32_t watchdog_hz(struct kernel *k)
{
	uint64_t at = kallsyms_find(&k->symbols, "clocksource_jiffies"), tick;
	int64_t mult, shift;

	/* kernel/time/jiffies.c: mult is a tick's nanoseconds, shifted. */
	if (!at || kernel_number(k, "clocksource", "mult", at, &mult) ||
	    kernel_number(k, "clocksource", "shift", at, &shift) || shift < 0 || shift > 31)
		return 0;
	tick = (uint64_t)mult >> shift;
	return tick ? (NS_PER_SEC + tick / 2) / tick : 0;
}

static int write_u64(struct session *s, const char *name, uint64_t value, char **why)
{
	_cleanup_free_ char *text = xasprintf("%" PRIu64, value);

	return target_write(s, name, text, why);
}

static bool read_symbol(struct kernel *k, const char *name, uint64_t *value)
{
	uint64_t at = kallsyms_find(&k->symbols, name);

	return at && !memory_u64(&k->memory, at, value);
}

/* The name of the timeout's variable, or NULL with *@err and *@why. */
static const char *timeout_name(struct kernel *k, int *err, char **why)
{
	uint64_t root = 0;
	struct field f;
	bool has_root = read_symbol(k, "scx_root", &root);

	*err = -ENOENT;
	if (has_root && !root) {
		*why = xasprintf("the watchdog's timeout: no scheduler is attached");
		return NULL;
	}
	if (has_root && !types_field(&k->types, "scx_sched", "watchdog_timeout", &f))
		return "scx.watchdog_timeout";
	if (kallsyms_find(&k->symbols, "scx_watchdog_timeout"))
		return "kernel.scx_watchdog_timeout";
	*err = -ENOTSUP;
	*why = xasprintf("kernel %s has neither scx_sched.watchdog_timeout nor "
			 "scx_watchdog_timeout: its watchdog is as the scheduler wants it",
			 k->release);
	return NULL;
}

/* When the kernel's next look is due, in ticks, if one is. */
static bool next_look(struct kernel *k, uint64_t *ticks)
{
	uint64_t work = kallsyms_find(&k->symbols, "scx_watchdog_work");
	int64_t data, expires;

	if (!work || kernel_number(k, "delayed_work", "work.data.counter", work, &data) ||
	    kernel_number(k, "delayed_work", "timer.expires", work, &expires) ||
	    !(data & WORK_PENDING))
		return false;
	*ticks = expires;
	return true;
}

/*
 * What goes with the timeout: looks come twice in it (7.2 and later keep that in a variable), and
 * the tick takes the watchdog for stuck when its last look is older than the timeout. The next look
 * keeps its time, so let the last one seem to be at that time.
 */
static int write_others(struct session *s, uint64_t old, uint64_t ticks, char **why)
{
	struct kernel *k = &s->kernel;
	uint64_t interval, last, next;
	int err = 0;

	if (read_symbol(k, "scx_watchdog_interval", &interval) &&
	    (interval >= old / 2 || interval > ticks / 2))
		err = write_u64(s, "kernel.scx_watchdog_interval:u64", ticks < 2 ? 1 : ticks / 2,
				why);
	if (!err && read_symbol(k, "scx_watchdog_timestamp", &last) && next_look(k, &next) &&
	    (int64_t)(next - (last + ticks / 2)) > 0)
		err = write_u64(s, "kernel.scx_watchdog_timestamp:u64", next, why);
	return err;
}

static int set_frozen(struct session *s, uint64_t ns, char **why)
{
	uint64_t hz = watchdog_hz(&s->kernel), ticks, old = 0;
	const char *name;
	struct target t;
	int err;

	memory_flush(&s->kernel.memory);
	name = timeout_name(&s->kernel, &err, why);
	if (!name)
		return err;
	if (!hz) {
		*why = xasprintf("kernel %s does not tell its ticks a second", s->kernel.release);
		return -ENOTSUP;
	}
	ticks = ns / NS_PER_SEC * hz + (ns % NS_PER_SEC * hz + NS_PER_SEC - 1) / NS_PER_SEC;
	if (!ticks || ns / NS_PER_SEC >= TIMEOUT_MAX_TICKS / hz) {
		*why = xasprintf("the watchdog's timeout: expected from 1 tick to %llu s",
				 TIMEOUT_MAX_TICKS / hz);
		return -ERANGE;
	}
	err = target_find(s, name, &t, why);
	if (!err && t.size == sizeof(old))
		memory_u64(&s->kernel.memory, t.address, &old);
	if (!err)
		err = write_others(s, old, ticks, why);
	return err ? err : write_u64(s, name, ticks, why);
}

int watchdog_set(struct session *s, uint64_t ns, char **why)
{
	_cleanup_free_ char *ignored = NULL;
	int err;

	if (vm_freeze(&s->vm, why))
		return -EREMOTEIO;
	err = set_frozen(s, ns, why);
	vm_thaw(&s->vm, &ignored);
	return err;
}
