// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that walks the ACPI tables as an operating system finds them, trusting nothing. What
 * they are to say is on the command line: guest.cpus=, guest.nodes=, guest.mb= (memory).
 */
#include "guest.h"
#include "tables.h"
#include "words.h"

/* ACPI 6.5: offsets of fields. */
#define HEADER		TABLE_HEADER
#define FADT_DSDT	140 /* X_DSDT */
#define FADT_FLAGS	112
#define FADT_PM1_EVENT	56
#define FADT_PM_TIMER	76
#define FADT_RESET	116
#define FADT_RESET_PORT 120
#define FADT_RESET_WITH 128
#define SRAT_ENTRIES	48
#define MCFG_BASE	44

static void walk(uint32_t rsdp, struct tables *t)
{
	uint32_t xsdt = get32(rsdp + 24);

	check(is(rsdp, "RSD PTR "), "the RSDP is where the boot protocol says");
	check(!sum(rsdp, 20) && !sum(rsdp, get32(rsdp + 20)), "both of its checksums are right");
	check(get8(rsdp + 15) >= 2 && !get32(rsdp + 28), "it has an XSDT below 4 GiB");
	check(is(xsdt, "XSDT") && sound(xsdt), "which is sound");
	tables_walk(xsdt, t);
	check(t->low && t->sound && t->n >= 4, "and so are the tables in it");
}

static void fadt(const struct tables *t)
{
	uint32_t f = table_find(t, "FACP"), dsdt;

	check(f && get32(f + 4) >= 244, "there is a FADT");
	if (!f)
		return;
	dsdt = get32(f + FADT_DSDT);
	check(is(dsdt, "DSDT") && sound(dsdt), "and a DSDT");
	check_equal(get32(f + 40), dsdt, "to which both of its pointers lead");
	check_equal(get32(f + FADT_PM1_EVENT), 0x600, "PM1 is where it is said to be");
	check_equal(get32(f + FADT_PM_TIMER), 0x608, "and the timer");
	check(get32(f + FADT_FLAGS) & 1u << 10 && get8(f + FADT_RESET) == 1 &&
		      get32(f + FADT_RESET_PORT) == 0xcf9 && get8(f + FADT_RESET_WITH) == 6,
	      "and the reset register");
}

static void madt(const struct tables *t, uint32_t cpus)
{
	uint32_t m = table_find(t, "APIC");

	check(m, "there is a MADT");
	if (!m)
		return;
	check_equal(madt_cpus(m), cpus, "with as many CPUs as the machine was declared to have");
	check_equal(get32(m + HEADER), 0xfee00000, "their APICs are at the usual place");
}

static void srat(const struct tables *t, uint32_t cpus, uint32_t nodes, uint32_t mb)
{
	uint32_t s = table_find(t, "SRAT"), end, at, sum_mb = 0, seen = 0, node;

	check(s, "there is an SRAT");
	if (!s)
		return;
	check_equal(table_entries(s, SRAT_ENTRIES, 0, 4) + table_entries(s, SRAT_ENTRIES, 2, 12),
		    cpus, "it places every CPU");
	end = s + get32(s + 4);
	for (at = s + SRAT_ENTRIES; at + 2 <= end && get8(at + 1) >= 2; at += get8(at + 1)) {
		if (get8(at) != 1 || !(get32(at + 28) & 1))
			continue;
		node = get32(at + 2);
		if (node < 32)
			seen |= 1u << node;
		sum_mb += get32(at + 16) >> 20 | get32(at + 20) << 12;
	}
	check_equal(sum_mb, mb, "and all memory");
	check_equal(seen, (1u << nodes) - 1, "in as many nodes as were declared");
}

static void slit(const struct tables *t, uint32_t nodes)
{
	uint32_t s = table_find(t, "SLIT"), i, k;
	bool right = true;

	check(!!s == (nodes > 1), "a SLIT is there if it is needed");
	if (!s)
		return;
	check_equal(get32(s + HEADER), nodes, "it knows all nodes");
	for (i = 0; i < nodes; i++) {
		for (k = 0; k < nodes; k++) {
			uint32_t d = get8(s + HEADER + 8 + i * nodes + k);

			right = right && (i == k ? d == 10 : d > 10 && d < 255);
		}
	}
	check(right, "which are 10 from themselves, and farther from each other");
}

void guest_main(const struct guest_boot *boot)
{
	uint32_t cpus = word_number(boot->cmdline, "cpus");
	uint32_t nodes = word_number(boot->cmdline, "nodes"), mcfg;
	struct tables t;

	check(cpus && nodes, "the command line tells the topology");
	walk(boot->rsdp, &t);
	fadt(&t);
	madt(&t, cpus);
	srat(&t, cpus, nodes, word_number(boot->cmdline, "mb"));
	slit(&t, nodes);
	mcfg = table_find(&t, "MCFG");
	check(mcfg && get32(mcfg + MCFG_BASE) == 0xe0000000u, "there is an MCFG for ECAM");
}
