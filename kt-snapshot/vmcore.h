/* SPDX-License-Identifier: GPL-2.0 */
/* The guest's memory as an ELF core file, as kdump leaves it (fs/proc/vmcore.c). */
#ifndef KT_SNAPSHOT_VMCORE_H
#define KT_SNAPSHOT_VMCORE_H

#include <stdint.h>

#include "session.h"

/*
 * Write it to @fd: notes (VMCOREINFO, the registers of each CPU) and all of RAM, once, under the
 * addresses of the direct map; the kernel's image under its own ones as well. Holes are left where
 * memory is zero if @fd is a file that can have some. The guest should be frozen. *@bytes gets the
 * length. Returns 0 or -errno with *@why malloc'ed.
 */
int vmcore_write(struct session *s, int fd, uint64_t *bytes, char **why);

#endif
