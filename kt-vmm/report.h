/* SPDX-License-Identifier: GPL-2.0 */
/* run.json: what was run and how it ended. docs/run.md is its contract, schema kt-run/1. */
#ifndef KT_REPORT_H
#define KT_REPORT_H

#include <jansson.h>
#include <time.h>

#include "guest.h"
#include "vm.h"

struct report {
	int argc;
	char **argv; /* kt-vmm's own command line */
	char **command;
	const struct guest_options *guest;
	const struct kernel *kernel;
	const struct vm_options *vm;
	const char *engine_reason;
	struct timespec started;       /* wall clock */
	const struct vm_result *first; /* an attempt that was retried, or NULL */
	const struct vm_result *result;
	json_t *warnings; /* texts */
};

/* Start gathering what warn() says from now on. report_end() ends that. */
void report_begin(struct report *r);
void report_end(struct report *r);

/* Write the JSON to @fd. Returns 0 or -errno. */
int report_write(const struct report *r, int fd);

#endif
