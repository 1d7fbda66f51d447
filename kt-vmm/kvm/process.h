/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The machine process: a child of kt-vmm's that makes the VM and runs it, and dies with kt-vmm. It
 * has two sockets, both SOCK_SEQPACKET. On the control socket it says once that it is ready, and
 * from then on answers requests. What it says of its own accord, it sends on the events socket: the
 * lines of its stderr, and at last how the VM has ended.
 *
 * It runs a guest that nobody trusts: kt-vmm checks the size of all that it sends, and believes
 * nothing of it that would do harm.
 */
#ifndef KT_KVM_PROCESS_H
#define KT_KVM_PROCESS_H

#include "../engine.h"

/* Its ends of the sockets, and an eventfd that it raises when a watch was hit. */
struct process_ends {
	int control, events, watch;
	pid_t parent;
};

/* The first message on the control socket: its threads, which have not run the guest. */
struct process_ready {
	pid_t main, devices;
	uint32_t n_vcpus;
	pid_t vcpu[]; /* by vCPU number */
};

enum process_op {
	PROCESS_GO, /* let the guest begin; no reply, as to PROCESS_STOP */
	PROCESS_FREEZE,
	PROCESS_THAW,
	PROCESS_REGISTERS, /* of vCPU @number */
	PROCESS_WATCH,	   /* @address, length @number, @on */
	PROCESS_HIT,
	PROCESS_STOP,
};

struct process_request {
	uint32_t op, number, on;
	uint64_t address;
};

struct process_reply {
	int32_t err;	/* 0 or -errno */
	uint32_t found; /* PROCESS_HIT: there was one */
	union {
		struct engine_registers registers;
		struct engine_hit hit;
	};
};

/*
 * A message on the events socket: a line of stderr, which begins with the program's name, or this,
 * which begins with a zero and is the last one. @error has no zero at its end.
 */
struct process_end {
	uint8_t zero, end; /* enum engine_end */
	char error[];
};

#define PROCESS_EVENT_MAX 8192

/* In the child that was just forked: run the VM to its end. */
void __attribute__((noreturn))
process_run(const struct engine_config *c, const struct process_ends *ends);

#endif
