/* SPDX-License-Identifier: GPL-2.0 */
/* One run as run.c, serve.c and report.c share it. */
#ifndef KT_INIT_RUN_H
#define KT_INIT_RUN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "clock.h"
#include "init.h"

#define STDIN_WINDOW (64 * 1024) /* bytes the host may send ahead of the command's reading */

struct run {
	const struct guestconf *conf;
	int port, sigfd, uevents, kmsg;
	struct frame_reader reader;
	struct child command, sched;
	char **env;
	uint8_t stdin_buf[STDIN_WINDOW];
	size_t stdin_len;
	bool stdin_eof, input_refused, bye;
	struct winsize winsize; /* of the host's terminal, for the command's */
	bool sched_seen, sched_lost;
	bool in_sched_op;  /* its comings and goings are meant */
	char **sched_argv; /* what it was started with; the strings live on */
	char *sched_name;
	struct sched_exit sched_exit;
	/* What EXIT says. */
	const char *outcome;
	char *message;
	int status, signal;
	uint64_t command_ns;
};

/*
 * serve.c: the poll loop. One turn waits at most @ms (-1: for ever) and serves what is ready: the
 * host's port, the children's pipes, signals and kernel events.
 */
void serve(struct run *r, int ms);

/* Serve until @done says so or @ms have passed. Returns whether it is done. */
bool serve_until(struct run *r, bool (*done)(const struct run *), int ms);

/* Give the command's terminal the size that the host's has, once both are known. */
void winsize_apply(struct run *r);

/* End a child: ask with @sig, insist with SIGKILL. @gone tells when it is over. */
void child_stop(struct run *r, struct child *c, int sig, bool (*gone)(const struct run *));

/* Has the scheduler's program ended, and its output with it? */
bool sched_gone(const struct run *r);

/* Look whether the scheduler came or went, and tell the host. */
void sched_look(struct run *r);

/* sched_op.c: do what a request `sched` says. Returns the reply, a new reference. */
json_t *sched_op(struct run *r, const json_t *request);

/* report.c: what the host is told of the run. */
void send_hello(struct run *r);
void send_event(struct run *r, const char *event, const char *key, const char *value);
void send_exit(struct run *r);

/* "exit status 0", "killed by signal 9 (Killed)". Caller frees. */
char *status_describe(const struct child *c);

#endif
