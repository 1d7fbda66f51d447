/* SPDX-License-Identifier: GPL-2.0 */
/* The ACPI tables of a machine (ACPI 6.5): what of it cannot be asked of a CPU. */
#ifndef KT_ACPI_H
#define KT_ACPI_H

#include <stddef.h>
#include <stdint.h>

#include "../machine.h"
#include "blob.h"

#define ACPI_MAX_TABLES 16

struct kvm_vm;

/* All tables, as they lie one after another in guest memory from @base on; the RSDP is the first.
 */
struct acpi_tables {
	struct blob blob;
	uint64_t base;
	unsigned int n;
	struct acpi_table {
		char name[5]; /* its signature, "RSDP" for that one */
		size_t offset, len;
	} table[ACPI_MAX_TABLES];
};

/* Build them for @m. acpi_tables_free() releases them. */
void acpi_tables_build(struct acpi_tables *a, const struct machine *m, uint64_t base);
void acpi_tables_free(struct acpi_tables *a);

/*
 * Put them into guest memory: into ACPI_BASE to ACPI_END, or, where they are too large, from
 * HIGH_RAM_BASE on. *@base and *@len tell where. 0 or -errno with the error set.
 */
int acpi_load(struct kvm_vm *vm, uint64_t *base, uint64_t *len);

/* acpi_dsdt.c: the DSDT's body, behind its header. */
void acpi_dsdt_body(struct blob *b);

#endif
