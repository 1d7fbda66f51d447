/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Client of QEMU's gdb stub (gdb's manual, appendix "gdb Remote Serial Protocol"): the vCPUs'
 * registers, and watchpoints for writes.
 */
#ifndef KT_GDB_H
#define KT_GDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine.h"

#define GDB_MAX_PACKET 16384

struct gdb {
	int fd;
	char buf[GDB_MAX_PACKET];
	size_t len;
	/* A watchpoint's hit that nobody has asked for yet. */
	bool hit;
	struct engine_hit last;
};

/* Begin the conversation. @fd becomes @g's. */
void gdb_open(struct gdb *g, int fd);
void gdb_close(struct gdb *g);

/* The registers of vCPU @cpu, while the guest is stopped. Returns 0 or -errno. */
int gdb_registers(struct gdb *g, unsigned int cpu, struct engine_registers *r);

/* Stop the guest when @len bytes at guest-virtual @address are written, or no longer. */
int gdb_watch(struct gdb *g, uint64_t address, unsigned int len, bool on);

/*
 * Take what the stub has said by itself. Returns whether a watchpoint was hit: the guest is stopped
 * then, and *@hit says where.
 */
bool gdb_poll(struct gdb *g, struct engine_hit *hit);

#endif
