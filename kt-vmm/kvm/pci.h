/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A PCI bus of functions with conventional configuration space, reached through ports 0xcf8 and
 * 0xcfc and through ECAM (PCI Local Bus 3.0; PCI Express 5.0 7.2.2). A function is one device on
 * bus 0; its BARs are 32-bit memory and come with an address, as firmware would leave them.
 */
#ifndef KT_PCI_H
#define KT_PCI_H

#include <linux/pci_regs.h>
#include <stdbool.h>
#include <stdint.h>

#include "bus.h"

#define PCI_CONFIG_SIZE 256
#define PCI_BARS	6

struct pci_function;

/* Served by @range while the guest has it mapped. */
struct pci_bar {
	uint32_t size; /* a power of two, 0: there is none */
	bool mapped;
	struct bus_device range;
};

struct pci_function_ops {
	/* After bytes of the configuration space were written. May be NULL, as may the others. */
	void (*config_written)(struct pci_function *f, unsigned int offset, unsigned int len);
	/* Before bytes are read: bring config[] up to date. */
	void (*config_reading)(struct pci_function *f, unsigned int offset, unsigned int len);
	/* After a BAR has come to its address, or left. */
	void (*bar_mapped)(struct pci_function *f, unsigned int bar);
};

struct pci_function {
	struct kvm_vm *vm;
	const struct pci_function_ops *ops;
	uint8_t config[PCI_CONFIG_SIZE];
	uint8_t writable[PCI_CONFIG_SIZE]; /* the bits that the guest may change */
	struct pci_bar bar[PCI_BARS];
	unsigned int slot, gsi; /* of INTA */
	uint8_t last_capability, free_capability;
	bool line;   /* level of INTA, as the guest sees it */
	void *owner; /* of the one who made it */
};

static inline void pci_put16(uint8_t *at, uint16_t v)
{
	at[0] = v;
	at[1] = v >> 8;
}

static inline void pci_put32(uint8_t *at, uint32_t v)
{
	pci_put16(at, v);
	pci_put16(at + 2, v >> 16);
}

static inline uint32_t pci_get32(const uint8_t *at)
{
	return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

struct pci_ids {
	uint16_t vendor, device, subvendor, subdevice;
	uint32_t class_code; /* 24 bits */
	uint8_t revision;
};

/* Begin a function, all zero before; its owner adds BARs and capabilities, then calls pci_add(). */
void pci_function_init(struct pci_function *f, const struct pci_ids *ids);

/* BAR @n of @range->len bytes (a power of two), answered as @range says; the rest is for the bus.
 */
void pci_add_bar(struct pci_function *f, unsigned int n, const struct bus_device *range);

/* A read-only capability of @len bytes, of which the caller fills in all but the first two.
 * Returns its offset in config[]. */
unsigned int pci_add_capability(struct pci_function *f, uint8_t id, unsigned int len);

/* Put it into the next free slot. 0, -ENODEV without a root, -ENOSPC when all is taken. */
int pci_add(struct kvm_vm *vm, struct pci_function *f);
void pci_remove(struct pci_function *f);

/* Raise or lower INTA. */
void pci_intx(struct pci_function *f, bool level);

/*
 * MSI-X (PCI Local Bus 3.0 6.8.2): a capability, and a BAR with the table and the pending bits.
 */
#define MSIX_MAX_VECTORS 128

struct msix_entry {
	uint64_t address;
	uint32_t data, control;
};

struct msix {
	struct pci_function *f;
	unsigned int vectors, capability;
	struct msix_entry table[MSIX_MAX_VECTORS];
	uint64_t pending[MSIX_MAX_VECTORS / 64];
};

/* @vectors of them; BAR @bar is all theirs. */
void msix_init(struct msix *m, struct pci_function *f, unsigned int vectors, unsigned int bar);
bool msix_enabled(const struct msix *m);

/* Send the message of @vector, or keep it until it is unmasked. Other numbers do nothing. */
void msix_send(struct msix *m, unsigned int vector);

/* For config_written(). */
void msix_config_written(struct msix *m);

#endif
