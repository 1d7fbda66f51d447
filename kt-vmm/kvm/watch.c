// SPDX-License-Identifier: GPL-2.0
/* Data watchpoints through the debug registers (Intel SDM 3B 18.2), which all vCPUs share. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "state.h"

#define DR7_GLOBAL(i)	 (2ULL << (2 * (i)))
#define DR7_WRITE(i)	 (1ULL << (16 + 4 * (i)))
#define DR7_LENGTH(i, v) ((uint64_t)(v) << (18 + 4 * (i)))

/* Length codes 0, 1, 3 and 2 are 1, 2, 4 and 8 bytes. */
static uint64_t length_code(unsigned int len)
{
	return len == 8 ? 2 : len - 1;
}

/* Load the watches into every vCPU, none of which runs. */
static int watches_apply(struct kvm_vm *vm)
{
	struct kvm_guest_debug d = {0};
	unsigned int i;

	for (i = 0; i < KVM_MAX_WATCHES; i++) {
		const struct kvm_watch *w = &vm->watches[i];

		if (!w->len)
			continue;
		d.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP;
		d.arch.debugreg[i] = w->address;
		d.arch.debugreg[7] |=
			DR7_GLOBAL(i) | DR7_WRITE(i) | DR7_LENGTH(i, length_code(w->len));
	}
	for (i = 0; i < vm->n_made; i++) {
		if (ioctl(vm->cpus[i].fd, KVM_SET_GUEST_DEBUG, &d))
			return -errno;
	}
	return 0;
}

int kvm_watch(struct kvm_vm *vm, uint64_t address, unsigned int len, bool on)
{
	struct kvm_watch *free_one = NULL, *known = NULL;
	unsigned int i;
	int err;

	for (i = 0; i < KVM_MAX_WATCHES; i++) {
		struct kvm_watch *w = &vm->watches[i];

		if (!w->len)
			free_one = w;
		else if (w->address == address && w->len == len)
			known = w;
	}
	/* Several may watch the same address: it stays armed as long as one does. */
	if (known && (known->users += on ? 1 : -1))
		return 0;
	if (known)
		known->len = 0;
	else if (!on)
		return -ENOENT;
	else if (!free_one)
		return -ENOSPC;
	else
		*free_one = (struct kvm_watch){.address = address, .len = len, .users = 1};
	err = watches_apply(vm);
	if (err && !known)
		free_one->len = 0;
	return err;
}

void kvm_watch_exit(struct kvm_vcpu *v)
{
	struct kvm_vm *vm = v->vm;
	uint64_t dr6 = v->run->debug.arch.dr6;
	unsigned int i;

	pthread_mutex_lock(&vm->lock);
	for (i = 0; i < KVM_MAX_WATCHES; i++) {
		if (dr6 & 1U << i && vm->watches[i].len) {
			v->hit = true;
			v->hit_address = vm->watches[i].address;
			vm->n_hits++;
			vm->freezing = true;
			eventfd_write(vm->watch_fd, 1);
			break;
		}
	}
	pthread_mutex_unlock(&vm->lock);
}

bool kvm_watch_take(struct kvm_vm *vm, struct engine_hit *hit)
{
	unsigned int i;

	for (i = 0; i < vm->n_made && vm->n_hits; i++) {
		struct kvm_vcpu *v = &vm->cpus[i];

		if (!v->hit)
			continue;
		v->hit = false;
		vm->n_hits--;
		*hit = (struct engine_hit){.cpu = i, .address = v->hit_address};
		return true;
	}
	return false;
}
