/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A driver for the tests: PCI configuration, a virtio device over PCI, its split queues. It does
 * what it is told, right or wrong, and trusts the device in nothing.
 */
#ifndef KT_GUEST_DRIVER_H
#define KT_GUEST_DRIVER_H

#include "io.h"

#define PCI_MAX_SLOTS 32

uint32_t pci_in(unsigned int slot, unsigned int reg, unsigned int len);
void pci_out(unsigned int slot, unsigned int reg, uint32_t value, unsigned int len);

/* The slot of vendor and device (both as in register 0), or -1. */
int pci_find(uint32_t id);

#define VIRTIO_CONSOLE_PCI_ID	       0x10431af4
#define VIRTIO_CONSOLE_TRANSITIONAL_ID 0x10031af4 /* QEMU's, on conventional PCI */

/* RAM for queues and their buffers: so much for each. */
#define QUEUE_RAM(n)  (0x400000u + (n)*0x10000u)
#define QUEUE_DESC    0x0000u /* offsets there */
#define QUEUE_DRIVER  0x2000u
#define QUEUE_DEVICE  0x3000u
#define QUEUE_BUFFERS 0x8000u
#define QUEUE_BUFFER  0x800u /* bytes of each */

struct vdev {
	unsigned int slot;
	uint32_t common, isr, config, notify; /* addresses of its structures */
	uint32_t notify_multiple;
	uint64_t features; /* agreed on */
};

struct vqueue {
	struct vdev *d;
	unsigned int n, size;
	uint32_t desc, driver, device; /* addresses */
	uint16_t offered, seen;	       /* indexes of the rings */
};

/* Find the device of PCI @id and what its capabilities say. False when there is none. */
bool vdev_find(struct vdev *d, uint32_t id);
uint32_t vdev_in(const struct vdev *d, unsigned int reg, unsigned int len); /* common structure */
void vdev_out(const struct vdev *d, unsigned int reg, uint32_t value, unsigned int len);
void vdev_reset(struct vdev *d);

/* Reset, acknowledge, agree on what of @features is offered. False when the device refuses. */
bool vdev_begin(struct vdev *d, uint64_t features);

/* Set up queue @n at QUEUE_RAM(n) with up to 16 buffers. */
void vqueue_begin(struct vqueue *q, struct vdev *d, unsigned int n);
void vdev_go(struct vdev *d); /* DRIVER_OK */

/* Write descriptor @i; put a chain that begins there on offer; notify. */
void vqueue_desc(struct vqueue *q, unsigned int i, uint64_t addr, uint32_t len, uint16_t flags,
		 uint16_t next);
void vqueue_offer(struct vqueue *q, uint16_t head);
void vqueue_kick(const struct vqueue *q);

/* The address of buffer @i, QUEUE_BUFFER bytes. */
uint32_t vqueue_buffer(const struct vqueue *q, unsigned int i);

/* Wait for the next used buffer. False when none comes. */
bool vqueue_used(struct vqueue *q, uint32_t *id, uint32_t *len);

/* Wait until the device has status bit @bit. */
bool vdev_becomes(const struct vdev *d, uint32_t bit);

#endif
