/* SPDX-License-Identifier: GPL-2.0 */
/* A run directory as kt-vmm leaves it: how the run ended, and the texts that a report quotes. */
#ifndef KT_ASSERT_RUN_H
#define KT_ASSERT_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "result.h"

struct run {
	char *dir;
	bool known;		       /* run.json was there */
	char *outcome;		       /* "exited", "panic", ... */
	int64_t status;		       /* exit_status, BIND_NONE: none */
	char *message;		       /* a sentence about the outcome, NULL: none */
	int64_t wall_ns;	       /* BIND_NONE: not told */
	bool emulated, oversubscribed; /* the VM was, or had more CPUs than the host */
	char *topology;		       /* NULL: not given */
	bool has_sched;		       /* a scheduler was to be loaded; its members may be NULL */
	char *sched_name, *exit_kind, *exit_reason, *exit_message;
};

/*
 * Read @dir/run.json if it exists (schema kt-run/1). Returns 0, -EBADMSG for a malformed one,
 * -ENODATA for one that ends too early, -EPROTONOSUPPORT for another version, or another negative
 * errno; *@message is then one line that names the file.
 */
int run_read(const char *dir, struct run *r, char **message);
void run_free(struct run *r);

/*
 * Judge how the run ended: outcomes other than "exited" with status 0 fail, those that say nothing
 * about the guest (interrupted, failed) are inconclusive. Adds to @result.
 */
void run_judge(const struct run *r, struct result *result);

/* Did the run end well, so that its stats must be there and whole? */
bool run_ended_well(const struct run *r);

/*
 * "--- stderr ---", the end of what the command complained about when the run did not end well,
 * "--- scheduler ---" and "--- timeline ---", each with a blank line before, if not
 * empty.
 */
void run_print_stderr(const struct run *r, FILE *out);
void run_print_scheduler(const struct run *r, FILE *out);
void run_print_timeline(const struct run *r, FILE *out);

#endif
