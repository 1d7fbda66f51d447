// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "state.h"

#define MSR_KERNEL_GS_BASE 0xc0000102

int kvm_vcpu_registers(struct kvm_vcpu *v, struct engine_registers *r)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msr = {.head.nmsrs = 1, .entry.index = MSR_KERNEL_GS_BASE};
	struct kvm_regs g;
	struct kvm_sregs s;

	if (ioctl(v->fd, KVM_GET_REGS, &g) || ioctl(v->fd, KVM_GET_SREGS, &s))
		return -errno;
	if (ioctl(v->fd, KVM_GET_MSRS, &msr) != 1)
		return -EIO;
	*r = (struct engine_registers){
		.general = {g.rax, g.rbx, g.rcx, g.rdx, g.rsi, g.rdi, g.rbp, g.rsp, g.r8, g.r9,
			    g.r10, g.r11, g.r12, g.r13, g.r14, g.r15},
		.rip = g.rip,
		.rflags = g.rflags,
		.segment = {s.cs.selector, s.ss.selector, s.ds.selector, s.es.selector,
			    s.fs.selector, s.gs.selector},
		.fs_base = s.fs.base,
		.gs_base = s.gs.base,
		.kernel_gs_base = msr.entry.data,
		.cr0 = s.cr0,
		.cr2 = s.cr2,
		.cr3 = s.cr3,
		.cr4 = s.cr4,
		.cr8 = s.cr8,
		.efer = s.efer,
	};
	return 0;
}
