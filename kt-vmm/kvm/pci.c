// SPDX-License-Identifier: GPL-2.0
#include "pci.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"
#include "kvm.h"
#include "platform.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    4 /* from there */
#define CONFIG_PORTS   8
#define CONFIG_ENABLE  0x80000000u
#define CONFIG_MASK    0xfffffcu

#define PCI_SLOTS 32

#define RESET_CPU 0x04 /* of PORT_RESET */

/* A host bridge that no driver binds to, nor quirk knows: Red Hat's for generic machines. */
static const struct pci_ids bridge_ids = {
	.vendor = 0x1b36,
	.device = 0x0008,
	.subvendor = 0x1af4,
	.subdevice = 0x1100,
	.class_code = 0x060000,
};

struct pci_root {
	struct kvm_vm *vm;
	struct bus_device ports, ecam;
	struct pci_function bridge;
	struct pci_function *slot[PCI_SLOTS];
	uint32_t address;   /* of the configuration register that CONFIG_DATA is */
	uint32_t next_mmio; /* where the next BAR goes */
};

void pci_function_init(struct pci_function *f, const struct pci_ids *ids)
{
	pci_put16(f->config + PCI_VENDOR_ID, ids->vendor);
	pci_put16(f->config + PCI_DEVICE_ID, ids->device);
	pci_put16(f->config + PCI_SUBSYSTEM_VENDOR_ID, ids->subvendor);
	pci_put16(f->config + PCI_SUBSYSTEM_ID, ids->subdevice);
	pci_put32(f->config + PCI_CLASS_REVISION, ids->class_code << 8 | ids->revision);
	f->free_capability = 0x40;
	pci_put16(f->writable + PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
						     PCI_COMMAND_INTX_DISABLE | PCI_COMMAND_SERR);
	f->writable[PCI_INTERRUPT_LINE] = 0xff;
	f->writable[PCI_CACHE_LINE_SIZE] = 0xff;
}

void pci_add_bar(struct pci_function *f, unsigned int n, const struct bus_device *range)
{
	f->bar[n].size = range->len;
	f->bar[n].range = *range;
	f->bar[n].range.mmio = true;
	pci_put32(f->writable + PCI_BASE_ADDRESS_0 + 4 * n, ~(f->bar[n].size - 1));
}

unsigned int pci_add_capability(struct pci_function *f, uint8_t id, unsigned int len)
{
	unsigned int at = f->free_capability;

	f->config[at] = id;
	f->config[f->last_capability ? f->last_capability + 1u : PCI_CAPABILITY_LIST] = at;
	f->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	f->last_capability = at;
	f->free_capability = (at + len + 3) & ~3u;
	return at;
}

/* A BAR answers where it was put, if that is in the window of this bus and nobody else's. */
static void bar_update(struct pci_function *f, unsigned int n)
{
	struct bus *bus = kvm_bus(f->vm);
	struct pci_bar *bar = &f->bar[n];
	uint64_t base = pci_get32(f->config + PCI_BASE_ADDRESS_0 + 4 * n);
	bool on = f->config[PCI_COMMAND] & PCI_COMMAND_MEMORY && base >= PCI_MMIO_BASE &&
		  base + bar->size <= PCI_ECAM_BASE;

	if (bar->mapped && on && base == bar->range.base)
		return;
	if (bar->mapped) {
		bus_remove(bus, &bar->range);
		bar->mapped = false;
		if (f->ops && f->ops->bar_mapped)
			f->ops->bar_mapped(f, n);
	}
	bar->range.base = base;
	if (!on || bus_add(bus, &bar->range))
		return;
	bar->mapped = true;
	if (f->ops && f->ops->bar_mapped)
		f->ops->bar_mapped(f, n);
}

static void function_update(struct pci_function *f)
{
	unsigned int n;

	for (n = 0; n < PCI_BARS; n++) {
		if (f->bar[n].size)
			bar_update(f, n);
	}
}

static void line_update(struct pci_function *f)
{
	bool off = f->config[PCI_COMMAND + 1] & PCI_COMMAND_INTX_DISABLE >> 8;
	bool level = f->config[PCI_STATUS] & PCI_STATUS_INTERRUPT && !off;

	if (level == f->line)
		return;
	f->line = level;
	kvm_irq_set(f->vm, f->gsi, level);
}

void pci_intx(struct pci_function *f, bool level)
{
	f->config[PCI_STATUS] &= ~PCI_STATUS_INTERRUPT;
	f->config[PCI_STATUS] |= level ? PCI_STATUS_INTERRUPT : 0;
	line_update(f);
}

/* Where nothing is, configuration reads as ones. Beyond 256 bytes there is nothing. */
static void config_read(struct pci_function *f, unsigned int offset, void *data, unsigned int len)
{
	if (!f || offset + len > PCI_CONFIG_SIZE) {
		memset(data, 0xff, len);
		return;
	}
	if (f->ops && f->ops->config_reading)
		f->ops->config_reading(f, offset, len);
	memcpy(data, f->config + offset, len);
}

static void config_write(struct pci_function *f, unsigned int offset, const void *data,
			 unsigned int len)
{
	const uint8_t *from = data;
	unsigned int i;

	if (!f || offset + len > PCI_CONFIG_SIZE)
		return;
	for (i = 0; i < len; i++) {
		uint8_t mask = f->writable[offset + i];

		f->config[offset + i] = (f->config[offset + i] & ~mask) | (from[i] & mask);
	}
	if (offset < PCI_BASE_ADDRESS_5 + 4) {
		function_update(f);
		line_update(f);
	}
	if (f->ops && f->ops->config_written)
		f->ops->config_written(f, offset, len);
}

/* Bus, device and function as CONFIG_ADDRESS and ECAM number them, from bit 0. */
static struct pci_function *root_function(struct pci_root *r, unsigned int bdf)
{
	return bdf < PCI_SLOTS << 3 && !(bdf & 7) ? r->slot[bdf >> 3] : NULL;
}

static struct pci_function *selected(struct pci_root *r)
{
	return r->address & CONFIG_ENABLE ? root_function(r, r->address >> 8 & 0xffff) : NULL;
}

/* Only a dword write selects (3.2.2.3.2); the byte at PORT_RESET is another register. */
static int ports_read(void *dev, uint64_t offset, void *data, unsigned int len)
{
	struct pci_root *r = dev;

	if (offset >= CONFIG_DATA) {
		config_read(selected(r), (r->address & 0xfc) + (offset - CONFIG_DATA), data, len);
		return 0;
	}
	if (offset == PORT_RESET - CONFIG_ADDRESS && len == 1) {
		*(uint8_t *)data = 0;
		return 0;
	}
	if (offset || len != 4)
		return -EINVAL;
	memcpy(data, &r->address, len);
	return 0;
}

static int ports_write(void *dev, uint64_t offset, const void *data, unsigned int len)
{
	struct pci_root *r = dev;

	if (offset >= CONFIG_DATA) {
		config_write(selected(r), (r->address & 0xfc) + (offset - CONFIG_DATA), data, len);
		return 0;
	}
	if (offset == PORT_RESET - CONFIG_ADDRESS && len == 1) {
		if (*(const uint8_t *)data & RESET_CPU)
			kvm_power_off(r->vm);
		return 0;
	}
	if (offset || len != 4)
		return -EINVAL;
	memcpy(&r->address, data, len);
	r->address &= CONFIG_ENABLE | CONFIG_MASK;
	return 0;
}

static int ecam_read(void *dev, uint64_t offset, void *data, unsigned int len)
{
	config_read(root_function(dev, offset >> 12), offset & 0xfff, data, len);
	return 0;
}

static int ecam_write(void *dev, uint64_t offset, const void *data, unsigned int len)
{
	config_write(root_function(dev, offset >> 12), offset & 0xfff, data, len);
	return 0;
}

/* Place the BARs, each at a multiple of its size. */
static int root_place(struct pci_root *r, struct pci_function *f)
{
	unsigned int n;

	for (n = 0; n < PCI_BARS; n++) {
		uint32_t size = f->bar[n].size;
		uint32_t base = (r->next_mmio + size - 1) & ~(size - 1);

		if (!size)
			continue;
		if (size > PCI_ECAM_BASE - base)
			return -ENOSPC;
		pci_put32(f->config + PCI_BASE_ADDRESS_0 + 4 * n, base);
		r->next_mmio = base + size;
	}
	return 0;
}

int pci_add(struct kvm_vm *vm, struct pci_function *f)
{
	struct pci_root *r = kvm_bus(vm)->pci;
	unsigned int s;
	int err;

	if (!r)
		return -ENODEV;
	for (s = 0; s < PCI_SLOTS && r->slot[s]; s++)
		;
	if (s == PCI_SLOTS)
		return -ENOSPC;
	err = root_place(r, f);
	if (err)
		return err;
	f->vm = vm;
	f->slot = s;
	f->gsi = GSI_PCI + s % 4;
	if (s) {
		f->config[PCI_INTERRUPT_PIN] = 1;
		f->config[PCI_INTERRUPT_LINE] = f->gsi;
	}
	bus_lock(kvm_bus(vm));
	r->slot[s] = f;
	bus_unlock(kvm_bus(vm));
	return 0;
}

void pci_remove(struct pci_function *f)
{
	struct pci_root *r = f->vm ? kvm_bus(f->vm)->pci : NULL;

	if (!r)
		return;
	bus_lock(kvm_bus(f->vm));
	f->config[PCI_COMMAND] &= ~PCI_COMMAND_MEMORY;
	function_update(f);
	r->slot[f->slot] = NULL;
	bus_unlock(kvm_bus(f->vm));
}

static void pci_destroy(void *dev)
{
	struct pci_root *r = dev;
	struct bus *bus = kvm_bus(r->vm);

	bus_remove(bus, &r->ports);
	bus_remove(bus, &r->ecam);
	bus->pci = NULL;
	free(r);
}

static int pci_init(struct kvm_vm *vm, void **dev)
{
	struct pci_root *r = xcalloc(1, sizeof(*r));
	struct bus *bus = kvm_bus(vm);
	int err;

	r->vm = vm;
	r->next_mmio = PCI_MMIO_BASE;
	r->ports = (struct bus_device){"PCI configuration", CONFIG_ADDRESS,	  CONFIG_PORTS,
				       .read = ports_read,  .write = ports_write, .dev = r};
	r->ecam = (struct bus_device){
		"ECAM", PCI_ECAM_BASE, PCI_ECAM_SIZE, true, ecam_read, ecam_write, r};
	bus->pci = r;
	pci_function_init(&r->bridge, &bridge_ids);
	err = pci_add(vm, &r->bridge) ?: bus_add(bus, &r->ports) ?: bus_add(bus, &r->ecam);
	if (err) {
		pci_destroy(r);
		return err;
	}
	*dev = r;
	return 0;
}

const struct kvm_device kvm_pci = {
	.name = "PCI",
	.init = pci_init,
	.destroy = pci_destroy,
};
