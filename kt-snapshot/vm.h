/* SPDX-License-Identifier: GPL-2.0 */
/* A live VM, asked over its control socket (docs/control.md). */
#ifndef KT_SNAPSHOT_VM_H
#define KT_SNAPSHOT_VM_H

#include <jansson.h>
#include <stddef.h>

#define VM_MAX_FDS 64

struct vm {
	int fd;
	char *buf; /* what has come after the last whole line */
	size_t len;
	json_t *events; /* an array of those that came before an answer; NULL: nobody wants them */
};

/*
 * Connect to @path: a socket, or a run directory that holds vm.sock. Returns 0 or -errno with *@why
 * malloc'ed. vm_close() releases it, and thaws what it froze.
 */
int vm_connect(struct vm *vm, const char *path, char **why);

/* Use the connected socket @fd, which becomes @vm's. */
void vm_adopt(struct vm *vm, int fd);
void vm_close(struct vm *vm);

/* From here on events that come while an answer is waited for are kept for vm_event(). */
void vm_keep_events(struct vm *vm);

/*
 * The next event, a new reference, waiting at most @ms for one (-1: for ever). NULL with *@err 0
 * when there is none in that time, else with a negative errno: -EPIPE when the run has ended.
 */
json_t *vm_event(struct vm *vm, int ms, int *err);

/*
 * Send @request (the reference is taken) and wait for its answer. Events in between are dropped
 * unless they are kept.
 * Descriptors that come with it go to @fds (room for VM_MAX_FDS) and their number to *@n_fds, the
 * caller's to close; NULL: none are expected. Returns the answer, a new reference, or NULL with
 * *@why malloc'ed when it is an error or none came.
 */
json_t *vm_ask(struct vm *vm, json_t *request, int *fds, size_t *n_fds, char **why);

/* Stop the guest, and let it go on. 0 or -errno with *@why malloc'ed. */
int vm_freeze(struct vm *vm, char **why);
int vm_thaw(struct vm *vm, char **why);

#endif
