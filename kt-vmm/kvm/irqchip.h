/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interrupt controllers. Where all APIC ids fit into 8 bits they are KVM's: PIC, I/O APIC, PIT
 * and local APICs. Beyond, only the local APICs are (in x2APIC mode, ids of 32 bits), and the
 * I/O APIC is ioapic.c's, which can address them all.
 */
#ifndef KT_IRQCHIP_H
#define KT_IRQCHIP_H

#include <stdbool.h>
#include <stdint.h>

struct kvm_vm;
struct ioapic;

struct irqchip {
	bool split;
	struct ioapic *ioapic; /* with split */
};

/* Before the vCPUs are made. 0 or -errno with the error set. */
int irqchip_init(struct kvm_vm *vm);

/* The guest has ended its service of the level-triggered @vector (KVM_EXIT_IOAPIC_EOI). */
void irqchip_eoi(struct kvm_vm *vm, unsigned int vector);

/* Does this machine need APIC ids above 8 bits? */
bool irqchip_needs_x2apic(const struct kvm_vm *vm);

#endif
