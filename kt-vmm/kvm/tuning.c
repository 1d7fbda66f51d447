// SPDX-License-Identifier: GPL-2.0
/* --perf, as far as it is KVM's: what the host does not give is told and done without. */
#include <asm/kvm_para.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "diag.h"
#include "state.h"

#define LEAF_KVM_FEATURES 0x40000001

void kvm_tune_vm(struct kvm_vm *vm)
{
	const struct engine_tuning *t = vm->config->tuning;
	const unsigned int want = KVM_X86_DISABLE_EXITS_PAUSE | KVM_X86_DISABLE_EXITS_HLT;
	struct kvm_enable_cap cap = {.cap = KVM_CAP_X86_DISABLE_EXITS};
	int can;

	if (!t || !t->disable_exits)
		return;
	can = ioctl(vm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_X86_DISABLE_EXITS);
	cap.args[0] = can > 0 ? can & want : 0;
	if (cap.args[0] && ioctl(vm->vm_fd, KVM_ENABLE_CAP, &cap)) {
		warn("--perf: PAUSE and HLT leave the guest: %s", strerror(errno));
		return;
	}
	if (!(cap.args[0] & KVM_X86_DISABLE_EXITS_PAUSE))
		warn("--perf: PAUSE leaves the guest: this host's KVM cannot do otherwise");
	if (!(cap.args[0] & KVM_X86_DISABLE_EXITS_HLT))
		warn("--perf: HLT leaves the guest: this host's KVM cannot do otherwise");
}

void kvm_tune_memory(struct kvm_vm *vm)
{
	const struct engine_tuning *t = vm->config->tuning;

	if (t && t->huge_pages && madvise(vm->ram, vm->ram_span, MADV_HUGEPAGE))
		warn("--perf: guest memory is in small pages: %s", strerror(errno));
}

void kvm_tune_cpuid(struct kvm_vm *vm, struct kvm_cpuid2 *c)
{
	const struct engine_tuning *t = vm->config->tuning;
	uint32_t i;

	for (i = 0; t && t->dedicated && i < c->nent; i++) {
		if (c->entries[i].function == LEAF_KVM_FEATURES)
			c->entries[i].edx |= 1U << KVM_HINTS_REALTIME;
	}
}
