// SPDX-License-Identifier: GPL-2.0
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../guests/io.h"
#include "cleanup.h"
#include "diag.h"

#define KICKS_MAX 128
#define SERVE_MAX 10000

struct kvm_vm {
	struct rig *rig;
	struct engine_config config;
	struct bus bus;
	struct kvm_devices devices;
	uint8_t *low, *high; /* RAM */
	struct {
		uint64_t address;
		int fd;
	} kick[KICKS_MAX];
	unsigned int kicks;
	bool has_console;
};

static struct kvm_vm *machine;

const struct engine_config *kvm_config(const struct kvm_vm *vm)
{
	return &vm->config;
}

struct bus *kvm_bus(struct kvm_vm *vm)
{
	return &vm->bus;
}

void *kvm_ram_at(struct kvm_vm *vm, uint64_t gpa, uint64_t len)
{
	uint64_t end = gpa < RIG_SPLIT ? RIG_SPLIT : RIG_RAM;

	if (gpa > end || len > end - gpa)
		return NULL;
	return gpa < RIG_SPLIT ? vm->low + gpa : vm->high + (gpa - RIG_SPLIT);
}

int kvm_irq_set(struct kvm_vm *vm, unsigned int gsi, bool level)
{
	if (gsi >= RIG_LINES)
		abort();
	vm->rig->raised[gsi] += level && !vm->rig->line[gsi];
	vm->rig->line[gsi] = level;
	return 0;
}

int kvm_msi_send(struct kvm_vm *vm, uint64_t address, uint32_t data)
{
	vm->rig->messages++;
	vm->rig->message_address = address;
	vm->rig->message_data = data;
	return 0;
}

void kvm_power_off(struct kvm_vm *vm)
{
	vm->rig->powered_off = true;
}

void kvm_fail(struct kvm_vm *vm, const char *fmt, ...)
{
	(void)vm;
	(void)fmt;
	abort(); /* no guest may make a device break the run */
}

/* As KVM: the same address and descriptor come and go in pairs. */
int kvm_ioeventfd(struct kvm_vm *vm, bool mmio, uint64_t address, unsigned int len, int fd, bool on)
{
	unsigned int i;

	(void)len;
	if (!vm->rig->in_kernel)
		return -ENOSYS;
	for (i = 0; i < vm->kicks && (vm->kick[i].address != address || vm->kick[i].fd != fd); i++)
		;
	if (on == (i < vm->kicks) || i == KICKS_MAX)
		abort();
	if (!on) {
		vm->kick[i] = vm->kick[--vm->kicks];
		return 0;
	}
	vm->kick[vm->kicks].address = address;
	vm->kick[vm->kicks++].fd = fd;
	(void)mmio;
	return 0;
}

void rig_open(struct rig *r, int console)
{
	const char *failed = NULL;
	int pair[2];

	machine = xcalloc(1, sizeof(*machine));
	r->vm = machine;
	machine->rig = r;
	machine->low =
		mmap(NULL, RIG_SPLIT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	machine->high = mmap(NULL, RIG_RAM - RIG_SPLIT, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	r->console = console < 0 ? memfd_create("console", MFD_CLOEXEC) : dup(console);
	if (machine->low == MAP_FAILED || machine->high == MAP_FAILED || r->console < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) || bus_init(&machine->bus))
		abort();
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	r->channel = pair[0];
	machine->config.channel = pair[1];
	machine->config.console = r->console;
	if (kvm_devices_init(&machine->devices, machine, &failed))
		abort();
	machine->has_console = true;
	close(pair[1]);
}

int rig_console_ports(const struct console_port *ports, unsigned int n)
{
	struct kvm_devices *d = &machine->devices;
	int err;

	/* It is the last of them. */
	if (machine->has_console)
		kvm_virtio_console.destroy(d->dev[--d->made]);
	err = virtio_console_create(machine, ports, n, &d->dev[d->made]);
	machine->has_console = !err;
	d->made += !err;
	return err;
}

void rig_close(struct rig *r)
{
	kvm_devices_destroy(&machine->devices);
	if (machine->kicks || machine->bus.ports || machine->bus.mmio || machine->bus.pci)
		abort(); /* something was left behind */
	bus_destroy(&machine->bus);
	munmap(machine->low, RIG_SPLIT);
	munmap(machine->high, RIG_RAM - RIG_SPLIT);
	close(r->console);
	if (r->channel >= 0)
		close(r->channel);
	free(machine);
	machine = NULL;
}

void rig_serve(void)
{
	unsigned int i;

	for (i = 0; i < SERVE_MAX; i++) {
		struct pollfd p = {.fd = machine->bus.epoll_fd, .events = POLLIN};

		if (poll(&p, 1, 0) <= 0)
			return;
		if (bus_poll_serve(&machine->bus))
			abort();
	}
}

char *rig_console(struct rig *r)
{
	off_t size = lseek(r->console, 0, SEEK_END);
	char *text = xcalloc(1, size + 1);

	if (pread(r->console, text, size, 0) != size)
		abort();
	return text;
}

uint32_t port_in(uint16_t port, unsigned int len)
{
	uint32_t value = 0;

	bus_access(&machine->bus, false, port, &value, len, false);
	return value;
}

void port_out(uint16_t port, uint32_t value, unsigned int len)
{
	bus_access(&machine->bus, false, port, &value, len, true);
}

uint32_t mmio_in(uint32_t address, unsigned int len)
{
	uint32_t value = 0;

	bus_access(&machine->bus, true, address, &value, len, false);
	return value;
}

void mmio_out(uint32_t address, uint32_t value, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < machine->kicks; i++) {
		if (machine->kick[i].address == address && len == 2) {
			eventfd_write(machine->kick[i].fd, 1);
			return;
		}
	}
	bus_access(&machine->bus, true, address, &value, len, true);
}

/* What is not RAM is nowhere for the test's own drivers. */
void *ram(uint32_t gpa)
{
	void *p = kvm_ram_at(machine, gpa, 1);

	if (!p)
		abort();
	return p;
}

void io_pause(void)
{
	rig_serve();
}
