// SPDX-License-Identifier: GPL-2.0
#include "driver.h"

#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>

#define PATIENCE     200000
#define CAPABILITIES 48 /* at most: they do not overlap, and have 4 bytes or more */
#define QUEUE_MAX    16
#define PORT_ADDRESS 0xcf8
#define PORT_DATA    0xcfc
#define ENABLE	     0x80000000u

uint32_t pci_in(unsigned int slot, unsigned int reg, unsigned int len)
{
	port_out(PORT_ADDRESS, ENABLE | slot << 11 | (reg & 0xfc), 4);
	return port_in(PORT_DATA + (reg & 3), len);
}

void pci_out(unsigned int slot, unsigned int reg, uint32_t value, unsigned int len)
{
	port_out(PORT_ADDRESS, ENABLE | slot << 11 | (reg & 0xfc), 4);
	port_out(PORT_DATA + (reg & 3), value, len);
}

int pci_find(uint32_t id)
{
	unsigned int slot;

	for (slot = 0; slot < PCI_MAX_SLOTS; slot++) {
		if (pci_in(slot, PCI_VENDOR_ID, 4) == id)
			return slot;
	}
	return -1;
}

static void capability_read(struct vdev *d, unsigned int cap)
{
	unsigned int type = pci_in(d->slot, cap + VIRTIO_PCI_CAP_CFG_TYPE, 1);
	unsigned int bar = pci_in(d->slot, cap + VIRTIO_PCI_CAP_BAR, 1);
	uint32_t base, at = pci_in(d->slot, cap + VIRTIO_PCI_CAP_OFFSET, 4);

	if (bar > 5)
		return;
	base = pci_in(d->slot, PCI_BASE_ADDRESS_0 + 4 * bar, 4) & PCI_BASE_ADDRESS_MEM_MASK;
	switch (type) {
	case VIRTIO_PCI_CAP_COMMON_CFG:
		d->common = base + at;
		break;
	case VIRTIO_PCI_CAP_ISR_CFG:
		d->isr = base + at;
		break;
	case VIRTIO_PCI_CAP_DEVICE_CFG:
		d->config = base + at;
		break;
	case VIRTIO_PCI_CAP_NOTIFY_CFG:
		d->notify = base + at;
		d->notify_multiple = pci_in(d->slot, cap + VIRTIO_PCI_NOTIFY_CAP_MULT, 4);
		break;
	}
}

bool vdev_find(struct vdev *d, uint32_t id)
{
	int slot = pci_find(id);
	unsigned int cap, i;

	*d = (struct vdev){.slot = slot};
	if (slot < 0)
		return false;
	pci_out(slot, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
	cap = pci_in(slot, PCI_CAPABILITY_LIST, 1);
	for (i = 0; cap && i < CAPABILITIES; i++) {
		if (pci_in(slot, cap, 1) == PCI_CAP_ID_VNDR)
			capability_read(d, cap);
		cap = pci_in(slot, cap + 1, 1);
	}
	return d->common && d->isr && d->config && d->notify;
}

uint32_t vdev_in(const struct vdev *d, unsigned int reg, unsigned int len)
{
	return mmio_in(d->common + reg, len);
}

void vdev_out(const struct vdev *d, unsigned int reg, uint32_t value, unsigned int len)
{
	mmio_out(d->common + reg, value, len);
}

void vdev_reset(struct vdev *d)
{
	uint32_t status, i;

	vdev_out(d, VIRTIO_PCI_COMMON_STATUS, 0, 1);
	for (i = 0; i < PATIENCE; i++) {
		status = vdev_in(d, VIRTIO_PCI_COMMON_STATUS, 1);
		if (!status || status == 0xff) /* nobody is there */
			break;
		io_pause();
	}
	d->features = 0;
}

static void status_add(struct vdev *d, uint32_t bits)
{
	vdev_out(d, VIRTIO_PCI_COMMON_STATUS, vdev_in(d, VIRTIO_PCI_COMMON_STATUS, 1) | bits, 1);
}

bool vdev_begin(struct vdev *d, uint64_t features)
{
	uint32_t part[2];
	unsigned int i;

	vdev_reset(d);
	status_add(d, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	for (i = 0; i < 2; i++) {
		vdev_out(d, VIRTIO_PCI_COMMON_DFSELECT, i, 4);
		part[i] = vdev_in(d, VIRTIO_PCI_COMMON_DF, 4) & (uint32_t)(features >> 32 * i);
		vdev_out(d, VIRTIO_PCI_COMMON_GFSELECT, i, 4);
		vdev_out(d, VIRTIO_PCI_COMMON_GF, part[i], 4);
	}
	d->features = (uint64_t)part[1] << 32 | part[0];
	status_add(d, VIRTIO_CONFIG_S_FEATURES_OK);
	return vdev_in(d, VIRTIO_PCI_COMMON_STATUS, 1) & VIRTIO_CONFIG_S_FEATURES_OK;
}

void vqueue_begin(struct vqueue *q, struct vdev *d, unsigned int n)
{
	uint32_t base = QUEUE_RAM(n), size;

	*q = (struct vqueue){.d = d,
			     .n = n,
			     .desc = base + QUEUE_DESC,
			     .driver = base + QUEUE_DRIVER,
			     .device = base + QUEUE_DEVICE};
	memset(ram(q->desc), 0, QUEUE_MAX * 16);
	memset(ram(q->driver), 0, QUEUE_MAX * 2 + 6);
	memset(ram(q->device), 0, QUEUE_MAX * 8 + 6);
	vdev_out(d, VIRTIO_PCI_COMMON_Q_SELECT, n, 2);
	size = vdev_in(d, VIRTIO_PCI_COMMON_Q_SIZE, 2);
	q->size = size < QUEUE_MAX ? size : QUEUE_MAX;
	vdev_out(d, VIRTIO_PCI_COMMON_Q_SIZE, q->size, 2);
	vdev_out(d, VIRTIO_PCI_COMMON_Q_DESCLO, q->desc, 4);
	vdev_out(d, VIRTIO_PCI_COMMON_Q_DESCHI, 0, 4);
	vdev_out(d, VIRTIO_PCI_COMMON_Q_AVAILLO, q->driver, 4);
	vdev_out(d, VIRTIO_PCI_COMMON_Q_AVAILHI, 0, 4);
	vdev_out(d, VIRTIO_PCI_COMMON_Q_USEDLO, q->device, 4);
	vdev_out(d, VIRTIO_PCI_COMMON_Q_USEDHI, 0, 4);
	vdev_out(d, VIRTIO_PCI_COMMON_Q_ENABLE, 1, 2);
}

void vdev_go(struct vdev *d)
{
	status_add(d, VIRTIO_CONFIG_S_DRIVER_OK);
}

void vqueue_desc(struct vqueue *q, unsigned int i, uint64_t addr, uint32_t len, uint16_t flags,
		 uint16_t next)
{
	struct vring_desc *d = (struct vring_desc *)ram(q->desc) + i;

	*d = (struct vring_desc){.addr = addr, .len = len, .flags = flags, .next = next};
}

void vqueue_offer(struct vqueue *q, uint16_t head)
{
	uint16_t *ring = ram(q->driver);

	ring[2 + (q->offered & (q->size - 1))] = head;
	__atomic_store_n(&ring[1], ++q->offered, __ATOMIC_SEQ_CST);
}

void vqueue_kick(const struct vqueue *q)
{
	mmio_out(q->d->notify + q->n * q->d->notify_multiple, q->n, 2);
}

uint32_t vqueue_buffer(const struct vqueue *q, unsigned int i)
{
	return QUEUE_RAM(q->n) + QUEUE_BUFFERS + i * QUEUE_BUFFER;
}

bool vqueue_used(struct vqueue *q, uint32_t *id, uint32_t *len)
{
	const uint16_t *ring = ram(q->device);
	uint32_t element[2];
	unsigned int i;

	for (i = 0; i < PATIENCE; i++) {
		if (__atomic_load_n(&ring[1], __ATOMIC_ACQUIRE) != q->seen)
			break;
		io_pause();
	}
	if (i == PATIENCE)
		return false;
	memcpy(element, ring + 2 + 4 * (q->seen & (q->size - 1)), sizeof(element));
	q->seen++;
	if (id)
		*id = element[0];
	if (len)
		*len = element[1];
	return true;
}

bool vdev_becomes(const struct vdev *d, uint32_t bit)
{
	unsigned int i;

	for (i = 0; i < PATIENCE; i++) {
		if (vdev_in(d, VIRTIO_PCI_COMMON_STATUS, 1) & bit)
			return true;
		io_pause();
	}
	return false;
}
