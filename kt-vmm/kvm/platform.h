/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where things lie in the machine of the kvm engine. ACPI tells the guest, the devices answer
 * there.
 */
#ifndef KT_KVM_PLATFORM_H
#define KT_KVM_PLATFORM_H

/* Guest-physical memory. RAM ends at RAM_HOLE at the latest and goes on at 4 GiB. */
#define START_INFO_BASE 0x6000UL  /* PVH start info, its memory map and module list */
#define CMDLINE_BASE	0x20000UL /* GUEST_CMDLINE_MAX bytes and a NUL at most */
#define LOW_RAM_END	0x9fc00UL /* end of conventional memory */
#define ACPI_BASE	0xe0000UL /* the ACPI tables, RSDP included, up to ACPI_END */
#define ACPI_END	0x100000UL
#define HIGH_RAM_BASE	0x100000UL
#define RAM_HOLE	0xc0000000UL
#define PCI_MMIO_BASE	0xc0000000UL /* 32-bit BARs, up to PCI_ECAM_BASE */
#define PCI_ECAM_BASE	0xe0000000UL /* one bus: 1 MiB */
#define PCI_ECAM_SIZE	0x100000UL
#define IOAPIC_BASE	0xfec00000UL
#define LAPIC_BASE	0xfee00000UL
#define KVM_TSS_BASE	0xfffbd000UL /* three pages that KVM needs on Intel hosts */
#define KVM_IDENTITY	0xfffbc000UL /* and one for real mode */
#define RAM_ABOVE_4G	0x100000000UL

/* Ports. */
#define PORT_COM1      0x3f8
#define PORT_RTC       0x70  /* 2 bytes: index, data */
#define PORT_PM1_EVENT 0x600 /* 4 bytes: status, enable */
#define PORT_PM1_CNTRL 0x604 /* 2 bytes */
#define PORT_PM_TIMER  0x608 /* 4 bytes, 3.579545 MHz, 24 bits */
#define PORT_RESET     0xcf9 /* bit 2 resets: the FADT's reset register, value RESET_VALUE */
#define RESET_VALUE    0x06
#define SLEEP_TYPE_S5  5 /* SLP_TYP of the DSDT's \_S5; PM1_CNTRL bits 10 to 12 */

/* Interrupt lines of the I/O APIC. */
#define GSI_COM1  4
#define GSI_RTC	  8
#define GSI_SCI	  9  /* level-triggered, active high */
#define GSI_PCI	  16 /* pin P (0 to 3) of slot S: 16 + (S + P) % 4 */
#define IOAPIC_ID 0

#endif
