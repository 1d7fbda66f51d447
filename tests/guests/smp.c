// SPDX-License-Identifier: GPL-2.0
#include "smp.h"

#define TRAMPOLINE 0x8000u /* a SIPI names its page */
#define PATIENCE   4000000u

#define LAPIC	      0xfee00000u
#define LAPIC_ICR     0x300
#define MSR_APIC_BASE 0x1b
#define APIC_X2	      0xc00u /* enabled, in x2APIC mode */
#define MSR_ICR	      0x830
#define ICR_ALL_OTHER (3u << 18)
#define ICR_ASSERT    (1u << 14)
#define ICR_INIT      (5u << 8)
#define ICR_SIPI      (6u << 8)
#define ECX_X2APIC    (1u << 21)

/* From real mode, at TRAMPOLINE, to 32 bits, a number and a stack. */
__asm__(".section .rodata\n"
	"trampoline:\n"
	"	.code16\n"
	"	cli\n"
	"	cld\n"
	"	xorw	%ax, %ax\n"
	"	movw	%ax, %ds\n"
	"	lgdtl	0x8000 + trampoline_gdtr - trampoline\n"
	"	movl	%cr0, %eax\n"
	"	orb	$1, %al\n"
	"	movl	%eax, %cr0\n"
	"	ljmpl	$8, $trampoline_32\n"
	"	.balign	8\n"
	"trampoline_gdt:\n"
	"	.quad	0, 0x00cf9b000000ffff, 0x00cf93000000ffff\n"
	"trampoline_gdtr:\n"
	"	.word	23\n"
	"	.long	trampoline_gdt\n"
	"trampoline_end:\n"
	"	.code32\n"
	"	.text\n"
	"trampoline_32:\n"
	"	movw	$16, %ax\n"
	"	movw	%ax, %ds\n"
	"	movw	%ax, %es\n"
	"	movw	%ax, %ss\n"
	"	movl	$1, %eax\n"
	"	lock xaddl %eax, smp_number\n"
	"	cmpl	$512, %eax\n" /* SMP_MAX */
	"	jae	1f\n"
	"	movl	%eax, %esp\n"
	"	shll	$10, %esp\n"
	"	addl	$smp_stacks, %esp\n"
	"	pushl	%eax\n"
	"	call	smp_main\n"
	"	lock incl smp_through\n"
	"1:	hlt\n"
	"	jmp	1b\n");

extern const uint8_t trampoline[], trampoline_end[];
extern uint32_t smp_number, smp_through;
extern uint8_t smp_stacks[SMP_MAX][1024]; /* each ends where the next one's number begins */

uint32_t smp_number = 1, smp_through;
uint8_t smp_stacks[SMP_MAX][1024];

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

static bool has_x2apic(void)
{
	uint32_t a = 1, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return c & ECX_X2APIC;
}

static void all_others(bool x2, uint32_t what)
{
	if (x2)
		msr_write(MSR_ICR, ICR_ALL_OTHER | ICR_ASSERT | what);
	else
		mmio_out(LAPIC + LAPIC_ICR, ICR_ALL_OTHER | ICR_ASSERT | what, 4);
}

uint32_t smp_start(uint32_t cpus)
{
	bool x2 = has_x2apic();
	uint32_t i, last = 0;

	memcpy(ram(TRAMPOLINE), trampoline, (size_t)trampoline_end - (size_t)trampoline);
	if (x2)
		msr_write(MSR_APIC_BASE, msr_read(MSR_APIC_BASE) | APIC_X2);
	all_others(x2, ICR_INIT);
	all_others(x2, ICR_SIPI | TRAMPOLINE >> 12);
	for (i = 0; i < PATIENCE && __atomic_load_n(&smp_through, __ATOMIC_ACQUIRE) < cpus - 1;
	     i++) {
		if (smp_through != last) /* they are coming */
			i = 0;
		last = smp_through;
		__asm__ volatile("pause"); /* QEMU goes on with the next CPU */
	}
	return __atomic_load_n(&smp_through, __ATOMIC_ACQUIRE);
}
