// SPDX-License-Identifier: GPL-2.0
/*
 * vCPUs: one thread each, which runs the guest, serves its accesses and parks when it is told to. A
 * thread is told by immediate_exit and a signal, and parks only when KVM_RUN has come back with
 * EINTR: then the access that was served last is complete, and the registers are what the guest
 * will go on with.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "apic_id.h"
#include "cleanup.h"
#include "cpuid.h"
#include "diag.h"
#include "state.h"

#define KICK_SIGNAL SIGRTMIN

static void kick_handler(int sig)
{
	(void)sig; /* its arrival is all that is wanted: KVM_RUN returns */
}

/* With the lock held. */
static void all_kick(struct kvm_vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->n_made; i++) {
		struct kvm_vcpu *v = &vm->cpus[i];

		if (!v->started || v->parked)
			continue;
		__atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
		pthread_kill(v->thread, KICK_SIGNAL);
	}
}

void kvm_end(struct kvm_vm *vm, enum engine_end end)
{
	pthread_mutex_lock(&vm->lock);
	if (vm->end == ENGINE_RUNNING) {
		vm->end = end;
		vm->stopping = true;
		all_kick(vm);
		pthread_cond_broadcast(&vm->thaw_cond);
		pthread_cond_broadcast(&vm->parked_cond);
		eventfd_write(vm->end_fd, 1);
	}
	pthread_mutex_unlock(&vm->lock);
}

/* Stand still while it is asked for. Returns false when the thread is to end. */
static bool vcpu_pause(struct kvm_vcpu *v)
{
	struct kvm_vm *vm = v->vm;
	bool go_on;

	pthread_mutex_lock(&vm->lock);
	while (vm->freezing && !vm->stopping) {
		if (!v->parked) {
			v->parked = true;
			vm->n_parked++;
			pthread_cond_signal(&vm->parked_cond);
		}
		pthread_cond_wait(&vm->thaw_cond, &vm->lock);
	}
	if (v->parked) {
		v->parked = false;
		vm->n_parked--;
	}
	__atomic_store_n(&v->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
	go_on = !vm->stopping;
	pthread_mutex_unlock(&vm->lock);
	return go_on;
}

static void port_access(struct kvm_vcpu *v)
{
	struct kvm_run *run = v->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	uint32_t i;

	for (i = 0; i < run->io.count; i++, data += run->io.size)
		bus_access(&v->vm->bus, false, run->io.port, data, run->io.size,
			   run->io.direction == KVM_EXIT_IO_OUT);
}

/* KVM_EXIT_INTERNAL_ERROR: what KVM could not do, and where. */
static void internal_error(struct kvm_vcpu *v, const char *where)
{
	struct kvm_run *run = v->run;
	char bytes[64] = "";
	unsigned int i, n;

	if (run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION) {
		n = run->emulation_failure.ndata >= 3 &&
				    run->emulation_failure.flags &
					    KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES
			    ? run->emulation_failure.insn_size
			    : 0;
		for (i = 0; i < n && i < 15; i++)
			snprintf(bytes + 3 * i, sizeof(bytes) - 3 * i, " %02x",
				 run->emulation_failure.insn_bytes[i]);
		kvm_fail(v->vm,
			 "this host's KVM cannot execute an instruction of the guest: "
			 "vCPU %u at %s%s%s",
			 v->index, where, n ? ", bytes" : "", bytes);
	} else {
		kvm_fail(v->vm, "KVM_EXIT_INTERNAL_ERROR, suberror %u: vCPU %u at %s",
			 run->internal.suberror, v->index, where);
	}
}

/* The guest, or KVM, cannot go on with this vCPU. */
static void vcpu_broken(struct kvm_vcpu *v)
{
	_cleanup_free_ char *where = NULL;
	struct kvm_run *run = v->run;
	struct engine_registers r;

	if (kvm_vcpu_registers(v, &r))
		where = xstrdup("unknown registers");
	else
		where = xasprintf("rip 0x%llx, cr2 0x%llx, cr3 0x%llx", (unsigned long long)r.rip,
				  (unsigned long long)r.cr2, (unsigned long long)r.cr3);
	switch (run->exit_reason) {
	case KVM_EXIT_SHUTDOWN:
		kvm_crash(v->vm, "triple fault of vCPU %u at %s", v->index, where);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		internal_error(v, where);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		kvm_fail(v->vm,
			 "the host's CPU refused to enter the guest (reason 0x%llx): vCPU "
			 "%u at %s",
			 (unsigned long long)run->fail_entry.hardware_entry_failure_reason,
			 v->index, where);
		break;
	default:
		kvm_fail(v->vm, "unexpected exit %u of KVM_RUN: vCPU %u at %s", run->exit_reason,
			 v->index, where);
	}
}

static void exit_serve(struct kvm_vcpu *v)
{
	struct kvm_run *run = v->run;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		port_access(v);
		break;
	case KVM_EXIT_MMIO:
		bus_access(&v->vm->bus, true, run->mmio.phys_addr, run->mmio.data, run->mmio.len,
			   run->mmio.is_write);
		break;
	case KVM_EXIT_IOAPIC_EOI:
		irqchip_eoi(v->vm, run->eoi.vector);
		break;
	case KVM_EXIT_DEBUG:
		kvm_watch_exit(v);
		break;
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		break;
	default:
		vcpu_broken(v);
	}
}

static void *vcpu_thread(void *arg)
{
	struct kvm_vcpu *v = arg;
	size_t stages = 0;
	char name[16]; /* for top(1) and tracers */
	sigset_t set;

	sigfillset(&set);
	sigdelset(&set, KICK_SIGNAL);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
	v->tid = gettid();
	snprintf(name, sizeof(name), "vcpu/%u", v->index);
	prctl(PR_SET_NAME, name);
	if (!vcpu_pause(v)) /* until all is ready */
		return NULL;
	for (;;) {
		if (!ioctl(v->fd, KVM_RUN, 0)) {
			exit_serve(v);
			if (v->run->exit_reason != KVM_EXIT_DEBUG)
				continue;
		} else if (errno == EFAULT && load_wait(v->vm, &stages)) {
			continue;
		} else if (errno != EINTR && errno != EAGAIN) {
			kvm_fail(v->vm, "KVM_RUN of vCPU %u: %s", v->index, strerror(errno));
		}
		if (!vcpu_pause(v))
			return NULL;
	}
}

/* With the lock held. */
static void parked_await(struct kvm_vm *vm)
{
	while (vm->n_parked < vm->n_running && !vm->stopping)
		pthread_cond_wait(&vm->parked_cond, &vm->lock);
}

void kvm_vcpus_park(struct kvm_vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	vm->freezing = true;
	all_kick(vm);
	parked_await(vm);
	pthread_mutex_unlock(&vm->lock);
}

void kvm_vcpus_unpark(struct kvm_vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	vm->freezing = false;
	pthread_cond_broadcast(&vm->thaw_cond);
	pthread_mutex_unlock(&vm->lock);
}

static int vcpu_make(struct kvm_vm *vm, struct kvm_vcpu *v, const struct kvm_cpuid2 *cpuid)
{
	int err;

	v->fd = ioctl(vm->vm_fd, KVM_CREATE_VCPU,
		      (unsigned long)apic_id(&vm->config->machine->topology, v->index));
	if (v->fd < 0)
		return kvm_error(vm, -errno, "KVM_CREATE_VCPU %u: %s", v->index, strerror(errno));
	vm->n_made++;
	v->run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
	if (v->run == MAP_FAILED) {
		v->run = NULL;
		return kvm_error(vm, -errno, "state of vCPU %u: %s", v->index, strerror(errno));
	}
	err = cpuid_set(vm, v, cpuid);
	return err || v->index ? err : kvm_boot_registers(vm, v);
}

int kvm_vcpus_init(struct kvm_vm *vm)
{
	int limit = ioctl(vm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);
	_cleanup_free_ struct kvm_cpuid2 *cpuid = NULL;
	int err = cpuid_supported(vm, &cpuid);
	unsigned int i;

	vm->n_cpus = topology_cpus(&vm->config->machine->topology);
	if (limit > 0 && vm->n_cpus > (unsigned int)limit)
		return kvm_error(vm, -E2BIG, "%u CPUs: this host's KVM gives a guest %d at most",
				 vm->n_cpus, limit);
	vm->cpus = xcalloc(vm->n_cpus, sizeof(*vm->cpus));
	for (i = 0; i < vm->n_cpus && !err; i++) {
		vm->cpus[i] = (struct kvm_vcpu){.vm = vm, .index = i, .fd = -1};
		err = vcpu_make(vm, &vm->cpus[i], cpuid);
	}
	return err;
}

/* The boot CPU last: it finds all others there. */
int kvm_vcpus_start(struct kvm_vm *vm)
{
	struct sigaction sa = {.sa_handler = kick_handler};
	pthread_attr_t attr;
	unsigned int i;
	int err = 0;

	vm->freezing = true;
	sigaction(KICK_SIGNAL, &sa, NULL);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 << 10);
	for (i = vm->n_cpus; i-- > 0 && !err;) {
		struct kvm_vcpu *v = &vm->cpus[i];

		pthread_mutex_lock(&vm->lock);
		err = -pthread_create(&v->thread, &attr, vcpu_thread, v);
		v->started = !err;
		vm->n_running += !err;
		pthread_mutex_unlock(&vm->lock);
	}
	if (!err) {
		pthread_mutex_lock(&vm->lock);
		parked_await(vm); /* they begin like this */
		pthread_mutex_unlock(&vm->lock);
	}
	pthread_attr_destroy(&attr);
	return err ? kvm_error(vm, err, "thread of a vCPU: %s", strerror(-err)) : 0;
}

void kvm_vcpus_stop(struct kvm_vm *vm)
{
	unsigned int i;

	pthread_mutex_lock(&vm->lock);
	vm->stopping = true;
	all_kick(vm);
	pthread_cond_broadcast(&vm->thaw_cond);
	pthread_mutex_unlock(&vm->lock);
	for (i = 0; i < vm->n_made; i++) {
		if (vm->cpus[i].started)
			pthread_join(vm->cpus[i].thread, NULL);
		vm->cpus[i].started = false;
	}
}
