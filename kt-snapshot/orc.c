// SPDX-License-Identifier: GPL-2.0
#include "orc.h"

#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "code.h"

#define ENTRIES_MAX (1u << 25)
#define ENTRY_SIZE  6
#define USER_MODE   3 /* of the code segment's selector */

/* orc_entry.type */
enum { TYPE_UNDEFINED, TYPE_END_OF_STACK, TYPE_CALL, TYPE_REGS, TYPE_REGS_PARTIAL };

/* orc_entry.sp_reg and .bp_reg, whose numbers are not the same in all kernels. */
enum base {
	BASE_UNDEFINED,
	BASE_AX,
	BASE_DX,
	BASE_SP,
	BASE_BP,
	BASE_DI,
	BASE_R10,
	BASE_R13,
	BASE_PREV_SP,
	BASE_SP_INDIRECT,
	BASE_BP_INDIRECT,
	BASE_UNKNOWN,
};

#define N_BASES 16

/* The numbering is known by that of the stack pointer, which every function begins with. */
static const struct numbering {
	uint8_t stack_pointer;
	enum base bases[N_BASES];
} numberings[] = {
	{5,
	 {BASE_UNDEFINED, BASE_PREV_SP, BASE_DX, BASE_DI, BASE_BP, BASE_SP, BASE_R10, BASE_R13,
	  BASE_BP_INDIRECT, BASE_SP_INDIRECT, BASE_UNKNOWN, BASE_UNKNOWN, BASE_UNKNOWN,
	  BASE_UNKNOWN, BASE_UNKNOWN, BASE_UNKNOWN}},
	{3,
	 {BASE_UNDEFINED, BASE_AX, BASE_DX, BASE_SP, BASE_BP, BASE_DI, BASE_R10, BASE_R13,
	  BASE_PREV_SP, BASE_SP_INDIRECT, BASE_BP_INDIRECT, BASE_UNKNOWN, BASE_UNKNOWN,
	  BASE_UNKNOWN, BASE_UNKNOWN, BASE_UNKNOWN}},
};

struct entry {
	int16_t sp_offset, bp_offset;
	uint8_t sp_reg, bp_reg, type;
	bool signal;
};

/* Code that has no entries but a frame pointer, as that of BPF programs. */
static const struct entry by_frame_pointer = {
	.sp_offset = 16,
	.sp_reg = BASE_BP,
	.bp_offset = -16,
	.bp_reg = BASE_PREV_SP,
	.type = TYPE_CALL,
};

/* A call through a null pointer: the return address is all that there is. */
static const struct entry of_null = {.sp_offset = 8, .sp_reg = BASE_SP, .type = TYPE_CALL};

struct walk {
	struct kernel *k;
	const struct numbering *numbering; /* NULL: none that is known */
	uint64_t regs[ORC_N_REGISTERS];
	bool full; /* all of regs[] are of this frame, not only ip, sp and bp */
	bool exact, reliable;
};

bool orc_here(const struct kernel *k)
{
	return kallsyms_find(&k->symbols, "__start_orc_unwind_ip") &&
	       kallsyms_find(&k->symbols, "__start_orc_unwind");
}

/* The address that entry @i is for and on: relative to where it is written. */
static int entry_ip(struct kernel *k, uint64_t table, uint32_t i, uint64_t *ip)
{
	uint64_t at = table + i * 4ULL;
	uint32_t offset;
	int err = memory_u32(&k->memory, at, &offset);

	*ip = at + (int64_t)(int32_t)offset;
	return err;
}

static int entry_read(struct kernel *k, uint64_t va, struct entry *e)
{
	uint8_t raw[ENTRY_SIZE];
	int err = memory_read(&k->memory, va, raw, sizeof(raw));

	if (err)
		return err;
	*e = (struct entry){
		.sp_offset = (int16_t)(raw[0] | raw[1] << 8),
		.bp_offset = (int16_t)(raw[2] | raw[3] << 8),
		.sp_reg = raw[4] & 15,
		.bp_reg = raw[4] >> 4,
		.type = raw[5] & 7,
		.signal = raw[5] >> 3 & 1,
	};
	return 0;
}

/* The last entry at or below @ip. */
static int entry_find(struct kernel *k, uint64_t ip, struct entry *e)
{
	uint64_t table = kallsyms_find(&k->symbols, "__start_orc_unwind_ip");
	uint64_t end = kallsyms_find(&k->symbols, "__stop_orc_unwind_ip");
	uint64_t entries = kallsyms_find(&k->symbols, "__start_orc_unwind");
	uint64_t at;
	uint32_t low = 0, high;

	if (!code_is_kernel(k, ip) || end <= table || (end - table) / 4 > ENTRIES_MAX)
		return -ENOENT;
	for (high = (end - table) / 4; low < high;) {
		uint32_t mid = low + (high - low) / 2;

		if (entry_ip(k, table, mid, &at))
			return -EFAULT;
		if (at <= ip)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? entry_read(k, entries + (uint64_t)(low - 1) * ENTRY_SIZE, e) : -ENOENT;
}

static const struct numbering *numbering_find(struct kernel *k)
{
	struct entry e;
	size_t i;

	if (entry_find(k, kallsyms_find(&k->symbols, "schedule"), &e))
		return NULL;
	for (i = 0; i < ARRAY_SIZE(numberings); i++) {
		if (e.sp_reg == numberings[i].stack_pointer)
			return &numberings[i];
	}
	return NULL;
}

/* The stack pointer before the frame's call, or before its interrupt. */
static int caller_sp(struct walk *w, const struct entry *e, uint64_t *sp)
{
	static const uint8_t held_in[] = {
		[BASE_AX] = ORC_RAX,  [BASE_DX] = ORC_RDX,  [BASE_DI] = ORC_RDI,
		[BASE_R10] = ORC_R10, [BASE_R13] = ORC_R13,
	};

	switch (e->sp_reg) {
	case BASE_SP:
		*sp = w->regs[ORC_RSP] + e->sp_offset;
		return 0;
	case BASE_BP:
		*sp = w->regs[ORC_RBP] + e->sp_offset;
		return 0;
	case BASE_SP_INDIRECT:
		if (memory_u64(&w->k->memory, w->regs[ORC_RSP], sp))
			return -EFAULT;
		*sp += e->sp_offset;
		return 0;
	case BASE_BP_INDIRECT:
		return memory_u64(&w->k->memory, w->regs[ORC_RBP] + e->sp_offset, sp);
	case BASE_AX:
	case BASE_DX:
	case BASE_DI:
	case BASE_R10:
	case BASE_R13:
		*sp = w->regs[held_in[e->sp_reg]];
		return w->full ? 0 : -ENODATA;
	default:
		return -EBADMSG;
	}
}

/* Back to the caller, or to what was interrupted; the base pointer is set by caller_bp(). */
static int caller_ip(struct walk *w, const struct entry *e, uint64_t sp)
{
	struct memory *m = &w->k->memory;
	uint64_t bp = w->regs[ORC_RBP];
	int err;

	switch (e->type) {
	case TYPE_CALL:
		w->full = w->exact = false;
		w->regs[ORC_RSP] = sp;
		return memory_u64(m, sp - 8, &w->regs[ORC_RIP]);
	case TYPE_REGS:
		w->full = true;
		err = memory_read(m, sp, w->regs, sizeof(w->regs));
		break;
	case TYPE_REGS_PARTIAL: /* what the CPU pushes, from rip on */
		err = memory_read(m, sp, &w->regs[ORC_RIP],
				  (ORC_N_REGISTERS - ORC_RIP) * sizeof(w->regs[0]));
		w->regs[ORC_RBP] = bp;
		break;
	default:
		return -EBADMSG;
	}
	w->exact = true;
	return err;
}

static int caller_bp(struct walk *w, const struct entry *e, uint64_t sp, uint64_t bp)
{
	switch (e->bp_reg) {
	case BASE_UNDEFINED: /* as it was, or as the interrupted code's registers have it */
		if (e->type != TYPE_REGS)
			w->regs[ORC_RBP] = bp;
		return 0;
	case BASE_PREV_SP:
		return memory_u64(&w->k->memory, sp + e->bp_offset, &w->regs[ORC_RBP]);
	case BASE_BP:
		return memory_u64(&w->k->memory, bp + e->bp_offset, &w->regs[ORC_RBP]);
	default:
		return -EBADMSG;
	}
}

/* One frame up. Returns whether there is one; else *@end is set. */
static bool step(struct walk *w, enum orc_end *end)
{
	/* A call may be a function's last instruction: what it returns to is another's. */
	uint64_t ip = w->regs[ORC_RIP], bp = w->regs[ORC_RBP], sp;
	struct entry e = of_null;

	*end = ORC_LOST;
	if (ip && w->numbering && !entry_find(w->k, w->exact ? ip : ip - 1, &e)) {
		e.sp_reg = w->numbering->bases[e.sp_reg];
		e.bp_reg = w->numbering->bases[e.bp_reg];
	} else if (ip) {
		e = by_frame_pointer;
		w->reliable = false;
	}
	if (e.type == TYPE_END_OF_STACK)
		*end = ORC_END;
	if (e.type == TYPE_END_OF_STACK || e.type == TYPE_UNDEFINED || caller_sp(w, &e, &sp) ||
	    caller_ip(w, &e, sp) || caller_bp(w, &e, sp, bp))
		return false;
	if (e.type != TYPE_CALL && (w->regs[ORC_CS] & USER_MODE))
		*end = ORC_USER;
	/* A guess that leads to what is no code at all was wrong. */
	return *end == ORC_LOST && (int64_t)w->regs[ORC_RIP] < 0;
}

size_t orc_walk(struct kernel *k, const uint64_t registers[ORC_N_REGISTERS],
		struct orc_frame frames[ORC_MAX_FRAMES], enum orc_end *end)
{
	struct walk w = {.k = k, .full = true, .exact = true, .reliable = true};
	size_t n = 0;

	w.numbering = numbering_find(k);
	memcpy(w.regs, registers, sizeof(w.regs));
	do {
		if (n == ORC_MAX_FRAMES) {
			*end = ORC_BOUND;
			break;
		}
		frames[n++] = (struct orc_frame){w.regs[ORC_RIP], w.exact, w.reliable};
	} while (step(&w, end));
	return n;
}
