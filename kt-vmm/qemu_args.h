/* SPDX-License-Identifier: GPL-2.0 */
/* QEMU's command line for a declared machine. */
#ifndef KT_QEMU_ARGS_H
#define KT_QEMU_ARGS_H

#include "engine.h"

#define QEMU_PROGRAM "qemu-system-x86_64"

/* The arguments, NULL-terminated; @qmp is the descriptor of QEMU's end of the QMP socket. */
char **qemu_args(const struct engine_config *c, int qmp);
void qemu_args_free(char **args);

#endif
