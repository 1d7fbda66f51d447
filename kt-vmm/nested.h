/* SPDX-License-Identifier: GPL-2.0 */
/* What makes a guest a KVM host: the kernel modules that fit its kernel and its CPU. */
#ifndef KT_NESTED_H
#define KT_NESTED_H

#include <stdbool.h>

#include "kernel.h"

/*
 * The files of @k's KVM modules in the order in which they are loaded, for a CPU that is emulated
 * or the host's own. A NULL-terminated list, empty when KVM is built into the kernel; the caller
 * frees the strings and the list. A kernel without any ends the program with EXIT_USAGE.
 */
char **nested_modules(const struct kernel *k, bool emulated);

#endif
