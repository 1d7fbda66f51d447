/* SPDX-License-Identifier: GPL-2.0 */
/* How a run ended: one of a fixed set of words, an exit status, and a sentence. */
#ifndef KT_OUTCOME_H
#define KT_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console.h"

struct outcome {
	const char *name; /* static, one of docs/run.md; NULL while the run goes on */
	int status;	  /* kt-vmm's exit status */
	char *message;	  /* malloc'ed or NULL */
	/* From EXIT; strings are malloc'ed or NULL. */
	bool have_exit;
	int64_t command_ns, oom_kills;
	bool sched_error;
	char *sched_name, *sched_process, *sched_kind, *sched_reason, *sched_message;
};

/* Set the outcome unless one is set already. Takes @message. */
void outcome_set(struct outcome *o, const char *name, int status, char *message);

/*
 * Take the payload of an EXIT frame, which the guest wrote: unknown outcomes, statuses out of range
 * and malformed JSON give -EBADMSG.
 */
int outcome_from_exit(struct outcome *o, const void *data, size_t len);

/* The VM has ended without EXIT: judge by the console. */
void outcome_from_silence(struct outcome *o, const struct console *c);

/* An oops overrides whatever the guest itself reported. */
void outcome_check_console(struct outcome *o, const struct console *c);

void outcome_free(struct outcome *o);

#endif
