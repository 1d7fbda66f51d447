/* SPDX-License-Identifier: GPL-2.0 */
/* What the guest starts from: the initramfs with kt-init, the command and what comes along, and the
 * kernel's command line. */
#ifndef KT_GUEST_H
#define KT_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "cpio.h"
#include "kernel.h"

struct guest_options {
	char **command;		/* NULL-terminated; empty with --shell alone */
	const char *sched;	/* scheduler's file, or NULL */
	const char *sched_args; /* shell words, or NULL */
	const char **includes;	/* "FILE[:GUESTPATH]" */
	const char **modules;	/* files of kernel modules to load, in this order */
	const char **env;	/* "NAME=VALUE" */
	bool auto_include;
	bool shell; /* the command gets a terminal */
	bool deterministic;
	bool forward_stdin; /* over the channel, while the command runs */
	bool has_seed;
	uint64_t seed;
	int stdin_fd; /* to be carried along as a whole, or -1 */
};

struct guest {
	struct cpio_archive initrd;
	char **files; /* guest paths, NULL-terminated, in order */
};

/*
 * Assemble the initramfs. Whatever is missing or does not fit ends the program: EXIT_USAGE for what
 * an option names, 126 and 127 for the command, as env(1) does.
 */
void guest_build(struct guest *g, const struct guest_options *o, const struct kernel *k);
void guest_free(struct guest *g);

#define GUEST_CMDLINE_MAX 2047 /* x86's COMMAND_LINE_SIZE without the NUL: Linux drops the rest */

/* The kernel's command line with the user's @append at its end, or die(). Caller frees. */
char *guest_cmdline(const char *append, bool deterministic);

#endif
