// SPDX-License-Identifier: GPL-2.0
#include "watch_probe.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "cleanup.h"

#define MEMORY	4096
#define CODE_AT 0x100
#define DATA_AT 0x800

/* Real mode: mov byte [DATA_AT], 1; hlt */
static const uint8_t code[] = {0xc6, 0x06, DATA_AT & 0xff, DATA_AT >> 8, 0x01, 0xf4};

static bool registers_set(int vcpu)
{
	struct kvm_regs regs = {.rip = CODE_AT, .rflags = 2};
	struct kvm_guest_debug debug = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP,
		.arch.debugreg = {[0] = DATA_AT, [7] = 2 | 1 << 16}, /* one byte, writes */
	};
	struct kvm_sregs s;

	if (ioctl(vcpu, KVM_GET_SREGS, &s))
		return false;
	s.cs.base = s.cs.selector = 0;
	return !ioctl(vcpu, KVM_SET_SREGS, &s) && !ioctl(vcpu, KVM_SET_REGS, &regs) &&
	       !ioctl(vcpu, KVM_SET_GUEST_DEBUG, &debug);
}

const char *watch_probe(int kvm_fd)
{
	_cleanup_close_ int vm = ioctl(kvm_fd, KVM_CREATE_VM, 0), vcpu = -1;
	int size = ioctl(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	uint8_t *memory =
		mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region region = {.memory_size = MEMORY,
						     .userspace_addr = (uintptr_t)memory};
	const char *why = "the probe for watchpoints did not start";
	struct kvm_run *run = MAP_FAILED;

	if (vm < 0 || size < (int)sizeof(*run) || memory == MAP_FAILED)
		return why;
	memcpy(memory + CODE_AT, code, sizeof(code));
	vcpu = ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) ? -1 : ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu >= 0)
		run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (run != MAP_FAILED && registers_set(vcpu)) {
		while (ioctl(vcpu, KVM_RUN, 0) && (errno == EINTR || errno == EAGAIN))
			;
		why = run->exit_reason == KVM_EXIT_DEBUG && run->debug.arch.dr6 & 1 ? NULL
		      : run->exit_reason == KVM_EXIT_HLT
			      ? "this host's KVM accepts watchpoints and does not deliver them"
			      : "the probe for watchpoints ended otherwise than expected";
	}
	if (run != MAP_FAILED)
		munmap(run, size);
	munmap(memory, MEMORY);
	return why;
}
