/* SPDX-License-Identifier: GPL-2.0 */
/* What the reader of an untrusted guest's memory gives up once it has opened all it needs. */
#ifndef KT_SNAPSHOT_CONFINE_H
#define KT_SNAPSHOT_CONFINE_H

/*
 * From here on: no capabilities, no new privileges, no core dump, at most CONFINE_MAX_BYTES of
 * memory of its own, and only the system calls that reading mapped memory and writing to open
 * descriptors takes; any other one fails with EPERM. Returns 0 or -errno with *@why malloc'ed.
 */
#define CONFINE_MAX_BYTES (4ULL << 30)

int confine(char **why);

#endif
