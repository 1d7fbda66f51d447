/* SPDX-License-Identifier: GPL-2.0 */
/* The user part of kt_sched: loads the BPF object, attaches it, reads its counts and its end. */
#ifndef KT_SCHED_LOADER_H
#define KT_SCHED_LOADER_H

#include <stdbool.h>
#include <stdint.h>

#include "kt_sched.h"

struct sched_config {
	uint64_t slice_ns;
	unsigned int watchdog_ms; /* 0: the kernel's default */
	bool ignore_llc;
	bool stall;
	const char *stall_comm;	   /* NULL or at most 15 bytes */
	const char *starve_cgroup; /* NULL or shorter than KT_CGROUP_NAME */
	uint64_t error_after_ns;   /* 0: never */
};

struct sched;

/*
 * Load and attach the scheduler. Returns 0 and the handle, or a negative errno with one line on
 * stderr that says which step failed.
 */
int sched_attach(struct sched **out, const struct sched_config *config);

/* One line on stdout that says what was attached. */
void sched_print_attached(const struct sched *s, const struct sched_config *config);

/* The counts on stdout: a line over all CPUs and, if wanted, one for each. */
void sched_print_stats(const struct sched *s, bool each_cpu);

/* How the kernel ended the scheduler, or NULL while it runs. Valid until sched_free(). */
const struct kt_exit *sched_exit(const struct sched *s);

/* Detach, and wait (up to 5 s) until sched_exit() says how it ended. */
void sched_detach(struct sched *s);

/* Detach if need be and release everything. NULL is allowed. */
void sched_free(struct sched *s);

#endif
