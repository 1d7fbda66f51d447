/* SPDX-License-Identifier: GPL-2.0 */
/* What clients of the control socket can ask for: one row a command. */
#ifndef KT_CONTROL_COMMANDS_H
#define KT_CONTROL_COMMANDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control.h"

#include "machine.h"

#define CONTROL_MAX_FDS MACHINE_MAX_NODES

struct vm;

struct control_client {
	int fd;
	char *line; /* what has come of its next one */
	size_t len;
	unsigned int frozen; /* how often it has frozen the guest */
	bool wants_events;
	bool is_reader; /* kt-snapshot, our child */
	struct control_watch {
		uint64_t address;
		unsigned int len; /* 0: free */
		json_int_t id;	  /* what the client calls it */
	} watches[CONTROL_MAX_WATCHES];
};

/* The reply, and descriptors that go with it (closed afterwards). */
struct control_answer {
	json_t *reply;
	int fds[CONTROL_MAX_FDS];
	size_t n_fds;
	void (*then)(struct vm *vm); /* called when the answer was sent, unless NULL */
};

/*
 * Do what @request (NULL: no JSON) says. Returns the reply, {"ok":true,...} or {"error":...}, a new
 * reference.
 */
json_t *control_command(struct control_client *cl, struct vm *vm, const json_t *request,
			struct control_answer *a);

/* Take away all that the client watches. */
void control_unwatch_all(struct control_client *cl, struct vm *vm);

#endif
