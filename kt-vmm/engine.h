/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The engine interface: what runs the declared machine. kt-vmm above it is the same for all
 * engines; an engine is a struct engine_ops and a line in engine.c.
 */
#ifndef KT_ENGINE_H
#define KT_ENGINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "machine.h"

/* How --perf has the engine run the guest; what of it the host lacks is a warning. */
struct engine_tuning {
	bool huge_pages;
	bool disable_exits; /* PAUSE and HLT do not leave the guest */
	bool dedicated;	    /* the guest is told that its CPUs are its own (KVM_HINTS_REALTIME) */
};

/* The threads of a VM, by the kernel's thread ids. */
struct engine_threads {
	const pid_t *vcpu; /* by vCPU number */
	unsigned int n_vcpus;
	const pid_t *service; /* all others of this process */
	unsigned int n_service;
};

/* What is to be run. All descriptors stay the caller's; the engine duplicates what it keeps. */
struct engine_config {
	const struct machine *machine;
	const char *kernel; /* image path */
	const char *cmdline;
	int initrd; /* archive */
	/* What is missing in it (cpio.h); the qemu engine takes a whole one. */
	const struct cpio_piece *initrd_pieces;
	size_t n_initrd_pieces;
	int console; /* file that the serial console appends to */
	int channel; /* end of a stream socket, or, deterministic, a file to append to */
	int ram[MACHINE_MAX_NODES];	    /* memfd of each node, of its size */
	const struct engine_tuning *tuning; /* or NULL */
	/*
	 * Called by boot() when all threads are there and before the guest's first instruction, if
	 * it is not NULL. 0, or -errno, which ends the boot.
	 */
	int (*ready)(void *arg, const struct engine_threads *t);
	void *ready_arg;
	bool deterministic;
	bool nested;  /* the guest's CPUs have virtualization of their own */
	bool use_kvm; /* hardware acceleration, where the engine has the choice */
};

enum engine_end {
	ENGINE_RUNNING,
	ENGINE_POWER_OFF, /* by the guest, or reset by it: all of its own doing */
	ENGINE_CRASHED,	  /* the guest cannot go on, by its own doing: engine->error says why */
	ENGINE_STOPPED,	  /* by engine_stop() */
	ENGINE_FAILED,	  /* could not start, or broke: engine->error says why */
};

#define ENGINE_GENERAL_REGISTERS 16 /* rax rbx rcx rdx rsi rdi rbp rsp r8 to r15 */
#define ENGINE_SEGMENTS		 6  /* cs ss ds es fs gs */

struct engine_registers {
	uint64_t general[ENGINE_GENERAL_REGISTERS];
	uint64_t rip, rflags;
	uint16_t segment[ENGINE_SEGMENTS];
	uint64_t fs_base, gs_base, kernel_gs_base;
	uint64_t cr0, cr2, cr3, cr4, cr8, efer;
};

/* A write to a watched address has happened; the guest stands still right behind it. */
struct engine_hit {
	unsigned int cpu;
	uint64_t address; /* guest-virtual, as it was watched */
};

struct engine;

struct engine_ops {
	const char *name;
	/* Make the VM, vCPUs not yet running. 0 or -errno with engine->error set. */
	int (*create)(struct engine *e, const struct engine_config *c);
	/* Let the vCPUs run for the first time. */
	int (*boot)(struct engine *e);
	/* Stop every vCPU before returning; let them go on. */
	int (*freeze)(struct engine *e);
	int (*thaw)(struct engine *e);
	/* A vCPU's registers, while the guest is frozen. 0 or -errno. */
	int (*registers)(struct engine *e, unsigned int cpu, struct engine_registers *r);
	/*
	 * Stop the guest whenever one of @len (1, 2, 4, 8) bytes at guest-virtual @address is
	 * written, or (@on false) no longer. 0 or -errno; -ENOSPC: there are no more of them,
	 * -EOPNOTSUPP: there are none here, and engine->watch_refusal says why.
	 */
	int (*watch)(struct engine *e, uint64_t address, unsigned int len, bool on);
	/* Was one hit? Call when watch_fd is readable. The guest counts as frozen then. */
	bool (*hit)(struct engine *e, struct engine_hit *hit);
	/* End the VM at once. */
	void (*stop)(struct engine *e);
	/* How it stands. Call when event_fd becomes readable. */
	enum engine_end (*wait)(struct engine *e);
	void (*destroy)(struct engine *e);
	/* How much of the RAM lies below the hole at 4 GiB, in bytes; the rest begins at 4 GiB. */
	uint64_t (*ram_below_4g)(const struct machine *m);
	/* Print what create() would start, for --dry-run. */
	void (*describe)(const struct engine_config *c, FILE *out);
};

struct engine {
	const struct engine_ops *ops;
	int event_fd;  /* readable when the VM has ended */
	int watch_fd;  /* readable when a watchpoint may have been hit; -1: never */
	int cancel_fd; /* readable when waiting for the VM to start is no longer wanted */
	char *error;   /* malloc'ed phrase, NULL if nothing is wrong */
	const char *watch_refusal; /* static phrase */
	void *state;
};

extern const struct engine_ops engine_qemu_ops, engine_kvm_ops;

/* How a name given with --engine was resolved. */
struct engine_choice {
	const struct engine_ops *ops;
	bool use_kvm;
	char *reason; /* why, in words; malloc'ed */
};

/* What the choice depends on. */
struct engine_wish {
	const char *name;  /* "auto", "kvm", "qemu" */
	const char *accel; /* "auto", "kvm", "tcg" */
	const struct machine *machine;
	bool deterministic;
	bool nested;
	bool kernel_packed; /* a bzImage, not an ELF image */
};

/*
 * Choose the engine. auto takes kvm when the probe (kvm_probe.h) shows that this host's /dev/kvm
 * runs guests and the engine can do what is wished, else qemu. Unknown names, wishes that exclude
 * each other, and a demanded but unusable KVM end the program with EXIT_USAGE or 125.
 */
void engine_choose(const struct engine_wish *w, struct engine_choice *choice);

#endif
