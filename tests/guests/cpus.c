// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that starts all its CPUs: INIT and SIPI to all but itself through the x2APIC (Intel SDM
 * 3A 9.4 and 11.12), each marks its own id in a bitmap. How many there are to be and the highest id
 * are on the command line, as the words cpus= and top=.
 */
#include "guest.h"
#include "words.h"

#define TRAMPOLINE 0x8000u /* a SIPI names its page */
#define COUNT	   0x8ff0u
#define IDS	   0x9000u /* a bit for each id */
#define MAX_IDS	   4096u

#define MSR_APIC_BASE 0x1b
#define APIC_X2	      0xc00u /* enabled, in x2APIC mode */
#define MSR_ICR	      0x830
#define ICR_ALL_OTHER (3u << 18)
#define ICR_ASSERT    (1u << 14)
#define ICR_INIT      (5u << 8)
#define ICR_SIPI      (6u << 8)

/* Real mode, at TRAMPOLINE: the x2APIC id is in EDX of leaf 0xB. */
__asm__(".section .rodata\n"
	"trampoline:\n"
	"	.code16\n"
	"	xorw	%ax, %ax\n"
	"	movw	%ax, %ds\n"
	"	movl	$0xb, %eax\n"
	"	xorl	%ecx, %ecx\n"
	"	cpuid\n"
	"	movl	%edx, %eax\n"
	"	shrl	$3, %eax\n"
	"	andb	$7, %dl\n"
	"	movb	%dl, %cl\n"
	"	movb	$1, %bl\n"
	"	shlb	%cl, %bl\n"
	"	lock orb %bl, 0x9000(%eax)\n"
	"	lock incl 0x8ff0\n"
	"1:	hlt\n"
	"	jmp	1b\n"
	"trampoline_end:\n"
	"	.code32\n"
	"	.text\n");

extern const uint8_t trampoline[], trampoline_end[];

static void msr_write(uint32_t msr, uint32_t low)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"(low), "d"(0) : "memory");
}

static uint32_t msr_read(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return low;
}

static uint32_t started(void)
{
	return *(volatile uint32_t *)ram(COUNT);
}

void guest_main(const struct guest_boot *boot)
{
	uint32_t cpus = word_number(boot->cmdline, "cpus"), top = word_number(boot->cmdline, "top");
	uint8_t *ids = ram(IDS);
	uint32_t i, n = 0, last = 0;

	check(cpus && top < MAX_IDS, "the command line tells how many CPUs there are");
	memcpy(ram(TRAMPOLINE), trampoline, trampoline_end - trampoline);
	memset(ids, 0, MAX_IDS / 8);
	memset(ram(COUNT), 0, 4);
	msr_write(MSR_APIC_BASE, msr_read(MSR_APIC_BASE) | APIC_X2);
	check((msr_read(MSR_APIC_BASE) & APIC_X2) == APIC_X2, "the APIC goes into x2APIC mode");
	msr_write(MSR_ICR, ICR_ALL_OTHER | ICR_ASSERT | ICR_INIT);
	msr_write(MSR_ICR, ICR_ALL_OTHER | ICR_ASSERT | ICR_SIPI | TRAMPOLINE >> 12);
	for (i = 0; i < 1000000 && started() < cpus - 1; i++)
		io_pause();
	check_equal(started(), cpus - 1, "all other CPUs have started, once each");
	for (i = 0; i < MAX_IDS; i++) {
		if (ids[i / 8] & 1u << i % 8) {
			n++;
			last = i;
		}
	}
	check_equal(n, cpus - 1, "each with an id of its own");
	check(!(ids[0] & 1), "which is not the boot CPU's");
	check_equal(last, top, "up to the highest of the topology");
}
