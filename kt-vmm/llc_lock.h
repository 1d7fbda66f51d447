/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Locks on the host's last-level caches, so that two runs with --perf do not share one: a file for
 * each, held with flock(2) for as long as the run lives. bin/kt-locks lists the holders.
 */
#ifndef KT_LLC_LOCK_H
#define KT_LLC_LOCK_H

#include <sys/types.h>

/*
 * Lock the cache that @llc (its first CPU) stands for, and write to its file what holds it: our
 * process id and @what, a line. Returns a descriptor that holds the lock; -EWOULDBLOCK with
 * *@holder the process that has it (0: unknown); or another -errno.
 */
int llc_lock(unsigned int llc, const char *what, pid_t *holder);

/* Where the files are: /run/kt for root, else $XDG_RUNTIME_DIR/kt. NULL: there is no such place. */
char *llc_lock_dir(void);

#endif
