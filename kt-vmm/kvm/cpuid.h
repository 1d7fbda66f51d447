/* SPDX-License-Identifier: GPL-2.0 */
/* What CPUID tells the guest: the host's CPU as KVM can give it, in the declared topology. */
#ifndef KT_CPUID_H
#define KT_CPUID_H

#include <linux/kvm.h>

#include "topology.h"

struct kvm_vm;
struct kvm_vcpu;

/* More leaves than any KVM gives, with room for those that the topology adds. */
#define CPUID_MAX_ENTRIES 320

/*
 * What KVM supports, filtered: without what only the host's own use of its CPU could mean. *@cpuid
 * is malloc'ed, with room for CPUID_MAX_ENTRIES. 0 or -errno with the error set.
 */
int cpuid_supported(struct kvm_vm *vm, struct kvm_cpuid2 **cpuid);

/* Give @v, of the index that it has, its CPUID. @supported stays as it is. 0 or -errno. */
int cpuid_set(struct kvm_vm *vm, struct kvm_vcpu *v, const struct kvm_cpuid2 *supported);

/*
 * Rewrite in @c, which has room for CPUID_MAX_ENTRIES, all that tells the topology, for CPU @cpu of
 * @t: leaves 1, 4, 0xB, 0x1F, on AMD 0x80000008, 0x8000001D and 0x8000001E.
 */
void cpuid_topology(struct kvm_cpuid2 *c, const struct topology *t, unsigned int cpu);

#endif
