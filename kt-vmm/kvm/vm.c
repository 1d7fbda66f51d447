// SPDX-License-Identifier: GPL-2.0
/* The VM as a whole: made, started, stopped and ended. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "platform.h"
#include "state.h"

static void error_set(struct kvm_vm *vm, const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) < 0)
		return;
	pthread_mutex_lock(&vm->lock);
	if (vm->error)
		free(text);
	else
		vm->error = text;
	pthread_mutex_unlock(&vm->lock);
}

int kvm_error(struct kvm_vm *vm, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	error_set(vm, fmt, ap);
	va_end(ap);
	return err;
}

void kvm_fail(struct kvm_vm *vm, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	error_set(vm, fmt, ap);
	va_end(ap);
	kvm_end(vm, ENGINE_FAILED);
}

void kvm_crash(struct kvm_vm *vm, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	error_set(vm, fmt, ap);
	va_end(ap);
	kvm_end(vm, ENGINE_CRASHED);
}

void kvm_power_off(struct kvm_vm *vm)
{
	kvm_end(vm, ENGINE_POWER_OFF);
}

const struct engine_config *kvm_config(const struct kvm_vm *vm)
{
	return vm->config;
}

struct bus *kvm_bus(struct kvm_vm *vm)
{
	return &vm->bus;
}

static int vm_make(struct kvm_vm *vm)
{
	int size;

	vm->vm_fd = ioctl(vm->kvm_fd, KVM_CREATE_VM, 0);
	if (vm->vm_fd < 0)
		return kvm_error(vm, -errno, "KVM_CREATE_VM: %s", strerror(errno));
	size = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (size < (int)sizeof(struct kvm_run))
		return kvm_error(vm, -EINVAL, "KVM_GET_VCPU_MMAP_SIZE: %d", size);
	vm->run_size = size;
	/* Three pages that KVM needs on some Intel hosts, and one for real mode. */
	if (ioctl(vm->vm_fd, KVM_SET_TSS_ADDR, KVM_TSS_BASE) ||
	    ioctl(vm->vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &(uint64_t){KVM_IDENTITY}))
		return kvm_error(vm, -errno, "KVM_SET_TSS_ADDR: %s", strerror(errno));
	return 0;
}

static void bus_end_ready(void *dev, uint32_t events)
{
	struct kvm_vm *vm = dev;

	(void)events;
	vm->bus_ending = true;
}

static void *bus_thread(void *arg)
{
	struct kvm_vm *vm = arg;
	sigset_t set;
	int err = 0;

	sigfillset(&set);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
	prctl(PR_SET_NAME, "devices");
	pthread_mutex_lock(&vm->lock);
	vm->bus_tid = gettid();
	pthread_cond_broadcast(&vm->parked_cond);
	pthread_mutex_unlock(&vm->lock);
	while (!vm->bus_ending && (!err || err == -EINTR))
		err = bus_poll_serve(&vm->bus);
	if (err)
		kvm_fail(vm, "waiting for the devices' descriptors: %s", strerror(-err));
	return NULL;
}

static int devices_init(struct kvm_vm *vm)
{
	const char *failed = NULL;
	int err = bus_init(&vm->bus);

	vm->have_bus = true;
	vm->bus_end = (struct bus_poll){
		.fd = eventfd(0, EFD_CLOEXEC), .events = 1, .ready = bus_end_ready, .dev = vm};
	if (!err)
		err = vm->bus_end.fd < 0 ? -errno : bus_poll_add(&vm->bus, &vm->bus_end);
	if (err)
		return kvm_error(vm, err, "the bus: %s", strerror(-err));
	err = irqchip_init(vm);
	if (err)
		return err;
	err = kvm_devices_init(&vm->devices, vm, &failed);
	return err ? kvm_error(vm, err, "device %s: %s", failed, strerror(-err)) : 0;
}

int kvm_vm_create(struct kvm_vm *vm, const struct engine_config *c, int watch_fd)
{
	int err;

	*vm = (struct kvm_vm){.config = c, .kvm_fd = -1, .vm_fd = -1, .watch_fd = watch_fd};
	pthread_mutex_init(&vm->lock, NULL);
	pthread_cond_init(&vm->parked_cond, NULL);
	pthread_cond_init(&vm->thaw_cond, NULL);
	vm->end_fd = eventfd(0, EFD_CLOEXEC);
	if (vm->end_fd < 0)
		return kvm_error(vm, -errno, "eventfd: %s", strerror(errno));
	vm->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm_fd < 0)
		return kvm_error(vm, -errno, "/dev/kvm: %s", strerror(errno));
	/* The kernel is copied while the rest is made. */
	err = kvm_memory_map(vm);
	if (!err)
		err = kvm_boot_load(vm);
	if (!err)
		err = vm_make(vm);
	if (!err)
		kvm_tune_vm(vm);
	if (!err)
		err = kvm_memory_slots(vm);
	if (!err)
		err = devices_init(vm);
	if (!err)
		err = kvm_vcpus_init(vm);
	cleanup_closep(&vm->kvm_fd); /* the rest goes through the VM and its vCPUs */
	return err;
}

int kvm_vm_start(struct kvm_vm *vm)
{
	int err = -pthread_create(&vm->bus_thread, NULL, bus_thread, vm);

	if (err)
		return kvm_error(vm, err, "thread of the devices: %s", strerror(-err));
	vm->bus_started = true;
	err = kvm_vcpus_start(vm);
	if (err)
		return err;
	pthread_mutex_lock(&vm->lock);
	while (!vm->bus_tid)
		pthread_cond_wait(&vm->parked_cond, &vm->lock);
	pthread_mutex_unlock(&vm->lock);
	err = load_ready(vm);
	return err ? kvm_error(vm, err, "kernel and initramfs: %s", strerror(-err)) : 0;
}

/* The bus is taken too: no device changes guest memory while it is looked at. */
void kvm_vm_freeze(struct kvm_vm *vm)
{
	if (vm->frozen)
		return;
	kvm_vcpus_park(vm);
	bus_lock(&vm->bus);
	kvm_clock_stop(vm);
	vm->frozen = true;
}

void kvm_vm_thaw(struct kvm_vm *vm)
{
	if (!vm->frozen)
		return;
	if (vm->n_hits) { /* of a second vCPU: it is told before any goes on */
		eventfd_write(vm->watch_fd, 1);
		return;
	}
	vm->frozen = false;
	kvm_clock_go(vm);
	bus_unlock(&vm->bus);
	kvm_vcpus_unpark(vm);
}

int kvm_vm_registers(struct kvm_vm *vm, unsigned int cpu, struct engine_registers *r)
{
	if (cpu >= vm->n_made || !vm->frozen)
		return -EINVAL;
	return kvm_vcpu_registers(&vm->cpus[cpu], r);
}

bool kvm_vm_hit(struct kvm_vm *vm, struct engine_hit *hit)
{
	if (!vm->n_hits)
		return false;
	kvm_vm_freeze(vm);
	return kvm_watch_take(vm, hit);
}

enum engine_end kvm_vm_quiesce(struct kvm_vm *vm)
{
	if (vm->frozen)
		bus_unlock(&vm->bus);
	vm->frozen = false;
	kvm_vcpus_stop(vm);
	if (vm->bus_started) {
		eventfd_write(vm->bus_end.fd, 1);
		pthread_join(vm->bus_thread, NULL);
	}
	vm->bus_started = false;
	kvm_devices_destroy(&vm->devices);
	return vm->end;
}
