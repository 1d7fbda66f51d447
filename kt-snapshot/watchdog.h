/* SPDX-License-Identifier: GPL-2.0 */
/* How long sched_ext's watchdog lets a runnable task wait (kernel/sched/ext.c). */
#ifndef KT_SNAPSHOT_WATCHDOG_H
#define KT_SNAPSHOT_WATCHDOG_H

#include <stdint.h>

#include "session.h"

/*
 * Set the attached scheduler's timeout to @ns, rounded up to the kernel's ticks: struct scx_sched's
 * watchdog_timeout, or the variable scx_watchdog_timeout of kernels before 7.1. The kernel looks
 * next when its timer set at the attachment is due, and from then on twice in the new time; until
 * then a shorter timeout does not make it believe that its own look is late.
 *
 * The session must have been opened for writing. Returns 0, -ENOENT (no scheduler), -ENOTSUP (the
 * kernel has neither), -ERANGE, or as target_write() does, with *@why malloc'ed.
 */
int watchdog_set(struct session *s, uint64_t ns, char **why);

/* The kernel's ticks a second (CONFIG_HZ), or 0 when it is not to be found. */
uint32_t watchdog_hz(struct kernel *k);

#endif
