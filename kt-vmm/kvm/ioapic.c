// SPDX-License-Identifier: GPL-2.0
/*
 * Intel 82093AA I/O APIC datasheet, 3.1 and 3.2; the extended destination id in bits 48 to 55 of an
 * entry is that of virtual machines (arch/x86/include/asm/io_apic.h, virt_destid_8_14). Pins send
 * MSIs. KVM learns their routes so that it reports the EOI of level-triggered ones.
 */
#include "ioapic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"
#include "platform.h"
#include "state.h"

#define WINDOW_SELECT 0x00
#define WINDOW_DATA   0x10
#define WINDOW_SIZE   0x1000

#define REG_ID	    0x00
#define REG_VERSION 0x01
#define REG_ARB	    0x02
#define REG_ENTRIES 0x10 /* two registers each */

#define ENTRY_VECTOR	   0xffULL
#define ENTRY_MODE	   0x700ULL /* delivery mode */
#define ENTRY_LOGICAL	   (1ULL << 11)
#define ENTRY_STATUS	   (1ULL << 12) /* read-only */
#define ENTRY_REMOTE_IRR   (1ULL << 14) /* read-only */
#define ENTRY_LEVEL	   (1ULL << 15)
#define ENTRY_MASKED	   (1ULL << 16)
#define ENTRY_READ_ONLY	   (ENTRY_STATUS | ENTRY_REMOTE_IRR)
#define ENTRY_DEST(e)	   ((e) >> 56)
#define ENTRY_DEST_HIGH(e) ((e) >> 49 & 0x7f)

/* Intel SDM 3A 11.11: message address and data */
#define MSI_ADDRESS 0xfee00000U
#define MSI_LEVEL   ((1U << 15) | (1U << 14)) /* level-triggered, assert */

struct ioapic {
	struct kvm_vm *vm;
	struct bus_device window;
	uint8_t select, id;
	uint32_t lines; /* levels of the pins */
	uint64_t entry[IOAPIC_PINS];
};

static struct kvm_msi entry_msi(uint64_t e)
{
	struct kvm_msi msi = {
		.address_lo = MSI_ADDRESS | ENTRY_DEST(e) << 12 | (e & ENTRY_LOGICAL ? 4 : 0),
		.address_hi = ENTRY_DEST_HIGH(e) << 8,
		.data = (e & ENTRY_VECTOR) | (e & ENTRY_MODE) | (e & ENTRY_LEVEL ? MSI_LEVEL : 0),
	};

	return msi;
}

static void routes_set(struct ioapic *io)
{
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry entries[IOAPIC_PINS];
	} r = {0};
	unsigned int i;

	for (i = 0; i < IOAPIC_PINS; i++) {
		struct kvm_msi msi = entry_msi(io->entry[i]);

		if (io->entry[i] & ENTRY_MASKED)
			continue;
		r.entries[r.head.nr++] = (struct kvm_irq_routing_entry){
			.gsi = i,
			.type = KVM_IRQ_ROUTING_MSI,
			.u.msi = {.address_lo = msi.address_lo,
				  .address_hi = msi.address_hi,
				  .data = msi.data},
		};
	}
	ioctl(io->vm->vm_fd, KVM_SET_GSI_ROUTING, &r);
}

/* Send what pin @pin has to send. */
static int pin_serve(struct ioapic *io, unsigned int pin)
{
	uint64_t *e = &io->entry[pin];
	struct kvm_msi msi = entry_msi(*e);

	if (*e & ENTRY_MASKED || !(io->lines & 1U << pin))
		return 0;
	if (*e & ENTRY_LEVEL) {
		if (*e & ENTRY_REMOTE_IRR)
			return 0;
		*e |= ENTRY_REMOTE_IRR;
	}
	return ioctl(io->vm->vm_fd, KVM_SIGNAL_MSI, &msi) < 0 ? -errno : 0;
}

int ioapic_line(struct ioapic *io, unsigned int pin, bool level)
{
	uint32_t bit = 1U << pin;
	bool rises;
	int err = 0;

	bus_lock(kvm_bus(io->vm));
	rises = level && !(io->lines & bit);
	io->lines = level ? io->lines | bit : io->lines & ~bit;
	if (rises)
		err = pin_serve(io, pin);
	bus_unlock(kvm_bus(io->vm));
	return err;
}

void ioapic_eoi(struct ioapic *io, unsigned int vector)
{
	unsigned int i;

	bus_lock(kvm_bus(io->vm));
	for (i = 0; i < IOAPIC_PINS; i++) {
		uint64_t *e = &io->entry[i];

		if ((*e & ENTRY_VECTOR) != vector || !(*e & ENTRY_LEVEL))
			continue;
		*e &= ~ENTRY_REMOTE_IRR;
		pin_serve(io, i);
	}
	bus_unlock(kvm_bus(io->vm));
}

static uint32_t register_read(struct ioapic *io)
{
	unsigned int pin = (io->select - REG_ENTRIES) / 2;

	switch (io->select) {
	case REG_ID:
	case REG_ARB:
		return (uint32_t)io->id << 24;
	case REG_VERSION:
		return (IOAPIC_PINS - 1) << 16 | 0x11;
	}
	if (io->select < REG_ENTRIES || pin >= IOAPIC_PINS)
		return 0;
	return io->entry[pin] >> (io->select & 1 ? 32 : 0);
}

static void entry_write(struct ioapic *io, unsigned int pin, bool high, uint32_t value)
{
	uint64_t *e = &io->entry[pin], old = *e;

	if (high)
		*e = (old & 0xffffffff) | (uint64_t)value << 32;
	else
		*e = (old & ~0xffffffffULL) | (value & ~ENTRY_READ_ONLY) | (old & ENTRY_READ_ONLY);
	if (!(*e & ENTRY_LEVEL))
		*e &= ~ENTRY_REMOTE_IRR;
	if (*e == old)
		return;
	routes_set(io);
	/* An edge that came while the pin was masked is lost; a level is not. */
	if (*e & ENTRY_LEVEL)
		pin_serve(io, pin);
}

static int window_read(void *dev, uint64_t offset, void *data, unsigned int len)
{
	struct ioapic *io = dev;
	uint32_t value = offset == WINDOW_SELECT ? io->select
			 : offset == WINDOW_DATA ? register_read(io)
						 : 0;

	memset(data, 0, len);
	memcpy(data, &value, len < sizeof(value) ? len : sizeof(value));
	return 0;
}

static int window_write(void *dev, uint64_t offset, const void *data, unsigned int len)
{
	struct ioapic *io = dev;
	uint32_t value = 0;
	unsigned int pin;

	memcpy(&value, data, len < sizeof(value) ? len : sizeof(value));
	if (offset == WINDOW_SELECT)
		io->select = value;
	if (offset != WINDOW_DATA)
		return 0;
	pin = (io->select - REG_ENTRIES) / 2;
	if (io->select == REG_ID)
		io->id = value >> 24 & 0xf;
	else if (io->select >= REG_ENTRIES && pin < IOAPIC_PINS)
		entry_write(io, pin, io->select & 1, value);
	return 0;
}

int ioapic_create(struct kvm_vm *vm, struct ioapic **made)
{
	struct ioapic *io = xcalloc(1, sizeof(*io));
	unsigned int i;
	int err;

	*made = io;
	io->vm = vm;
	io->id = IOAPIC_ID;
	for (i = 0; i < IOAPIC_PINS; i++)
		io->entry[i] = ENTRY_MASKED;
	io->window = (struct bus_device){
		.name = "ioapic",
		.base = IOAPIC_BASE,
		.len = WINDOW_SIZE,
		.mmio = true,
		.read = window_read,
		.write = window_write,
		.dev = io,
	};
	err = bus_add(kvm_bus(vm), &io->window);
	return err ? kvm_error(vm, err, "I/O APIC: %s", strerror(-err)) : 0;
}
