/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's symbols, decoded from the tables that it carries (kernel/kallsyms.c,
 * scripts/kallsyms.c): names compressed by tokens, and offsets whose meaning differs between
 * kernels and is found by comparing with the symbols that VMCOREINFO gives.
 */
#ifndef KT_SNAPSHOT_KALLSYMS_H
#define KT_SNAPSHOT_KALLSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory.h"
#include "vmcoreinfo.h"

struct symbol {
	uint64_t address;
	const char *name;
	uint32_t hash; /* of the name */
	char type;     /* as nm(1) has it */
};

struct symbol_slot {
	uint32_t hash, number; /* the symbol's index + 1, 0: free */
};

struct kallsyms {
	struct symbol *symbols; /* by address */
	size_t n;
	struct symbol_slot *by_name; /* hash table */
	size_t n_slots;
	char *names;
};

/* Read all of them. Returns 0 or -errno with *@why malloc'ed. kallsyms_free() releases it. */
int kallsyms_read(struct kallsyms *k, struct memory *m, const struct vmcoreinfo *v, char **why);
void kallsyms_free(struct kallsyms *k);

/* The address of @name, or 0. Of several of the same name (statics) it is the lowest. */
uint64_t kallsyms_find(const struct kallsyms *k, const char *name);

/* The symbol at or below @address, or NULL. */
const struct symbol *kallsyms_at(const struct kallsyms *k, uint64_t address);

#endif
