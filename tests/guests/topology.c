// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that tells what it is told of its topology: the ACPI tables that speak of it, as lines
 * "table NAME HEX...", and each CPU's leaves, as "cpuid CPU LEAF SUBLEAF EAX EBX ECX EDX", the leaf
 * in hexadecimal and the rest in decimal. It starts all CPUs that the MADT has; each asks for
 * itself.
 */
#include "guest.h"
#include "smp.h"
#include "tables.h"

#define LEAVES	 28 /* of a CPU */
#define SUBS	 8  /* of a leaf */
#define EXTENDED 0x80000000u

struct leaf {
	uint32_t leaf, sub, a, b, c, d;
};

static struct leaf leaves[SMP_MAX][LEAVES];

/* What describes topology, and whether its subleaves end with one without such bits in ECX or EAX.
 */
static const struct source {
	uint32_t leaf, end_a, end_c;
} sources[] = {
	{0x0},
	{0x1},
	{0x4, 0x1f, 0},	  /* caches, by type */
	{0xb, 0, 0xff00}, /* levels, by type */
	{0x1f, 0, 0xff00},
	{EXTENDED},
	{EXTENDED | 0x1},
	{EXTENDED | 0x8},
	{EXTENDED | 0x1d, 0x1f, 0},
	{EXTENDED | 0x1e},
	{EXTENDED | 0x26, 0, 0xff00},
};

static void cpuid(struct leaf *l, uint32_t leaf, uint32_t sub)
{
	l->leaf = leaf;
	l->sub = sub;
	__asm__ volatile("cpuid"
			 : "=a"(l->a), "=b"(l->b), "=c"(l->c), "=d"(l->d)
			 : "a"(leaf), "c"(sub));
}

static bool more(const struct source *s, const struct leaf *l)
{
	return (s->end_a | s->end_c) && (!s->end_a || l->a & s->end_a) &&
	       (!s->end_c || l->c & s->end_c);
}

void smp_main(uint32_t number)
{
	struct leaf *l = leaves[number], *end = l + LEAVES - 1, range;
	uint32_t i, sub;

	for (i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		const struct source *s = &sources[i];

		cpuid(&range, s->leaf & EXTENDED, 0);
		if (range.a < s->leaf)
			continue;
		for (sub = 0; sub < SUBS && l < end; sub++) {
			cpuid(l, s->leaf, sub);
			if (!more(s, l++))
				break;
		}
	}
	l->leaf = ~0u; /* no more */
}

static void tell_cpu(uint32_t cpu)
{
	const struct leaf *l;
	uint32_t i;

	for (l = leaves[cpu]; l->leaf != ~0u; l++) {
		const uint32_t value[] = {l->sub, l->a, l->b, l->c, l->d};

		tell("cpuid ");
		tell_number(cpu, 10);
		tell(" 0x");
		tell_number(l->leaf, 16);
		for (i = 0; i < sizeof(value) / sizeof(value[0]); i++) {
			tell(" ");
			tell_number(value[i], 10);
		}
		tell("\n");
	}
}

static void tell_table(const char *name, uint32_t at)
{
	char byte[3] = "";
	uint32_t i, len = get32(at + 4);

	tell("table ");
	tell(name);
	tell(" ");
	for (i = 0; i < len; i++) {
		byte[0] = "0123456789ABCDEF"[get8(at + i) >> 4];
		byte[1] = "0123456789ABCDEF"[get8(at + i) & 15];
		tell(byte);
	}
	tell("\n");
}

void guest_main(const struct guest_boot *boot)
{
	static const char *const names[] = {"APIC", "SRAT", "SLIT", "HMAT"};
	uint32_t root = get32(boot->rsdp + 16), cpus = 0, i;
	struct tables t;

	if (get8(boot->rsdp + 15) >= 2)
		root = get32(boot->rsdp + 24);
	check(is(boot->rsdp, "RSD PTR ") && sound(root), "there are ACPI tables");
	tables_walk(root, &t);
	check(t.low && t.sound, "which are sound");
	if (table_find(&t, "APIC"))
		cpus = madt_cpus(table_find(&t, "APIC"));
	check(cpus && cpus <= SMP_MAX, "the MADT has CPUs");
	check_equal(smp_start(cpus), cpus - 1, "all but this one start, once each");
	smp_main(0);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (table_find(&t, names[i]))
			tell_table(names[i], table_find(&t, names[i]));
	}
	for (i = 0; i < cpus && i < SMP_MAX; i++)
		tell_cpu(i);
}
