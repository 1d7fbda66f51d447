// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's time stands still while the VM is frozen: each vCPU's TSC is set back by what the
 * host's has counted meanwhile (the kernel's Documentation/virt/kvm/devices/vcpu.rst, TSC_OFFSET),
 * and kvmclock goes on from where it was. A timer that was armed before comes early by as much,
 * which a kernel takes as a reason to set it again.
 */
#include <x86intrin.h>

#include "state.h"

static uint64_t host_tsc(void)
{
	uint64_t t;

	_mm_lfence();
	t = __rdtsc();
	_mm_lfence();
	return t;
}

void kvm_clock_stop(struct kvm_vm *vm)
{
	vm->have_clock = !ioctl(vm->vm_fd, KVM_GET_CLOCK, &vm->clock);
	vm->stopped_tsc = host_tsc();
}

/* Where KVM has no such attribute, the TSC goes on, and the guest sees a jump. */
static bool tsc_set_back(const struct kvm_vcpu *v, uint64_t by)
{
	uint64_t offset;
	struct kvm_device_attr a = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&offset,
	};

	if (ioctl(v->fd, KVM_GET_DEVICE_ATTR, &a))
		return false;
	offset -= by;
	return !ioctl(v->fd, KVM_SET_DEVICE_ATTR, &a);
}

void kvm_clock_go(struct kvm_vm *vm)
{
	uint64_t by = host_tsc() - vm->stopped_tsc;
	unsigned int i;

	for (i = 0; i < vm->n_made; i++) {
		if (!tsc_set_back(&vm->cpus[i], by))
			break;
	}
	if (vm->have_clock)
		ioctl(vm->vm_fd, KVM_SET_CLOCK, &(struct kvm_clock_data){.clock = vm->clock.clock});
	/* Where time has passed, the guest's watchdogs are told so, if it has a kvmclock. */
	for (i = 0; i < vm->n_made; i++)
		ioctl(vm->cpus[i].fd, KVM_KVMCLOCK_CTRL, 0);
}
