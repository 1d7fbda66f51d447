// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that asks its boot CPU what it is. The topology to be found is on the command line, as
 * the words cores=, threads= and llc= (CPUs that share one).
 */
#include "guest.h"
#include "words.h"

struct regs {
	uint32_t a, b, c, d;
};

static struct regs cpuid(uint32_t leaf, uint32_t sub)
{
	struct regs r;

	__asm__ volatile("cpuid"
			 : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
			 : "a"(leaf), "c"(sub));
	return r;
}

static bool intel(void)
{
	return cpuid(0, 0).b == 0x756e6547; /* "Genu" */
}

/* A field of @n values takes so many bits of an APIC id. */
static uint32_t bits(uint32_t n)
{
	uint32_t b = 0;

	while (1u << b < n)
		b++;
	return b;
}

static void hypervisor(void)
{
	struct regs r = cpuid(0x40000000, 0);

	check(cpuid(1, 0).c >> 31, "a hypervisor is there");
	check(r.b == 0x4b4d564b && r.c == 0x564b4d56 && r.d == 0x4d, "and it is KVM");
	check(cpuid(0x40000001, 0).a & 1u << 3, "with its own clock");
}

static void basics(void)
{
	struct regs one = cpuid(1, 0);

	check_equal(one.b >> 24, 0, "the boot CPU has APIC id 0");
	check(one.d & 1u << 9 && one.c & 1u << 21, "an APIC, which can be an x2APIC");
	check(one.d & 1u << 25 && one.d & 1u << 26, "SSE2, as every x86-64 has");
	check(cpuid(0x80000001, 0).d & 1u << 29, "and long mode");
	check_equal(cpuid(0, 0).a >= 0xb, 1, "leaf 0xB is there");
}

/* Intel SDM, leaves 0xB and 0x1F: level by level, type in bits 8 to 15 of ECX. */
static void levels(uint32_t leaf, uint32_t threads, uint32_t cores)
{
	struct regs smt = cpuid(leaf, 0), core = cpuid(leaf, 1);

	check_equal(smt.c >> 8 & 255, 1, "the lowest level is threads");
	check_equal(smt.a & 31, bits(threads), "with as many bits of the APIC id as it takes");
	check_equal(smt.b & 0xffff, threads, "and as many CPUs");
	check_equal(core.c >> 8 & 255, 2, "the next one is cores");
	check((core.a & 31) >= bits(threads) + bits(cores), "with bits above those");
	check_equal(smt.d, 0, "the id in the leaf is the boot CPU's");
}

/* Leaf 4, or AMD's 0x8000001D, which looks the same. */
static void caches(uint32_t threads, uint32_t llc_bits)
{
	uint32_t leaf = intel() ? 4 : 0x8000001d, sub, level, shared;
	bool l1 = false, l3 = false;

	for (sub = 0; sub < 8 && cpuid(leaf, sub).a & 31; sub++) {
		struct regs r = cpuid(leaf, sub);

		level = r.a >> 5 & 7;
		shared = (r.a >> 14 & 0xfff) + 1;
		if (level == 1)
			l1 = bits(shared) == bits(threads);
		if (level == 3)
			l3 = bits(shared) == llc_bits;
	}
	check(l1, "L1 is shared by the threads of a core");
	check(l3, "L3 by the CPUs of an LLC");
}

void guest_main(const struct guest_boot *boot)
{
	uint32_t threads = word_number(boot->cmdline, "threads");
	uint32_t cores = word_number(boot->cmdline, "cores");

	hypervisor();
	basics();
	check(threads && cores, "the command line tells the topology");
	levels(0xb, threads, cores);
	if (intel() && cpuid(0, 0).a >= 0x1f)
		levels(0x1f, threads, cores);
	caches(threads, bits(threads) + bits(cores));
}
