/* SPDX-License-Identifier: GPL-2.0 */
/* A VM and its kernel, opened together. */
#ifndef KT_SNAPSHOT_SESSION_H
#define KT_SNAPSHOT_SESSION_H

#include "kernel.h"
#include "vm.h"

struct session {
	struct vm vm;
	struct kernel kernel;
};

/*
 * Open the VM at @path (a socket or a run directory), for writing as well if @writable. From its
 * connection on this process is confined (confine.h): the guest's memory is not trusted. Returns 0
 * or -errno with *@why malloc'ed. session_close() releases it.
 */
int session_open(struct session *s, const char *path, bool writable, char **why);

/* The second half of it: the kernel of @s->vm, which is connected, and is closed on an error. */
int session_read(struct session *s, bool writable, char **why);
void session_close(struct session *s);

#endif
