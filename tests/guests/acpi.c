// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that walks the ACPI tables as an operating system finds them, trusting nothing. What
 * they are to say is on the command line: guest.cpus=, guest.nodes=, guest.mb= (memory).
 */
#include "guest.h"
#include "words.h"

#define TABLES	  16
#define TABLE_MAX 0x40000u

/* ACPI 6.5: offsets of fields. */
#define HEADER		36
#define FADT_DSDT	140 /* X_DSDT */
#define FADT_FLAGS	112
#define FADT_PM1_EVENT	56
#define FADT_PM_TIMER	76
#define FADT_RESET	116
#define FADT_RESET_PORT 120
#define FADT_RESET_WITH 128
#define MADT_ENTRIES	44
#define SRAT_ENTRIES	48
#define MCFG_BASE	44

struct tables {
	unsigned int n;
	uint32_t at[TABLES];
};

static uint32_t get8(uint32_t at)
{
	return *(volatile uint8_t *)ram(at);
}

static uint32_t get32(uint32_t at)
{
	return get8(at) | get8(at + 1) << 8 | get8(at + 2) << 16 | get8(at + 3) << 24;
}

static bool is(uint32_t at, const char *name)
{
	for (; *name; name++, at++) {
		if (get8(at) != (uint8_t)*name)
			return false;
	}
	return true;
}

static uint32_t sum(uint32_t at, uint32_t len)
{
	uint8_t s = 0;

	while (len--)
		s += get8(at++);
	return s;
}

static bool sound(uint32_t at)
{
	uint32_t len = at ? get32(at + 4) : 0;

	return len >= HEADER && len < TABLE_MAX && !sum(at, len);
}

/* The table of that name, 0 if there is none. */
static uint32_t find(const struct tables *t, const char *name)
{
	unsigned int i;

	for (i = 0; i < t->n; i++) {
		if (is(t->at[i], name))
			return t->at[i];
	}
	return 0;
}

static void walk(uint32_t rsdp, struct tables *t)
{
	uint32_t xsdt = get32(rsdp + 24), at;
	bool all_sound = true, low = true;

	t->n = 0;
	check(is(rsdp, "RSD PTR "), "the RSDP is where the boot protocol says");
	check(!sum(rsdp, 20) && !sum(rsdp, get32(rsdp + 20)), "both of its checksums are right");
	check(get8(rsdp + 15) >= 2 && !get32(rsdp + 28), "it has an XSDT below 4 GiB");
	check(is(xsdt, "XSDT") && sound(xsdt), "which is sound");
	for (at = xsdt + HEADER; at < xsdt + get32(xsdt + 4) && t->n < TABLES; at += 8) {
		low = low && !get32(at + 4);
		t->at[t->n] = get32(at);
		all_sound = all_sound && sound(t->at[t->n++]);
	}
	check(low && all_sound && t->n >= 4, "and so are the tables in it");
}

static void fadt(const struct tables *t)
{
	uint32_t f = find(t, "FACP"), dsdt;

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

/* Entries of a type and a length: how many have @type, and bit 0 of the flags at @flags. */
static uint32_t entries(uint32_t table, uint32_t first, uint32_t type, uint32_t flags)
{
	uint32_t end = table + get32(table + 4), at, n = 0;

	for (at = table + first; at + 2 <= end && get8(at + 1) >= 2; at += get8(at + 1))
		n += get8(at) == type && get8(at + flags) & 1;
	return n;
}

static void madt(const struct tables *t, uint32_t cpus)
{
	uint32_t m = find(t, "APIC");

	check(m, "there is a MADT");
	if (!m)
		return;
	check_equal(entries(m, MADT_ENTRIES, 0, 4) + entries(m, MADT_ENTRIES, 9, 8), cpus,
		    "with as many CPUs as the machine was declared to have");
	check_equal(get32(m + HEADER), 0xfee00000, "their APICs are at the usual place");
}

static void srat(const struct tables *t, uint32_t cpus, uint32_t nodes, uint32_t mb)
{
	uint32_t s = find(t, "SRAT"), end, at, sum_mb = 0, seen = 0, node;

	check(s, "there is an SRAT");
	if (!s)
		return;
	check_equal(entries(s, SRAT_ENTRIES, 0, 4) + entries(s, SRAT_ENTRIES, 2, 12), cpus,
		    "it places every CPU");
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
	uint32_t s = find(t, "SLIT"), i, k;
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
	mcfg = find(&t, "MCFG");
	check(mcfg && get32(mcfg + MCFG_BASE) == 0xe0000000u, "there is an MCFG for ECAM");
}
