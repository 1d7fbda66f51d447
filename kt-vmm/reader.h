/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The reader of a run: `kt-snapshot serve`, a child that is a client of the control protocol
 * (docs/control.md). It is started when something is first wanted of it. Its end is no failure of
 * the run: what was asked of it is answered with an error.
 */
#ifndef KT_READER_H
#define KT_READER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define READER_MAX_PENDING   64
#define READER_MAX_FILES     8	  /* under way at a time */
#define READER_OWN_FILES     4	  /* of these, not to be had by other clients */
#define READER_MAX_SNAPSHOTS 1024 /* of a run */
#define READER_NAME_MAX	     100  /* bytes of a snapshot's name */

struct vm;
struct control_client;

/* Called once with the reply, {"ok":true,...} or {"error":...}, which stays the caller's. */
typedef void reader_done(struct vm *vm, const json_t *reply, json_t *context);

struct reader_request {
	struct reader_request *next;
	int64_t token;
	json_t *request, *context;
	reader_done *done;
	bool sent;
};

/* A file that it, or another client, was handed and that has no name yet. */
struct reader_file {
	const struct control_client *owner;
	int fd;	    /* -1: free */
	char *name; /* it will get: "snapshots/NAME.json" */
};

struct reader {
	bool started, ready;
	pid_t pid;		       /* 0: none */
	struct control_client *client; /* NULL: none */
	char *died;		       /* why it is no more, for those who ask */
	uint64_t start_ns, ready_ns;
	int64_t last_token;
	struct reader_request *pending;
	unsigned int n_pending, n_snapshots;
	struct reader_file files[READER_MAX_FILES];
	json_t *names; /* of snapshots: how often each was taken */
};

void reader_init(struct reader *r);

/* End it. What is pending is answered, files without a name vanish. */
void reader_close(struct vm *vm);

/* Start it if it was not; the guest must be up. Returns whether it is there. */
bool reader_start(struct vm *vm);

/*
 * Ask it; starts it if need be. @request and @context are taken. @done is called when the reply has
 * come, or at once when there is no reader.
 */
void reader_ask(struct vm *vm, json_t *request, reader_done *done, json_t *context);

/* It has opened the kernel: send what waits. */
void reader_is_ready(struct vm *vm);

/* What it says over the control socket. They return the answer as control_command() does. */
json_t *reader_reply(struct vm *vm, const json_t *message);

/* The same of @cl, the reader or another client that takes a snapshot. */
json_t *reader_file_new(struct vm *vm, const struct control_client *cl, const json_t *message,
			int *fd);
json_t *reader_file_keep(struct vm *vm, const struct control_client *cl, const json_t *message);
json_t *reader_file_drop(struct vm *vm, const struct control_client *cl, const json_t *message);

/* @cl is gone: its files vanish. */
void reader_files_drop(struct vm *vm, const struct control_client *cl);

/* Its socket is closed. */
void reader_gone(struct vm *vm);

#endif
