/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A running guest kernel, opened from outside: its memory, symbols, types and CPUs. Everything is
 * found in the guest itself; a symbol or a member that a kernel lacks turns off what needs it, and
 * nothing else.
 */
#ifndef KT_SNAPSHOT_KERNEL_H
#define KT_SNAPSHOT_KERNEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "kallsyms.h"
#include "memory.h"
#include "ram.h"
#include "types.h"
#include "vmcoreinfo.h"

#define KERNEL_MAX_CPUS 4096

struct bpf;

struct kernel {
	struct ram ram;
	struct vmcoreinfo vmcoreinfo;
	struct memory memory;
	struct kallsyms symbols;
	struct types types;
	char *release;
	uint32_t n_cpus;	  /* possible ones */
	uint64_t *per_cpu_offset; /* of each */
	struct bpf *bpf;	  /* see bpf_of(); or NULL */
};

/*
 * Open what the answer to the control socket's "ram" describes. Returns 0 or -errno with *@why
 * malloc'ed. kernel_close() releases it.
 */
int kernel_open(struct kernel *k, const json_t *answer, const int *fds, size_t n_fds, bool writable,
		char **why);
void kernel_close(struct kernel *k);

/* The address of @cpu's copy of the per-CPU variable at @address (a symbol, or a pointer's value).
 */
uint64_t kernel_per_cpu(const struct kernel *k, uint64_t address, uint32_t cpu);

/*
 * Read member @path of the struct @type at @address as a number, sign-extended where its type is
 * signed. Returns 0, -ENOENT when this kernel has no such member, -EFAULT when it is not in memory.
 */
int kernel_number(struct kernel *k, const char *type, const char *path, uint64_t address,
		  int64_t *value);

/* Read the number at @address that @f describes. Returns 0 or -EFAULT. */
int kernel_field_number(struct kernel *k, const struct field *f, uint64_t address, int64_t *value);

#endif
