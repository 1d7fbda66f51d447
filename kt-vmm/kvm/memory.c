// SPDX-License-Identifier: GPL-2.0
/*
 * Guest RAM: the nodes' memfds, one after the other, in one stretch of our addresses that is as far
 * apart as the guest's are, so that a guest-physical address is an offset. Nothing of it is touched
 * here. RAM ends at RAM_HOLE and goes on at 4 GiB.
 */
#include "state.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "platform.h"

#define HUGE_PAGE (2ULL << 20)

uint64_t kvm_ram_below_4g(const struct machine *m)
{
	uint64_t all = machine_memory(m);

	return all < RAM_HOLE ? all : RAM_HOLE;
}

/* Map [@offset, @offset + @len) of node @node's memory at guest-physical @gpa. */
static int piece_map(struct kvm_vm *vm, unsigned int node, uint64_t offset, uint64_t gpa,
		     uint64_t len)
{
	void *p = mmap(vm->ram + gpa, len, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_FIXED | MAP_NORESERVE, vm->config->ram[node], offset);

	return p == MAP_FAILED ? -errno : 0;
}

static int nodes_map(struct kvm_vm *vm)
{
	const struct machine *m = vm->config->machine;
	uint64_t below = kvm_ram_below_4g(m), at = 0;
	unsigned int i;
	int err = 0;

	for (i = 0; i < m->nodes && !err; i++) {
		uint64_t len = m->node_memory[i];
		uint64_t low = at >= below ? 0 : len < below - at ? len : below - at;

		if (low)
			err = piece_map(vm, i, 0, at, low);
		if (!err && low < len)
			err = piece_map(vm, i, low, at + low - below + RAM_ABOVE_4G, len - low);
		at += len;
	}
	return err;
}

static int slot_set(struct kvm_vm *vm, unsigned int slot, uint64_t gpa, uint64_t len)
{
	struct kvm_userspace_memory_region r = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = len,
		.userspace_addr = (uintptr_t)vm->ram + gpa,
	};

	if (ioctl(vm->vm_fd, KVM_SET_USER_MEMORY_REGION, &r))
		return kvm_error(vm, -errno, "%llu MiB of guest memory: %s",
				 (unsigned long long)len >> 20, strerror(errno));
	return 0;
}

int kvm_memory_map(struct kvm_vm *vm)
{
	uint64_t all = machine_memory(vm->config->machine);
	uint64_t below = kvm_ram_below_4g(vm->config->machine);
	uint8_t *area;
	int err;

	vm->ram_span = all > below ? RAM_ABOVE_4G + all - below : below;
	/* Both sides of every huge page have to agree on where it begins. */
	area = mmap(NULL, vm->ram_span + HUGE_PAGE, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (area == MAP_FAILED)
		return kvm_error(vm, -errno, "addresses for %llu MiB of guest memory: %s",
				 (unsigned long long)vm->ram_span >> 20, strerror(errno));
	vm->ram = area + (-(uintptr_t)area & (HUGE_PAGE - 1));
	munmap(area, vm->ram - area);
	munmap(vm->ram + vm->ram_span, HUGE_PAGE - (vm->ram - area));
	err = nodes_map(vm);
	if (err)
		return kvm_error(vm, err, "guest memory: %s", strerror(-err));
	kvm_tune_memory(vm);
	return 0;
}

int kvm_memory_slots(struct kvm_vm *vm)
{
	uint64_t all = machine_memory(vm->config->machine);
	uint64_t below = kvm_ram_below_4g(vm->config->machine);
	int err = slot_set(vm, 0, 0, below);

	if (!err && all > below)
		err = slot_set(vm, 1, RAM_ABOVE_4G, all - below);
	return err;
}

void *kvm_ram_at(struct kvm_vm *vm, uint64_t gpa, uint64_t len)
{
	uint64_t below = kvm_ram_below_4g(vm->config->machine);
	uint64_t from = gpa < RAM_ABOVE_4G ? 0 : RAM_ABOVE_4G;
	uint64_t to = gpa < RAM_ABOVE_4G ? below : vm->ram_span;

	load_settle(vm);
	if (gpa < from || gpa > to || len > to - gpa)
		return NULL;
	return vm->ram + gpa;
}

int kvm_ram_node(const struct kvm_vm *vm, uint64_t gpa, uint64_t *offset, uint64_t *left)
{
	const struct machine *m = vm->config->machine;
	uint64_t below = kvm_ram_below_4g(m);
	unsigned int i;

	/* How far into all RAM it is, and how far its half goes. */
	uint64_t at = gpa < RAM_ABOVE_4G ? gpa : gpa - RAM_ABOVE_4G + below;
	uint64_t end = gpa < RAM_ABOVE_4G ? below : machine_memory(m);

	for (i = 0; i < m->nodes && at < end; i++) {
		if (at < m->node_memory[i]) {
			*offset = at;
			*left = (m->node_memory[i] < end ? m->node_memory[i] : end) - at;
			return i;
		}
		at -= m->node_memory[i];
		end -= m->node_memory[i];
	}
	return -EFAULT;
}
