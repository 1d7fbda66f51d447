/* SPDX-License-Identifier: GPL-2.0 */
/* The ACPI tables as an operating system finds them (ACPI 6.5, 5.2), trusting nothing. */
#ifndef KT_GUEST_TABLES_H
#define KT_GUEST_TABLES_H

#include "io.h"

#define TABLES	     16
#define TABLE_MAX    0x40000u
#define TABLE_HEADER 36

struct tables {
	unsigned int n;
	uint32_t at[TABLES];
	bool low, sound; /* all below 4 GiB; all with the right length and checksum */
};

uint32_t get8(uint32_t at);
uint32_t get32(uint32_t at);
uint32_t sum(uint32_t at, uint32_t len);
bool is(uint32_t at, const char *name);
bool sound(uint32_t at);

/* The tables that the RSDT or XSDT at @root names. */
void tables_walk(uint32_t root, struct tables *t);

/* The table of that name, 0 if there is none. */
uint32_t table_find(const struct tables *t, const char *name);

/*
 * In a table of entries of a type and a length, of which the first is @first bytes in: how many
 * have @type, and bit 0 of the flags at @flags.
 */
uint32_t table_entries(uint32_t table, uint32_t first, uint32_t type, uint32_t flags);

/* The CPUs that can be used, in the MADT. */
uint32_t madt_cpus(uint32_t madt);

#endif
