/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kvm engine gives to its devices, beside bus.h, and what it wants of them. A device is a
 * file with a struct kvm_device, and a line in the table of devices.c.
 */
#ifndef KT_KVM_H
#define KT_KVM_H

#include <stdbool.h>
#include <stdint.h>

#include "../engine.h"
#include "bus.h"

struct kvm_vm;

/*
 * A kind of device. @init is called once, before the first instruction of the guest, in the order
 * of the table and from the main thread; it puts its ranges on the bus (kvm_bus()) and its state
 * into *@dev. 0 or -errno, and then it has left nothing behind: the engine says which device failed
 * and why. @destroy (may be NULL) is called in reverse order when no other thread runs any more,
 * not even the one that serves bus_poll; the bus is still there.
 */
struct kvm_device {
	const char *name;
	int (*init)(struct kvm_vm *vm, void **dev);
	void (*destroy)(void *dev);
};

extern const struct kvm_device kvm_serial;  /* serial.c: 16550 at PORT_COM1 */
extern const struct kvm_device kvm_i8042;   /* i8042.c: reset by the keyboard controller */
extern const struct kvm_device kvm_acpi_pm; /* acpi_pm.c: PM1 and PM timer */
extern const struct kvm_device kvm_rtc;	    /* rtc.c: CMOS clock at 0x70 */
extern const struct kvm_device kvm_post;    /* post.c: port 0x80 */
extern const struct kvm_device kvm_pci; /* pci.c: the root, reset register; before what is on it */
extern const struct kvm_device kvm_virtio_console; /* virtio_console.c: the channel */

/*
 * The machine and the caller's descriptors (console: append what the guest writes; channel: the
 * end of a stream socket for the port "kt"). Stays until the end; the descriptors are the caller's
 * to close only after the engine has made its devices: a device that keeps one duplicates it.
 */
const struct engine_config *kvm_config(const struct kvm_vm *vm);

struct bus *kvm_bus(struct kvm_vm *vm);

/*
 * End the VM: the guest has powered itself off or reset itself (both are the end of a run), or it,
 * or we, broke in a way that @fmt says in a phrase. From any thread, locked or not; the first one
 * counts, and the vCPUs stop soon after.
 */
void kvm_power_off(struct kvm_vm *vm);
void kvm_fail(struct kvm_vm *vm, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Let writes of @len bytes (1, 2, 4; 0: of any size, memory only) at @address raise the eventfd @fd
 * without leaving the kernel, instead of reaching the bus, or (@on false) no longer. 0 or -errno;
 * a device must work without, too.
 */
int kvm_ioeventfd(struct kvm_vm *vm, bool mmio, uint64_t address, unsigned int len, int fd,
		  bool on);

/* The devices of the table: make them, end them. */
struct kvm_devices {
	void **dev; /* by row */
	unsigned int made;
};

/* 0 or -errno with *@failed the name of the device. */
int kvm_devices_init(struct kvm_devices *d, struct kvm_vm *vm, const char **failed);
void kvm_devices_destroy(struct kvm_devices *d);

#endif
