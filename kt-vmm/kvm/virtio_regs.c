// SPDX-License-Identifier: GPL-2.0
#include "virtio_regs.h"

#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"

#define TRANSPORT_FEATURES                                                  \
	(1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_RING_F_INDIRECT_DESC | \
	 1ULL << VIRTIO_RING_F_EVENT_IDX)

static uint64_t features_offered(const struct virtio_pci *v)
{
	return v->ops->features | TRANSPORT_FEATURES;
}

bool virtio_has(const struct virtio_pci *v, unsigned int feature)
{
	return v->driver_features >> feature & 1;
}

bool virtio_live(const struct virtio_pci *v, unsigned int n)
{
	return v->status & VIRTIO_CONFIG_S_DRIVER_OK &&
	       !(v->status & VIRTIO_CONFIG_S_NEEDS_RESET) && n < v->queues && v->queue[n].q.enabled;
}

void virtio_broken(struct virtio_pci *v, unsigned int n)
{
	if (v->status & VIRTIO_CONFIG_S_NEEDS_RESET)
		return;
	v->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	if (!v->told)
		warn("guest: %s, queue %u: %s; the device stops until it is reset", v->ops->name, n,
		     v->queue[n].q.broken);
	v->told = true;
	virtio_kicks_update(v);
	if (v->status & VIRTIO_CONFIG_S_DRIVER_OK)
		virtio_config_interrupt(v);
}

void virtio_reset(struct virtio_pci *v)
{
	unsigned int n;

	v->status = 0;
	v->driver_features = 0;
	v->feature_select = v->driver_feature_select = 0;
	v->queue_select = 0;
	v->config_vector = VIRTIO_MSI_NO_VECTOR;
	virtio_isr_clear(v);
	for (n = 0; n < v->queues; n++)
		virtqueue_reset(&v->queue[n].q);
	virtio_kicks_update(v);
	v->ops->reset(v->dev);
}

/* The queue that the registers are about, or NULL. */
static struct virtqueue *selected(struct virtio_pci *v)
{
	return v->queue_select < v->queues ? &v->queue[v->queue_select].q : NULL;
}

/* The same, while it can still be set up. */
static struct virtqueue *settable(struct virtio_pci *v)
{
	struct virtqueue *q = selected(v);

	return q && !q->enabled ? q : NULL;
}

static void write_driver_feature(struct virtio_pci *v, uint32_t value)
{
	unsigned int shift = 32 * v->driver_feature_select;

	if (v->status & VIRTIO_CONFIG_S_FEATURES_OK || v->driver_feature_select > 1)
		return;
	v->driver_features &= ~(0xffffffffULL << shift);
	v->driver_features |= (uint64_t)value << shift;
}

/* 2.1, 3.1.1: bits are only added; FEATURES_OK stays only when the choice can be served. */
static void write_status(struct virtio_pci *v, uint32_t value)
{
	uint8_t was = v->status;

	if (!value) {
		virtio_reset(v);
		return;
	}
	value &= ~VIRTIO_CONFIG_S_NEEDS_RESET;
	if (v->driver_features & ~features_offered(v) || !virtio_has(v, VIRTIO_F_VERSION_1))
		value &= ~VIRTIO_CONFIG_S_FEATURES_OK;
	if (!((was | value) & VIRTIO_CONFIG_S_FEATURES_OK))
		value &= ~VIRTIO_CONFIG_S_DRIVER_OK;
	v->status |= value;
	if (v->status & ~was & VIRTIO_CONFIG_S_DRIVER_OK)
		virtio_kicks_update(v);
}

static uint16_t vector_checked(const struct virtio_pci *v, uint32_t value)
{
	return value < v->msix.vectors ? value : VIRTIO_MSI_NO_VECTOR;
}

static void write_enable(struct virtio_pci *v, uint32_t value)
{
	struct virtqueue *q = settable(v);

	if (!q || value != 1)
		return;
	q->enabled = true;
	if (virtqueue_start(q, virtio_has(v, VIRTIO_RING_F_EVENT_IDX),
			    virtio_has(v, VIRTIO_RING_F_INDIRECT_DESC)))
		virtio_broken(v, v->queue_select);
	else
		virtio_kicks_update(v);
}

static void write_half(uint64_t *address, bool high, uint32_t value)
{
	unsigned int shift = high ? 32 : 0;

	*address = (*address & ~(0xffffffffULL << shift)) | (uint64_t)value << shift;
}

/* One register, written as a whole, as drivers must (4.1.3.1). */
static void write_register(struct virtio_pci *v, unsigned int offset, uint32_t value)
{
	struct virtqueue *q = settable(v);

	switch (offset) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		v->feature_select = value;
		break;
	case VIRTIO_PCI_COMMON_GFSELECT:
		v->driver_feature_select = value;
		break;
	case VIRTIO_PCI_COMMON_GF:
		write_driver_feature(v, value);
		break;
	case VIRTIO_PCI_COMMON_MSIX:
		v->config_vector = vector_checked(v, value);
		break;
	case VIRTIO_PCI_COMMON_STATUS:
		write_status(v, value);
		break;
	case VIRTIO_PCI_COMMON_Q_SELECT:
		v->queue_select = value;
		break;
	case VIRTIO_PCI_COMMON_Q_MSIX:
		if (selected(v))
			selected(v)->vector = vector_checked(v, value);
		break;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		write_enable(v, value);
		break;
	case VIRTIO_PCI_COMMON_Q_SIZE:
		if (q)
			q->size = value;
		break;
	case VIRTIO_PCI_COMMON_Q_DESCLO:
	case VIRTIO_PCI_COMMON_Q_DESCHI:
		if (q)
			write_half(&q->desc_gpa, offset == VIRTIO_PCI_COMMON_Q_DESCHI, value);
		break;
	case VIRTIO_PCI_COMMON_Q_AVAILLO:
	case VIRTIO_PCI_COMMON_Q_AVAILHI:
		if (q)
			write_half(&q->driver_gpa, offset == VIRTIO_PCI_COMMON_Q_AVAILHI, value);
		break;
	case VIRTIO_PCI_COMMON_Q_USEDLO:
	case VIRTIO_PCI_COMMON_Q_USEDHI:
		if (q)
			write_half(&q->device_gpa, offset == VIRTIO_PCI_COMMON_Q_USEDHI, value);
		break;
	}
}

/* The widths of the registers, in their order; those that are missing cannot be written. */
static unsigned int register_size(uint64_t offset)
{
	switch (offset) {
	case VIRTIO_PCI_COMMON_STATUS:
		return 1;
	case VIRTIO_PCI_COMMON_MSIX:
	case VIRTIO_PCI_COMMON_Q_SELECT:
	case VIRTIO_PCI_COMMON_Q_SIZE:
	case VIRTIO_PCI_COMMON_Q_MSIX:
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		return 2;
	default:
		return offset % 4 || offset >= sizeof(struct virtio_pci_common_cfg) ? 0 : 4;
	}
}

void virtio_regs_write(struct virtio_pci *v, uint64_t offset, const void *data, unsigned int len)
{
	uint32_t value[2] = {0};

	if (len > sizeof(value))
		return;
	memcpy(value, data, len);
	/* The addresses of queues may be written as one. */
	if (len == 8 && offset >= VIRTIO_PCI_COMMON_Q_DESCLO && register_size(offset) == 4) {
		write_register(v, offset, value[0]);
		write_register(v, offset + 4, value[1]);
	} else if (register_size(offset) == len) {
		write_register(v, offset, value[0]);
	}
}

void virtio_regs_read(struct virtio_pci *v, uint64_t offset, void *data, unsigned int len)
{
	const struct virtqueue *q = selected(v);
	uint64_t offered = features_offered(v), driver = v->driver_features;
	struct virtio_pci_common_cfg c = {
		.device_feature_select = v->feature_select,
		.device_feature = v->feature_select < 2 ? offered >> 32 * v->feature_select : 0,
		.guest_feature_select = v->driver_feature_select,
		.guest_feature =
			v->driver_feature_select < 2 ? driver >> 32 * v->driver_feature_select : 0,
		.msix_config = v->config_vector,
		.num_queues = v->queues,
		.device_status = v->status,
		.config_generation = v->generation,
		.queue_select = v->queue_select,
	};

	if (q) {
		c.queue_size = q->size;
		c.queue_msix_vector = q->vector;
		c.queue_enable = q->enabled;
		c.queue_notify_off = v->queue_select;
		c.queue_desc_lo = q->desc_gpa;
		c.queue_desc_hi = q->desc_gpa >> 32;
		c.queue_avail_lo = q->driver_gpa;
		c.queue_avail_hi = q->driver_gpa >> 32;
		c.queue_used_lo = q->device_gpa;
		c.queue_used_hi = q->device_gpa >> 32;
	}
	memset(data, 0, len);
	if (offset < sizeof(c))
		memcpy(data, (const uint8_t *)&c + offset,
		       len < sizeof(c) - offset ? len : sizeof(c) - offset);
}
