/* SPDX-License-Identifier: GPL-2.0 */
/* QEMU's command line for a declared machine. */
#ifndef KT_QEMU_ARGS_H
#define KT_QEMU_ARGS_H

#include "engine.h"

#define QEMU_PROGRAM "qemu-system-x86_64"

/* QEMU's ends of the sockets over which it is driven; -1 in a dry run. */
struct qemu_sockets {
	int qmp, gdb;
};

/* The arguments, NULL-terminated. */
char **qemu_args(const struct engine_config *c, const struct qemu_sockets *s);
void qemu_args_free(char **args);

#endif
