/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls that led to where a vCPU stands, by the unwind tables that the kernel carries (ORC,
 * arch/x86/include/asm/orc_types.h, Documentation/arch/x86/orc-unwinder.rst).
 */
#ifndef KT_SNAPSHOT_ORC_H
#define KT_SNAPSHOT_ORC_H

#include "kernel.h"

#define ORC_MAX_FRAMES 64

/* The registers, in the order of struct pt_regs. */
enum orc_register {
	ORC_R15,
	ORC_R14,
	ORC_R13,
	ORC_R12,
	ORC_RBP,
	ORC_RBX,
	ORC_R11,
	ORC_R10,
	ORC_R9,
	ORC_R8,
	ORC_RAX,
	ORC_RCX,
	ORC_RDX,
	ORC_RSI,
	ORC_RDI,
	ORC_ORIG_RAX,
	ORC_RIP,
	ORC_CS,
	ORC_RFLAGS,
	ORC_RSP,
	ORC_SS,
	ORC_N_REGISTERS
};

struct orc_frame {
	uint64_t ip;
	bool exact;    /* where it stands, not where a call will return to */
	bool reliable; /* false: a guess by the frame pointer, from here on */
};

/* How a walk ended. */
enum orc_end {
	ORC_END,   /* at the stack's beginning */
	ORC_USER,  /* where the kernel was entered from user space */
	ORC_LOST,  /* no way further */
	ORC_BOUND, /* after ORC_MAX_FRAMES */
};

/* Whether this kernel has the tables. */
bool orc_here(const struct kernel *k);

/* Walk from @registers. Returns how many frames. */
size_t orc_walk(struct kernel *k, const uint64_t registers[ORC_N_REGISTERS],
		struct orc_frame frames[ORC_MAX_FRAMES], enum orc_end *end);

#endif
