// SPDX-License-Identifier: GPL-2.0
/* The machine on /dev/kvm, in this process: kvm/ has its parts. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "kvm/apic_id.h"
#include "kvm/platform.h"
#include "kvm/state.h"

static void error_set(struct kvm_vm *vm, const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) < 0)
		return;
	pthread_mutex_lock(&vm->lock);
	if (vm->engine->error)
		free(text);
	else
		vm->engine->error = text;
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

static int vm_open(struct kvm_vm *vm)
{
	int size;

	vm->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm_fd < 0)
		return kvm_error(vm, -errno, "/dev/kvm: %s", strerror(errno));
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

static int engine_create(struct engine *e, const struct engine_config *c)
{
	struct kvm_vm *vm = xcalloc(1, sizeof(*vm));
	int err;

	e->state = vm;
	vm->engine = e;
	vm->config = c;
	vm->kvm_fd = vm->vm_fd = vm->bus_end.fd = -1;
	pthread_mutex_init(&vm->lock, NULL);
	pthread_cond_init(&vm->parked_cond, NULL);
	pthread_cond_init(&vm->thaw_cond, NULL);
	e->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	e->watch_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (e->event_fd < 0 || e->watch_fd < 0)
		return kvm_error(vm, -errno, "eventfd: %s", strerror(errno));
	/* The kernel is copied while the rest is made. */
	err = kvm_memory_map(vm);
	if (!err)
		err = kvm_boot_load(vm);
	if (!err)
		err = vm_open(vm);
	if (!err)
		kvm_tune_vm(vm);
	if (!err)
		err = kvm_memory_slots(vm);
	if (!err)
		err = devices_init(vm);
	if (!err)
		err = kvm_vcpus_init(vm);
	return err;
}

/* All threads are there, and none has run the guest: tell who wants to know. */
static int threads_tell(struct kvm_vm *vm)
{
	const struct engine_config *c = vm->config;
	_cleanup_free_ pid_t *tids = xcalloc(vm->n_cpus, sizeof(*tids));
	pid_t service[] = {getpid(), 0};
	struct engine_threads t = {.vcpu = tids,
				   .n_vcpus = vm->n_cpus,
				   .service = service,
				   .n_service = ARRAY_SIZE(service)};
	unsigned int i;
	int err;

	if (!c->ready)
		return 0;
	pthread_mutex_lock(&vm->lock);
	while (!vm->bus_tid)
		pthread_cond_wait(&vm->parked_cond, &vm->lock);
	service[1] = vm->bus_tid;
	pthread_mutex_unlock(&vm->lock);
	for (i = 0; i < vm->n_cpus; i++)
		tids[i] = vm->cpus[i].tid;
	err = c->ready(c->ready_arg, &t);
	return err ? kvm_error(vm, err, "the VM's threads: %s", strerror(-err)) : 0;
}

static int engine_boot(struct engine *e)
{
	struct kvm_vm *vm = e->state;
	int err = load_finish(vm);

	if (err)
		return kvm_error(vm, err, "kernel and initramfs: %s", strerror(-err));
	err = -pthread_create(&vm->bus_thread, NULL, bus_thread, vm);
	if (err)
		return kvm_error(vm, err, "thread of the devices: %s", strerror(-err));
	vm->bus_started = true;
	err = kvm_vcpus_start(vm);
	if (err)
		return err;
	kvm_vcpus_park(vm); /* they begin like this: wait until they are */
	err = threads_tell(vm);
	if (!err)
		kvm_vcpus_unpark(vm);
	return err;
}

/* The bus is taken too: no device changes guest memory while it is looked at. */
static int engine_freeze(struct engine *e)
{
	struct kvm_vm *vm = e->state;

	if (vm->frozen)
		return 0;
	kvm_vcpus_park(vm);
	bus_lock(&vm->bus);
	vm->frozen = true;
	return 0;
}

static int engine_thaw(struct engine *e)
{
	struct kvm_vm *vm = e->state;

	if (!vm->frozen)
		return 0;
	if (vm->n_hits) { /* of a second vCPU: it is told before any goes on */
		eventfd_write(e->watch_fd, 1);
		return 0;
	}
	vm->frozen = false;
	bus_unlock(&vm->bus);
	kvm_vcpus_unpark(vm);
	return 0;
}

static int engine_registers(struct engine *e, unsigned int cpu, struct engine_registers *r)
{
	struct kvm_vm *vm = e->state;

	if (cpu >= vm->n_made || !vm->frozen)
		return -EINVAL;
	return kvm_vcpu_registers(&vm->cpus[cpu], r);
}

static int engine_watch(struct engine *e, uint64_t address, unsigned int len, bool on)
{
	return kvm_watch(e->state, address, len, on);
}

static bool engine_hit(struct engine *e, struct engine_hit *hit)
{
	struct kvm_vm *vm = e->state;
	eventfd_t n;

	eventfd_read(e->watch_fd, &n);
	if (!vm->n_hits)
		return false;
	engine_freeze(e);
	return kvm_watch_take(vm, hit);
}

static void engine_stop(struct engine *e)
{
	kvm_end(e->state, ENGINE_STOPPED);
}

/* End all threads, then the devices: their descriptors close, and who reads from them sees it. */
static void vm_quiesce(struct kvm_vm *vm)
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
}

static enum engine_end engine_wait(struct engine *e)
{
	struct kvm_vm *vm = e->state;
	enum engine_end end;

	pthread_mutex_lock(&vm->lock);
	end = vm->end;
	pthread_mutex_unlock(&vm->lock);
	if (end != ENGINE_RUNNING)
		vm_quiesce(vm);
	return end;
}

static void engine_destroy(struct engine *e)
{
	struct kvm_vm *vm = e->state;

	if (!vm)
		return;
	load_finish(vm);
	vm_quiesce(vm);
	kvm_vcpus_destroy(vm);
	irqchip_destroy(vm);
	if (vm->have_bus)
		bus_destroy(&vm->bus);
	cleanup_closep(&vm->bus_end.fd);
	cleanup_closep(&vm->vm_fd);
	cleanup_closep(&vm->kvm_fd);
	kvm_memory_unmap(vm);
	cleanup_closep(&e->event_fd);
	cleanup_closep(&e->watch_fd);
	pthread_cond_destroy(&vm->parked_cond);
	pthread_cond_destroy(&vm->thaw_cond);
	pthread_mutex_destroy(&vm->lock);
	free(e->error);
	free(vm);
}

static void engine_describe(const struct engine_config *c, FILE *out)
{
	const struct machine *m = c->machine;
	_cleanup_free_ char *topology = topology_format(&m->topology);
	bool wide = apic_id_max(&m->topology) > APIC_ID_MAX_8BIT;
	unsigned int i;

	fprintf(out, "kvm: %u CPUs (%s), APIC ids up to %u, %s\n", topology_cpus(&m->topology),
		topology, apic_id_max(&m->topology),
		wide ? "split interrupt controller with x2APIC" : "interrupt controllers in KVM");
	for (i = 0; i < m->nodes; i++)
		fprintf(out, "memory of node %u: %llu MiB\n", i,
			(unsigned long long)m->node_memory[i] >> 20);
	fprintf(out, "kernel: %s\ncommand line: %s\n", c->kernel, c->cmdline);
}

const struct engine_ops engine_kvm_ops = {
	.name = "kvm",
	.create = engine_create,
	.boot = engine_boot,
	.freeze = engine_freeze,
	.thaw = engine_thaw,
	.registers = engine_registers,
	.watch = engine_watch,
	.hit = engine_hit,
	.stop = engine_stop,
	.wait = engine_wait,
	.destroy = engine_destroy,
	.ram_below_4g = kvm_ram_below_4g,
	.describe = engine_describe,
};
