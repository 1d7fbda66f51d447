/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The control socket of a running VM (docs/control.md): a Unix stream socket, one JSON object a
 * line, every line of a client answered by one. Clients are trusted with the guest, not with us:
 * lines are bounded, and who does not read its answers is dropped.
 */
#ifndef KT_CONTROL_H
#define KT_CONTROL_H

#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CONTROL_MAX_CLIENTS 16
#define CONTROL_MAX_WATCHES 4 /* as many as x86 has debug registers */

struct vm;
struct engine_hit;
struct control_client;

struct control {
	int listen_fd;	/* -1: nobody can come */
	int dir;	/* that the socket is in */
	pid_t guardian; /* removes the socket if we are killed */
	int alive;	/* pipe to it */
	struct control_client *clients[CONTROL_MAX_CLIENTS];
};

void control_init(struct control *c);

/*
 * Listen on vm.sock in directory @dir, which must not have one, for nobody but the user. Returns 0
 * or -errno with *@why malloc'ed. control_close() takes everything down.
 */
int control_open(struct control *c, const char *dir, char **why);
void control_close(struct control *c, struct vm *vm);

/*
 * Take the connected socket @fd as a client; @reader, if not NULL, becomes the client, who may say
 * what only the run's reader may. Returns 0 or -EBUSY.
 */
int control_adopt(struct control *c, int fd, struct control_client **reader);

/* Send a line of our own. Returns 0 or -errno: it does not read. */
int control_send(struct control_client *cl, const json_t *line);

/* End the conversation; control_serve() finds out and drops the client. */
void control_hang_up(struct control_client *cl);

/* Add what is to be waited for to @fds (room for 1 + CONTROL_MAX_CLIENTS); returns how many. */
size_t control_poll(const struct control *c, struct pollfd *fds);

/* Serve what is ready; never blocks. */
void control_serve(struct control *c, struct vm *vm);

/*
 * Tell the client that watches there of a hit; it now holds the guest frozen. Returns whether there
 * is one.
 */
bool control_hit(struct control *c, struct vm *vm, const struct engine_hit *hit);

/* Tell those who asked for events. */
void control_event(struct control *c, struct vm *vm, const json_t *event);

#endif
