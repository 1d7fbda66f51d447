/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's port and memory-mapped I/O, and how devices reach the guest: its RAM and its
 * interrupts. A device knows this header and nothing of KVM.
 *
 * One lock covers all devices: bus_access() holds it during a device's read() and write(), and
 * whoever calls into a device from another thread takes it with bus_lock(). A device must never
 * block while it is held.
 */
#ifndef KT_KVM_BUS_H
#define KT_KVM_BUS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct kvm_vm;
struct pci_root;

/*
 * A range of port or memory addresses and who answers there. @offset is from @base, @len is 1, 2, 4
 * or 8, and the access lies within the range. @data has the guest's byte order (little-endian) and
 * no alignment. A negative return value is only counted: the guest sees ones, or nothing happens.
 */
struct bus_device {
	const char *name;
	uint64_t base, len;
	bool mmio; /* else port I/O */
	int (*read)(void *dev, uint64_t offset, void *data, unsigned int len);
	int (*write)(void *dev, uint64_t offset, const void *data, unsigned int len);
	void *dev;
	struct bus_device *next; /* the bus's own */
};

struct bus {
	pthread_mutex_t lock; /* recursive */
	struct bus_device *ports, *mmio;
	uint64_t unclaimed; /* accesses that no device answered */
	int epoll_fd;
	struct pci_root *pci; /* pci.c's own: where functions find their root */
};

/*
 * A host descriptor that a device serves. @ready is called with the bus locked, from a thread of
 * the engine's own, while any of @events (epoll(7)) is there; EPOLLHUP and EPOLLERR always count.
 * It may change @events with bus_poll_set(), 0 to be left alone for now, even after a hang-up.
 */
struct bus_poll {
	int fd;
	uint32_t events;
	void (*ready)(void *dev, uint32_t events);
	void *dev;
};

/* Returns 0 or -errno. */
int bus_init(struct bus *bus);
void bus_destroy(struct bus *bus); /* the devices stay their owners' */

/*
 * Put @d on the bus, which keeps the pointer until bus_remove(). Returns 0, -EINVAL for an empty
 * range, or -EEXIST when a device is there already. Removing one that is not there does nothing.
 */
int bus_add(struct bus *bus, struct bus_device *d);
void bus_remove(struct bus *bus, struct bus_device *d);

/*
 * A guest's access of @len bytes. Where nobody answers, reading gives ones and writing does
 * nothing, as on a PC; so it does for an access that runs over the end of a device's range.
 */
void bus_access(struct bus *bus, bool mmio, uint64_t address, void *data, unsigned int len,
		bool write);

/* Start, change and end the watch over @p->fd; @p is the caller's and stays until its end. 0 or
 * -errno. */
int bus_poll_add(struct bus *bus, struct bus_poll *p);
int bus_poll_set(struct bus *bus, struct bus_poll *p, uint32_t events);
void bus_poll_remove(struct bus *bus, struct bus_poll *p);

/* Wait once and serve what is ready, for the engine's thread. Returns 0 or -errno. */
int bus_poll_serve(struct bus *bus);

void bus_lock(struct bus *bus);
void bus_unlock(struct bus *bus);

/*
 * The host's view of @len bytes of guest RAM at guest-physical @gpa, or NULL when they are not all
 * RAM in one piece. The guest may change them at any moment: copy, then check, then use.
 */
void *kvm_ram_at(struct kvm_vm *vm, uint64_t gpa, uint64_t len);

/* Set the level of an interrupt line of the I/O APIC (and, below 16, of the PIC). 0 or -errno. */
int kvm_irq_set(struct kvm_vm *vm, unsigned int gsi, bool level);

/* Send a message-signalled interrupt, as a PCI device writes it. 0 or -errno. */
int kvm_msi_send(struct kvm_vm *vm, uint64_t address, uint32_t data);

#endif
