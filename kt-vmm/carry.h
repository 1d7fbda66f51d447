/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What comes along into the guest: host files under their own paths, with the symbolic links on the
 * way to them, and with what they need to run (interpreter, shared libraries, script interpreter).
 */
#ifndef KT_CARRY_H
#define KT_CARRY_H

#include <stdbool.h>

#include "cpio.h"

/*
 * Carry the host file (or directory tree) @host to @guest, or to its own path when @guest is NULL.
 * Relative guest paths lie below GUEST_HOME. What is there already stays. Returns 0, or -errno with
 * *@why, a malloc'ed phrase for the user that says which file and what is wrong with it.
 */
int carry_file(struct cpio *c, const char *host, const char *guest, char **why);

/* Carry the programs of busybox, when the host has a static one, below GUEST_BIN_DIR. */
void carry_busybox(struct cpio *c);

/*
 * The host path of command @name: a path as it is, a kt guest program beside this program, or the
 * first match on PATH. Returns a malloc'ed path, or NULL.
 */
char *carry_find_command(const char *name, bool *is_guest_program);

#endif
