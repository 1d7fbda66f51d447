// SPDX-License-Identifier: GPL-2.0
/* Leaves as Intel SDM 2A (CPUID) and AMD APM 3 appendix E describe them. */
#include "cpuid.h"

#include <asm/kvm_para.h>
#include <cpuid.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apic_id.h"
#include "cleanup.h"
#include "diag.h"
#include "irqchip.h"
#include "state.h"

#define LEAF_HYPERVISOR	  0x40000000
#define LEAF_KVM_FEATURES 0x40000001
#define EXTENDED	  0x80000000

/* Leaf 1 */
#define ECX_MONITOR	 (1U << 3)
#define ECX_VMX		 (1U << 5)
#define ECX_X2APIC	 (1U << 21)
#define ECX_TSC_DEADLINE (1U << 24)
#define ECX_OSXSAVE	 (1U << 27)
#define ECX_HYPERVISOR	 (1U << 31)
#define EDX_HTT		 (1U << 28)
/* Leaf 0x80000001 */
#define ECX_CMP_LEGACY (1U << 1)
#define ECX_SVM	       (1U << 2)
#define ECX_TOPOEXT    (1U << 22)

static struct kvm_cpuid_entry2 *leaf_find(struct kvm_cpuid2 *c, uint32_t leaf, uint32_t sub)
{
	uint32_t i;

	for (i = 0; i < c->nent; i++) {
		struct kvm_cpuid_entry2 *e = &c->entries[i];

		if (e->function == leaf &&
		    (!(e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) || e->index == sub))
			return e;
	}
	return NULL;
}

static void leaf_remove(struct kvm_cpuid2 *c, uint32_t leaf)
{
	uint32_t i, n = 0;

	for (i = 0; i < c->nent; i++) {
		if (c->entries[i].function != leaf)
			c->entries[n++] = c->entries[i];
	}
	c->nent = n;
}

/* Add subleaf @sub of @leaf, and have the basic or extended range reach it. */
static struct kvm_cpuid_entry2 *leaf_add(struct kvm_cpuid2 *c, uint32_t leaf, uint32_t sub)
{
	struct kvm_cpuid_entry2 *range = leaf_find(c, leaf & EXTENDED, 0), *e;

	if (range && range->eax < leaf)
		range->eax = leaf;
	if (c->nent == CPUID_MAX_ENTRIES)
		die(EXIT_FAILURE, "CPUID: more than %d leaves", CPUID_MAX_ENTRIES);
	e = &c->entries[c->nent++];
	*e = (struct kvm_cpuid_entry2){
		.function = leaf, .index = sub, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX};
	return e;
}

static struct kvm_cpuid_entry2 *leaf_only(struct kvm_cpuid2 *c, uint32_t leaf)
{
	struct kvm_cpuid_entry2 *e;

	leaf_remove(c, leaf);
	e = leaf_add(c, leaf, 0);
	e->flags = 0;
	return e;
}

static bool vendor_is_amd(struct kvm_cpuid2 *c)
{
	const struct kvm_cpuid_entry2 *e = leaf_find(c, 0, 0);

	return e && (e->ebx == signature_AMD_ebx);
}

/* The caches, as the qemu engine has them. Sets follow from size, ways and lines of 64 bytes. */
static const struct cache {
	unsigned int type, level, size, ways;
} caches[] = {
	{1, 1, 32 << 10, 8}, /* data */
	{2, 1, 32 << 10, 8}, /* instructions */
	{3, 2, 4 << 20, 16}, /* unified */
	{3, 3, 16 << 20, 16},
};

#define CACHE_LINE 64

/* Leaf 4 (Intel) or 0x8000001D (AMD), which are alike: the APIC ids that share each cache. */
static void caches_tell(struct kvm_cpuid2 *c, uint32_t leaf, const struct apic_layout *l)
{
	uint32_t cores = leaf == 4 ? (1U << (l->package_shift - l->core_shift)) - 1 : 0;
	size_t i;

	leaf_remove(c, leaf);
	for (i = 0; i < ARRAY_SIZE(caches); i++) {
		const struct cache *k = &caches[i];
		struct kvm_cpuid_entry2 *e = leaf_add(c, leaf, i);
		uint32_t share = (1U << (k->level == 3 ? l->llc_shift : l->core_shift)) - 1;

		e->eax = k->type | k->level << 5 | 1U << 8 | (share < 0xfff ? share : 0xfff) << 14 |
			 (cores < 63 ? cores : 63) << 26;
		e->ebx = (CACHE_LINE - 1) | (k->ways - 1) << 22;
		e->ecx = k->size / k->ways / CACHE_LINE - 1;
		e->edx = k->level == 3 ? 2 : 0; /* inclusive */
	}
	leaf_add(c, leaf, i); /* no more */
}

/* One level of leaf 0xB or 0x1F: @shift leads from an id to the next level above. */
static void level_tell(struct kvm_cpuid2 *c, uint32_t leaf, uint32_t sub, unsigned int type,
		       unsigned int shift, unsigned int cpus, uint32_t id)
{
	struct kvm_cpuid_entry2 *e = leaf_add(c, leaf, sub);

	e->eax = shift;
	e->ebx = cpus;
	e->ecx = sub | type << 8;
	e->edx = id;
}

static void levels_tell(struct kvm_cpuid2 *c, const struct topology *t, const struct apic_layout *l,
			uint32_t id)
{
	unsigned int node = topology_node_cpus(t), llc = t->cores * t->threads;
	enum { SMT = 1, CORE = 2, DIE = 5 };

	leaf_remove(c, 0xb);
	level_tell(c, 0xb, 0, SMT, l->core_shift, t->threads, id);
	level_tell(c, 0xb, 1, CORE, l->package_shift, node, id);
	level_tell(c, 0xb, 2, 0, 0, 0, id);
	leaf_remove(c, 0x1f);
	level_tell(c, 0x1f, 0, SMT, l->core_shift, t->threads, id);
	level_tell(c, 0x1f, 1, CORE, l->llc_shift, llc, id);
	level_tell(c, 0x1f, 2, DIE, l->package_shift, node, id);
	level_tell(c, 0x1f, 3, 0, 0, 0, id);
}

/* AMD's own leaves: a node is a package, as it is for the rest. */
static void amd_tell(struct kvm_cpuid2 *c, const struct topology *t, const struct apic_layout *l,
		     unsigned int cpu, uint32_t id)
{
	unsigned int cpus = topology_node_cpus(t), core = id >> l->core_shift;
	struct kvm_cpuid_entry2 *e = leaf_find(c, EXTENDED | 8, 0);

	if (e)
		e->ecx = (cpus < 256 ? cpus - 1 : 255) | l->package_shift << 12;
	e = leaf_find(c, EXTENDED | 1, 0);
	if (e)
		e->ecx = (e->ecx & ~ECX_CMP_LEGACY) | ECX_TOPOEXT | (cpus > 1 ? ECX_CMP_LEGACY : 0);
	caches_tell(c, EXTENDED | 0x1d, l);
	e = leaf_only(c, EXTENDED | 0x1e);
	e->eax = id;
	e->ebx = (core & 0xff) | (t->threads - 1) << 8;
	e->ecx = cpu / topology_node_cpus(t) & 0xff;
	leaf_remove(c, EXTENDED | 0x26); /* it knows no dies */
}

void cpuid_topology(struct kvm_cpuid2 *c, const struct topology *t, unsigned int cpu)
{
	struct kvm_cpuid_entry2 *e = leaf_find(c, 1, 0);
	uint32_t id = apic_id(t, cpu), ids;
	struct apic_layout l;

	apic_layout(t, &l);
	ids = 1U << l.package_shift;
	if (e) {
		e->ebx = (e->ebx & 0xffff) | (ids < 256 ? ids : 255) << 16 | id << 24;
		e->edx = (e->edx & ~EDX_HTT) | (topology_node_cpus(t) > 1 ? EDX_HTT : 0);
	}
	levels_tell(c, t, &l, id);
	if (vendor_is_amd(c))
		amd_tell(c, t, &l, cpu, id);
	else
		caches_tell(c, 4, &l);
}

/*
 * Linux takes the L3 of a first-generation EPYC from fixed bits of the APIC id, whatever the leaves
 * say (arch/x86/kernel/cpu/cacheinfo.c): such a host gives its guests the model number of the
 * second.
 */
static void model_fix(struct kvm_cpuid_entry2 *e)
{
	unsigned int family = (e->eax >> 8 & 0xf) + (e->eax >> 20 & 0xff);
	unsigned int model = (e->eax >> 4 & 0xf) | (e->eax >> 12 & 0xf0);

	if (family == 0x17 && model <= 0x1f)
		e->eax = (e->eax & ~0xf00f0U) | 3U << 16 | 1U << 4; /* model 0x31 */
}

/* QEMU's emulator, as it names itself to what runs on it. */
static bool host_is_emulated(void)
{
	unsigned int eax, name[3];

	__cpuid(1, eax, name[0], name[1], name[2]);
	if (!(name[1] & ECX_HYPERVISOR))
		return false;
	__cpuid(LEAF_HYPERVISOR, eax, name[0], name[1], name[2]);
	return !memcmp(name, "TCGTCGTCGTCG", sizeof(name));
}

/*
 * Emulated SVM does not stop at a guest's XSETBV, so that KVM never learns which state the guest
 * has enabled, and tells it wrong sizes. Such a guest gets no XSAVE, and nothing that builds on it.
 */
static const struct {
	uint32_t leaf, sub, eax, ebx, ecx, edx;
} needs_xsave[] = {
	/* FMA, XSAVE, OSXSAVE, AVX, F16C */
	{1, 0, 0, 0, 1U << 12 | 1U << 26 | ECX_OSXSAVE | 1U << 28 | 1U << 29, 0},
	/* AVX2, MPX, AVX-512; VBMI, PKU, VAES, VPCLMULQDQ and AVX-512; AVX-512 and AMX */
	{7, 0, 0, 0xdc234020, 0x5e4a, 0x03c0010c},
	{7, 1, 0xffffffff, 0, 0, 0xffffffff},
	{0xd, 0, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
	{0xd, 1, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
	{EXTENDED | 1, 0, 0, 0, 1U << 11 | 1U << 15 | 1U << 16, 0}, /* XOP, LWP, FMA4 */
};

static void xsave_remove(struct kvm_cpuid2 *c)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(needs_xsave); i++) {
		struct kvm_cpuid_entry2 *e = leaf_find(c, needs_xsave[i].leaf, needs_xsave[i].sub);

		if (!e)
			continue;
		e->eax &= ~needs_xsave[i].eax;
		e->ebx &= ~needs_xsave[i].ebx;
		e->ecx &= ~needs_xsave[i].ecx;
		e->edx &= ~needs_xsave[i].edx;
	}
}

static void features_filter(struct kvm_vm *vm, struct kvm_cpuid2 *c)
{
	struct kvm_cpuid_entry2 *e = leaf_find(c, 1, 0);

	if (e) {
		e->ecx = (e->ecx & ~(ECX_MONITOR | ECX_VMX | ECX_OSXSAVE)) | ECX_HYPERVISOR |
			 ECX_X2APIC;
		if (ioctl(vm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0)
			e->ecx |= ECX_TSC_DEADLINE;
		if (vendor_is_amd(c))
			model_fix(e);
	}
	e = leaf_find(c, EXTENDED | 1, 0);
	if (e)
		e->ecx &= ~ECX_SVM;
	if (host_is_emulated())
		xsave_remove(c);
	e = leaf_find(c, LEAF_KVM_FEATURES, 0);
	if (e && irqchip_needs_x2apic(vm))
		e->eax |= 1U << KVM_FEATURE_MSI_EXT_DEST_ID;
}

int cpuid_supported(struct kvm_vm *vm, struct kvm_cpuid2 **cpuid)
{
	struct kvm_cpuid2 *c = xcalloc(1, sizeof(*c) + CPUID_MAX_ENTRIES * sizeof(c->entries[0]));

	*cpuid = c;
	c->nent = CPUID_MAX_ENTRIES / 2;
	if (ioctl(vm->kvm_fd, KVM_GET_SUPPORTED_CPUID, c))
		return kvm_error(vm, -errno, "KVM_GET_SUPPORTED_CPUID: %s", strerror(errno));
	features_filter(vm, c);
	kvm_tune_cpuid(vm, c);
	return 0;
}

int cpuid_set(struct kvm_vm *vm, struct kvm_vcpu *v, const struct kvm_cpuid2 *supported)
{
	size_t size = sizeof(*supported) + CPUID_MAX_ENTRIES * sizeof(supported->entries[0]);
	_cleanup_free_ struct kvm_cpuid2 *c = xmalloc(size);

	memcpy(c, supported, size);
	cpuid_topology(c, &vm->config->machine->topology, v->index);
	if (ioctl(v->fd, KVM_SET_CPUID2, c))
		return kvm_error(vm, -errno, "CPUID of vCPU %u: %s", v->index, strerror(errno));
	return 0;
}
