// SPDX-License-Identifier: GPL-2.0
#include "virtio_pci.h"

#include <errno.h>
#include <linux/virtio_pci.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cleanup.h"
#include "kvm.h"
#include "virtio_regs.h"

#define VIRTIO_VENDOR	0x1af4
#define VIRTIO_DEVICE	0x1040 /* plus the kind's id */
#define VIRTIO_REVISION 1

/* BAR 0 holds the structures, a page each, BAR 1 the vectors. */
#define REGION_SIZE	0x1000u
#define NOTIFY_MULTIPLE 4

enum region {
	REGION_COMMON,
	REGION_ISR,
	REGION_DEVICE,
	REGION_NOTIFY,
	REGIONS,
};

static const struct {
	uint8_t type;
	uint32_t size;
} regions[] = {
	[REGION_COMMON] = {VIRTIO_PCI_CAP_COMMON_CFG, sizeof(struct virtio_pci_common_cfg)},
	[REGION_ISR] = {VIRTIO_PCI_CAP_ISR_CFG, 1},
	[REGION_DEVICE] = {VIRTIO_PCI_CAP_DEVICE_CFG, REGION_SIZE},
	[REGION_NOTIFY] = {VIRTIO_PCI_CAP_NOTIFY_CFG, VIRTIO_MAX_QUEUES *NOTIFY_MULTIPLE},
};

struct virtqueue *virtio_queue(struct virtio_pci *v, unsigned int n)
{
	return &v->queue[n].q;
}

/* With MSI-X the vector says it all; without, the ISR register says what INTA is about. */
static void interrupt(struct virtio_pci *v, uint16_t vector, uint8_t isr)
{
	if (msix_enabled(&v->msix)) {
		msix_send(&v->msix, vector);
		return;
	}
	v->isr |= isr;
	pci_intx(&v->pci, true);
}

void virtio_interrupt(struct virtio_pci *v, unsigned int n)
{
	if (virtqueue_must_interrupt(&v->queue[n].q))
		interrupt(v, v->queue[n].q.vector, 1);
}

void virtio_config_interrupt(struct virtio_pci *v)
{
	interrupt(v, v->config_vector, VIRTIO_PCI_ISR_CONFIG);
}

void virtio_isr_clear(struct virtio_pci *v)
{
	v->isr = 0;
	pci_intx(&v->pci, false);
}

static uint64_t notify_address(const struct virtio_pci *v, unsigned int n)
{
	return v->pci.bar[0].range.base + REGION_NOTIFY * REGION_SIZE + n * NOTIFY_MULTIPLE;
}

/* KVM raises the descriptors of the queues that are in use, where the BAR lies now. */
void virtio_kicks_update(struct virtio_pci *v)
{
	unsigned int n;

	for (n = 0; n < v->queues; n++) {
		struct virtio_queue *q = &v->queue[n];
		bool on = q->kick.fd >= 0 && v->pci.bar[0].mapped && virtio_live(v, n);
		uint64_t at = on ? notify_address(v, n) : 0;

		if (q->in_kernel == at)
			continue;
		if (q->in_kernel)
			kvm_ioeventfd(v->vm, true, q->in_kernel, 2, q->kick.fd, false);
		q->in_kernel = at && !kvm_ioeventfd(v->vm, true, at, 2, q->kick.fd, true) ? at : 0;
	}
}

void virtio_again(struct virtio_pci *v, unsigned int n)
{
	if (v->queue[n].kick.fd >= 0)
		eventfd_write(v->queue[n].kick.fd, 1);
}

static void kicked(void *dev, uint32_t events)
{
	struct virtio_queue *q = dev;
	unsigned int n = q - q->v->queue;
	eventfd_t count;

	(void)events;
	if (!eventfd_read(q->kick.fd, &count) && virtio_live(q->v, n))
		q->v->ops->notify(q->v->dev, n);
}

/* A notification that has reached the bus. */
static void kick(struct virtio_pci *v, uint64_t n)
{
	if (!virtio_live(v, n))
		return;
	if (v->queue[n].kick.fd >= 0)
		virtio_again(v, n);
	else
		v->ops->notify(v->dev, n);
}

static int bar_read(void *dev, uint64_t offset, void *data, unsigned int len)
{
	struct virtio_pci *v = dev;
	uint64_t at = offset % REGION_SIZE;

	memset(data, 0, len);
	switch (offset / REGION_SIZE) {
	case REGION_COMMON:
		virtio_regs_read(v, at, data, len);
		break;
	case REGION_ISR:
		if (at)
			break;
		*(uint8_t *)data = v->isr;
		virtio_isr_clear(v);
		break;
	case REGION_DEVICE:
		v->ops->config(v->dev, at, data, len);
		break;
	}
	return 0;
}

static int bar_write(void *dev, uint64_t offset, const void *data, unsigned int len)
{
	struct virtio_pci *v = dev;
	uint64_t at = offset % REGION_SIZE;

	switch (offset / REGION_SIZE) {
	case REGION_COMMON:
		virtio_regs_write(v, at, data, len);
		break;
	case REGION_NOTIFY:
		/* The place tells the queue; what is written there repeats it. */
		if (at % NOTIFY_MULTIPLE == 0)
			kick(v, at / NOTIFY_MULTIPLE);
		break;
	}
	return 0;
}

/*
 * The window on the BARs in configuration space (4.1.4.9): where it looks is in the capability
 * before the data. Returns the bus range to ask, or NULL.
 */
static const struct bus_device *window(struct virtio_pci *v, unsigned int offset, unsigned int len,
				       uint32_t *at, uint32_t *size)
{
	const uint8_t *cap = v->pci.config + v->window;
	unsigned int data = v->window + sizeof(struct virtio_pci_cap);
	const struct bus_device *range;

	if (offset + len <= data || offset >= data + 4)
		return NULL;
	*at = pci_get32(cap + VIRTIO_PCI_CAP_OFFSET);
	*size = pci_get32(cap + VIRTIO_PCI_CAP_LENGTH);
	if (cap[VIRTIO_PCI_CAP_BAR] > 1 || (*size != 1 && *size != 2 && *size != 4) || *at % *size)
		return NULL;
	range = &v->pci.bar[cap[VIRTIO_PCI_CAP_BAR]].range;
	return *at < range->len ? range : NULL;
}

static void config_reading(struct pci_function *f, unsigned int offset, unsigned int len)
{
	struct virtio_pci *v = f->owner;
	uint8_t *data = f->config + v->window + sizeof(struct virtio_pci_cap);
	uint32_t at, size;
	const struct bus_device *range = window(v, offset, len, &at, &size);

	if (range)
		range->read(range->dev, at, data, size);
}

static void config_written(struct pci_function *f, unsigned int offset, unsigned int len)
{
	struct virtio_pci *v = f->owner;
	const uint8_t *data = f->config + v->window + sizeof(struct virtio_pci_cap);
	uint32_t at, size;
	const struct bus_device *range = window(v, offset, len, &at, &size);

	if (range)
		range->write(range->dev, at, data, size);
	msix_config_written(&v->msix);
	/* A function does not use both kinds of interrupts (6.8.3.3 of PCI 3.0). */
	if (msix_enabled(&v->msix))
		pci_intx(f, false);
}

static void bar_mapped(struct pci_function *f, unsigned int bar)
{
	if (bar == 0)
		virtio_kicks_update(f->owner);
}

static const struct pci_function_ops pci_ops = {
	.config_written = config_written,
	.config_reading = config_reading,
	.bar_mapped = bar_mapped,
};

static void add_capabilities(struct virtio_pci *v)
{
	unsigned int i, at, len, window_len = sizeof(struct virtio_pci_cfg_cap);
	struct pci_function *f = &v->pci;

	for (i = 0; i < REGIONS; i++) {
		len = i == REGION_NOTIFY ? sizeof(struct virtio_pci_notify_cap)
					 : sizeof(struct virtio_pci_cap);
		at = pci_add_capability(f, PCI_CAP_ID_VNDR, len);
		f->config[at + VIRTIO_PCI_CAP_LEN] = len;
		f->config[at + VIRTIO_PCI_CAP_CFG_TYPE] = regions[i].type;
		pci_put32(f->config + at + VIRTIO_PCI_CAP_OFFSET, i * REGION_SIZE);
		pci_put32(f->config + at + VIRTIO_PCI_CAP_LENGTH, regions[i].size);
		if (i == REGION_NOTIFY)
			pci_put32(f->config + at + VIRTIO_PCI_NOTIFY_CAP_MULT, NOTIFY_MULTIPLE);
	}
	at = v->window = pci_add_capability(f, PCI_CAP_ID_VNDR, window_len);
	f->config[at + VIRTIO_PCI_CAP_LEN] = window_len;
	f->config[at + VIRTIO_PCI_CAP_CFG_TYPE] = VIRTIO_PCI_CAP_PCI_CFG;
	f->writable[at + VIRTIO_PCI_CAP_BAR] = 0xff;
	memset(f->writable + at + VIRTIO_PCI_CAP_OFFSET, 0xff, window_len - VIRTIO_PCI_CAP_OFFSET);
}

static int add_queue(struct virtio_pci *v, unsigned int n, uint16_t size, bool threaded)
{
	struct virtio_queue *q = &v->queue[n];

	q->v = v;
	q->q.vm = v->vm;
	q->q.max_size = size;
	q->kick = (struct bus_poll){.fd = -1, .events = EPOLLIN, .ready = kicked, .dev = q};
	if (!threaded)
		return 0;
	q->kick.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return q->kick.fd < 0 ? -errno : bus_poll_add(kvm_bus(v->vm), &q->kick);
}

int virtio_pci_init(struct virtio_pci *v, struct kvm_vm *vm, const struct virtio_ops *ops,
		    void *dev, const uint16_t *size, unsigned int queues, const bool *threaded)
{
	const struct pci_ids ids = {
		.vendor = VIRTIO_VENDOR,
		.device = VIRTIO_DEVICE + ops->id,
		.subvendor = VIRTIO_VENDOR,
		.subdevice = VIRTIO_DEVICE + ops->id,
		.class_code = ops->class_code,
		.revision = VIRTIO_REVISION,
	};
	const struct bus_device range = {.name = ops->name,
					 .len = REGIONS * REGION_SIZE,
					 .read = bar_read,
					 .write = bar_write,
					 .dev = v};
	int err = 0;

	v->vm = vm;
	v->ops = ops;
	v->dev = dev;
	v->pci.ops = &pci_ops;
	v->pci.owner = v;
	while (v->queues < queues && !err) {
		err = add_queue(v, v->queues, size[v->queues], threaded[v->queues]);
		v->queues++;
	}
	pci_function_init(&v->pci, &ids);
	pci_add_bar(&v->pci, 0, &range);
	msix_init(&v->msix, &v->pci, queues + 1, 1);
	add_capabilities(v);
	virtio_reset(v);
	err = err ?: pci_add(vm, &v->pci);
	if (err)
		virtio_pci_destroy(v);
	return err;
}

void virtio_pci_destroy(struct virtio_pci *v)
{
	unsigned int n;

	pci_remove(&v->pci);
	for (n = 0; n < v->queues; n++) {
		if (v->queue[n].kick.fd < 0)
			continue;
		bus_poll_remove(kvm_bus(v->vm), &v->queue[n].kick);
		cleanup_closep(&v->queue[n].kick.fd);
	}
	v->queues = 0;
}
