/* SPDX-License-Identifier: GPL-2.0 */
/* Names for addresses of code: the kernel's functions, and BPF programs. */
#ifndef KT_SNAPSHOT_CODE_H
#define KT_SNAPSHOT_CODE_H

#include "kernel.h"

#define CODE_NAME_SIZE 128

/*
 * The function that @ip is in, and how far into it; of an address that a call returns to (not
 * @exact) the function that called. Returns false when it is of neither kind.
 */
bool code_name(struct kernel *k, uint64_t ip, bool exact, char name[CODE_NAME_SIZE],
	       uint64_t *offset);

/* Whether @ip is in the kernel's text, or in what it ran while it booted. */
bool code_is_kernel(const struct kernel *k, uint64_t ip);

#endif
