/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Virtio over PCI, modern devices only (VIRTIO 1.2, 4.1): what every kind of device has. The kind
 * is a struct virtio_ops; its functions are called with the bus locked.
 */
#ifndef KT_VIRTIO_PCI_H
#define KT_VIRTIO_PCI_H

#include <stdbool.h>
#include <stdint.h>

#include "bus.h"
#include "pci.h"
#include "virtqueue.h"

#define VIRTIO_MAX_QUEUES 66

struct virtio_pci;

struct virtio_ops {
	const char *name;    /* for messages */
	uint16_t id;	     /* linux/virtio_ids.h */
	uint32_t class_code; /* PCI's */
	uint64_t features;   /* of the kind; the transport adds its own */
	/* Read @len bytes of the configuration at @offset; what lies behind it is zeroes. */
	void (*config)(void *dev, uint64_t offset, void *data, unsigned int len);
	/* All queues are gone, with what was gathered from them. Also called once at first. */
	void (*reset)(void *dev);
	/* There may be buffers in queue @n. Not called unless started, nor after it broke. */
	void (*notify)(void *dev, unsigned int n);
};

struct virtio_queue {
	struct virtqueue q;
	struct virtio_pci *v;
	/* Notifications that the engine's thread serves: fd is -1 where the vCPU does it itself. */
	struct bus_poll kick;
	uint64_t in_kernel; /* the address at which KVM raises kick.fd, or 0 */
};

struct virtio_pci {
	struct kvm_vm *vm;
	const struct virtio_ops *ops;
	void *dev;
	struct pci_function pci;
	struct msix msix;
	unsigned int queues;
	struct virtio_queue queue[VIRTIO_MAX_QUEUES];
	uint64_t driver_features;
	uint32_t feature_select, driver_feature_select;
	uint16_t queue_select, config_vector;
	uint8_t status, generation, isr;
	bool told;	     /* that the guest broke a queue */
	unsigned int window; /* capability VIRTIO_PCI_CAP_PCI_CFG in configuration space */
};

/*
 * Put a device of @queues queues on the PCI bus; @v is all zero. @size gives the most buffers of
 * each queue; a queue in @threaded (a bit each) is served by the engine's thread, the others by the
 * vCPU that notifies. 0 or -errno.
 */
int virtio_pci_init(struct virtio_pci *v, struct kvm_vm *vm, const struct virtio_ops *ops,
		    void *dev, const uint16_t *size, unsigned int queues, const bool *threaded);
void virtio_pci_destroy(struct virtio_pci *v);

/* Is queue @n in use, and has nothing broken? */
bool virtio_live(const struct virtio_pci *v, unsigned int n);
bool virtio_has(const struct virtio_pci *v, unsigned int feature);

/* The queue of that number, for virtqueue.h. */
struct virtqueue *virtio_queue(struct virtio_pci *v, unsigned int n);

/* Interrupt the guest for queue @n, if it wants that now. */
void virtio_interrupt(struct virtio_pci *v, unsigned int n);

/* Have notify() called again soon, from the engine's thread where @n is served there. */
void virtio_again(struct virtio_pci *v, unsigned int n);

/* Queue @n is broken by the guest (its reason in the queue): the device stops until its reset. */
void virtio_broken(struct virtio_pci *v, unsigned int n);

#endif
