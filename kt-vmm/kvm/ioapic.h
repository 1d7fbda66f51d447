/* SPDX-License-Identifier: GPL-2.0 */
/* An I/O APIC (Intel 82093AA) for machines whose APIC ids KVM's own cannot address. */
#ifndef KT_IOAPIC_H
#define KT_IOAPIC_H

#include <stdbool.h>
#include <stdint.h>

#define IOAPIC_PINS 24

struct kvm_vm;
struct ioapic;

/* Put one on the bus. 0 or -errno with the error set. */
int ioapic_create(struct kvm_vm *vm, struct ioapic **made);

/* Set the level of a pin, below IOAPIC_PINS. 0 or -errno. */
int ioapic_line(struct ioapic *io, unsigned int pin, bool level);

/* The guest's EOI for @vector has reached the pins that send it. */
void ioapic_eoi(struct ioapic *io, unsigned int vector);

#endif
