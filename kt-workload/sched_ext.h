/* SPDX-License-Identifier: GPL-2.0 */
/* Whether the BPF scheduler that was there at the start still is (/sys/kernel/sched_ext). */
#ifndef KT_SCHED_EXT_H
#define KT_SCHED_EXT_H

#include <stdbool.h>

struct sched_ext {
	char *dir;    /* /sys/kernel/sched_ext */
	char *name;   /* the scheduler's, or NULL when there is none */
	char *first;  /* the one of the start, or NULL */
	char seq[32]; /* enable_seq at the start, "" where the kernel has none */
};

/* Look once. Release with sched_ext_free(). */
void sched_ext_read(struct sched_ext *se, const char *sysfs);
void sched_ext_free(struct sched_ext *se);

/* It came or went as the scenario wants it: from here on this one has to live. */
void sched_ext_renew(struct sched_ext *se);

/* Look again. Returns NULL while it lives, else what happened (caller frees). */
char *sched_ext_fault(const struct sched_ext *se);

#endif
