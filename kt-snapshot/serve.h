/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The long-lived reader's parts: what kt-vmm asks of it (docs/control.md, "The reader"), over a
 * socket that is a client of the run's control protocol.
 */
#ifndef KT_SNAPSHOT_SERVE_H
#define KT_SNAPSHOT_SERVE_H

#include <jansson.h>
#include <stdint.h>

#include "monitor.h"
#include "session.h"

#define SERVE_WATCHES	3  /* for scenarios; one more is kept for the scheduler's exit */
#define SERVE_MAX_FIRES 16 /* of one watch, then it is taken away */

struct serve_watch {
	char *name;	  /* of its captures; NULL: free */
	uint64_t address; /* guest-virtual */
	unsigned int fires;
};

struct server {
	struct session s;
	struct monitor *monitor; /* NULL: none */
	struct serve_watch exit; /* sched_ext's exit_kind, watch 0 */
	struct serve_watch watches[SERVE_WATCHES];
};

/*
 * Take a capture and have it kept as @name in the run directory. @frozen: the guest stands behind a
 * watch's hit, and goes on when all is copied. Returns the reply, {"ok":true,...} or
 * {"error":...}, a new reference.
 */
json_t *serve_capture(struct server *sv, const char *name, const char *trigger, bool frozen);

/* {"error": ...} of a phrase, or of *@why, which is freed. */
json_t *serve_refuse(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
json_t *serve_refuse_why(char *why);

/* Watch @name, a variable of the kernel or of a BPF program. Returns the reply. */
json_t *serve_watch(struct server *sv, const char *name);

/* Watch for the exit of the scheduler that is attached now. Returns the reply. */
json_t *serve_watch_exit(struct server *sv);

/* Watch @id was hit: capture, or let the guest go on. */
void serve_hit(struct server *sv, json_int_t id);

#endif
