/* SPDX-License-Identifier: GPL-2.0 */
/* kt-init's parts: PID 1 of the guest, one run from mount to power-off. */
#ifndef KT_INIT_H
#define KT_INIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "frame.h"
#include "guestconf.h"

/* mounts.c: pseudo file systems, /boot/config-RELEASE, /bin/sh, loopback. Failures are warnings. */
void guest_mount_all(void);
void guest_loopback_up(void);

/* port.c: open the virtio-serial port named @name. Returns a descriptor or -errno. */
int port_open(const char *name);

/* A child with its output pipes. A descriptor is -1 when closed or never made. */
struct child {
	pid_t pid;    /* 0 when reaped or never started */
	int in;	      /* write end of its stdin */
	int out, err; /* read ends; the same pipe carries both for the scheduler */
	int control;  /* our end of KT_CHANNEL_FD */
	int status;   /* as wait(2) gives it, valid when exited */
	bool exited;
	bool is_pty; /* in and out are a terminal */
};

enum child_io {
	CHILD_IO_COMMAND, /* stdin, stdout, stderr and a control socket */
	CHILD_IO_PTY,	  /* one terminal for all three, and a control socket */
	CHILD_IO_LOG,	  /* stdout and stderr in one pipe, stdin empty */
};

/*
 * child.c: start @argv in its own session with @envp. @stdin_path, when not NULL, is opened as its
 * stdin. Returns 0, or -errno of the exec or of what came before it.
 */
int child_start(struct child *c, char **argv, char **envp, enum child_io io,
		const char *stdin_path);
void child_init(struct child *c);
void child_close(struct child *c);

/* How a scheduler went, from the kernel's log. Strings are malloc'ed or NULL. */
struct sched_exit {
	const char *kind; /* SCX_EXIT_* by name, static */
	char *reason;
	char *message;
};

/* sched.c: sched_ext's state as seen in sysfs and the kernel log. */
int sched_uevent_open(void);		/* netlink socket that tells of kernel objects */
bool sched_uevent_is_scx(int fd);	/* drain it; true when sched_ext changed */
bool sched_state_is(const char *state); /* "enabled", "disabled" */
char *sched_root_ops(void);		/* name of the loaded scheduler, NULL if none */
int sched_kmsg_open(void);		/* kernel log from now on */
void sched_exit_read(int kmsg, const char *name, struct sched_exit *e);
bool sched_exit_is_error(const struct sched_exit *e);

/*
 * modules.c: load the kernel modules that @conf names, in order. Returns NULL, or a malloc'ed
 * phrase that says which cannot be loaded and why.
 */
char *modules_load(const struct guestconf *conf);

/* run.c: the run itself. Returns when all is done and reported. */
void run(const struct guestconf *conf, int port);

#endif
