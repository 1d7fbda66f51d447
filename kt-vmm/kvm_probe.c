// SPDX-License-Identifier: GPL-2.0
/*
 * Is /dev/kvm backed by real hardware virtualization? Some hosts have one that interprets guest
 * instructions, too slowly and too incompletely for a stock kernel. The probe guest runs in 64-bit
 * mode with one identity-mapped 2 MiB page.
 */
#include "kvm_probe.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "clock.h"
#include "diag.h"
#include "kvm/watch_probe.h"

#define GUEST_MEMORY (2UL << 20)
#define CODE_ADDR    0x4000
#define DATA_ADDR    0x5000
#define LOOP_COUNT   2000
/* Hardware runs the loop in a few us; an interpreter took 28 ms for ten times as many turns. */
#define LOOP_LIMIT_NS 1000000
/* A busy host may take the CPU away from one measurement, hardly from three. */
#define LOOP_TRIES 3

/* Each snippet ends with HLT. RSI points at zeroed memory, aligned to 16 bytes. */
static const struct snippet {
	const char *name;
	unsigned int leaf,
		ebx_bit; /* CPUID subleaf 0 of leaf says by this bit of EBX; 0: always there */
	uint8_t code[16];
} snippets[] = {
	{"lock cmpxchg16b", 0, 0, {0xf0, 0x48, 0x0f, 0xc7, 0x0e, 0xf4}},
	{"rorx (VEX-encoded)", 7, 8, {0xc4, 0xe3, 0x7b, 0xf0, 0xc0, 0x01, 0xf4}},
};

static const uint8_t loop_code[] = {
	0xb9,
	LOOP_COUNT & 0xff,
	LOOP_COUNT >> 8,
	0,
	0, /* mov ecx, LOOP_COUNT */
	0xff,
	0xc9, /* dec ecx */
	0x75,
	0xfc, /* jnz back to dec */
	0xf4, /* hlt */
};

struct probe_vm {
	int kvm, vm, vcpu;
	uint8_t *memory;
	struct kvm_run *run;
	size_t run_size;
};

static void probe_close(struct probe_vm *p)
{
	if (p->run)
		munmap(p->run, p->run_size);
	if (p->memory)
		munmap(p->memory, GUEST_MEMORY);
	cleanup_closep(&p->vcpu);
	cleanup_closep(&p->vm);
	cleanup_closep(&p->kvm);
}

static char *probe_make(struct probe_vm *p)
{
	struct kvm_userspace_memory_region region = {.memory_size = GUEST_MEMORY};
	int size;

	p->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (p->kvm < 0)
		return xasprintf("/dev/kvm: %s", strerror(errno));
	p->vm = ioctl(p->kvm, KVM_CREATE_VM, 0);
	if (p->vm < 0)
		return xasprintf("KVM_CREATE_VM: %s", strerror(errno));
	p->memory = mmap(NULL, GUEST_MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	if (p->memory == MAP_FAILED) {
		p->memory = NULL;
		return xstrdup("no memory");
	}
	region.userspace_addr = (uintptr_t)p->memory;
	p->vcpu = ioctl(p->vm, KVM_SET_USER_MEMORY_REGION, &region)
			  ? -1
			  : ioctl(p->vm, KVM_CREATE_VCPU, 0);
	size = ioctl(p->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (p->vcpu < 0 || size < (int)sizeof(*p->run))
		return xasprintf("KVM_CREATE_VCPU: %s", strerror(errno));
	p->run_size = size;
	p->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, p->vcpu, 0);
	if (p->run == MAP_FAILED) {
		p->run = NULL;
		return xasprintf("vCPU state: %s", strerror(errno));
	}
	return NULL;
}

/* 64-bit mode with paging on, as Intel SDM 3A 4.5 lays the tables out. */
static char *probe_setup(struct probe_vm *p)
{
	static const uint64_t tables[][2] = {
		{0x1000, 0x2000 | 3}, {0x2000, 0x3000 | 3}, {0x3000, 0x83}};
	struct kvm_segment code = {
		.limit = ~0U, .selector = 8, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1};
	struct kvm_segment data = {
		.limit = ~0U, .selector = 16, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1};
	struct kvm_cpuid2 *cpuid;
	struct kvm_sregs s;
	char *why = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		memcpy(p->memory + tables[i][0], &tables[i][1], 8);
	cpuid = xcalloc(1, sizeof(*cpuid) + 256 * sizeof(cpuid->entries[0]));
	cpuid->nent = 256;
	if (ioctl(p->kvm, KVM_GET_SUPPORTED_CPUID, cpuid) ||
	    ioctl(p->vcpu, KVM_SET_CPUID2, cpuid) || ioctl(p->vcpu, KVM_GET_SREGS, &s))
		why = xasprintf("CPUID: %s", strerror(errno));
	free(cpuid);
	if (why)
		return why;
	s.cs = code;
	s.ds = s.es = s.fs = s.gs = s.ss = data;
	s.cr3 = 0x1000;
	s.cr4 |= 1 << 5;
	s.cr0 |= 0x80000001;
	s.efer |= 0x500;
	if (ioctl(p->vcpu, KVM_SET_SREGS, &s))
		return xasprintf("registers: %s", strerror(errno));
	return NULL;
}

/* Run @code to its HLT. Returns NULL or what happened instead. */
static char *probe_code_run(struct probe_vm *p, const uint8_t *code, size_t len)
{
	struct kvm_regs regs = {.rip = CODE_ADDR, .rsi = DATA_ADDR, .rflags = 2};

	memcpy(p->memory + CODE_ADDR, code, len);
	if (ioctl(p->vcpu, KVM_SET_REGS, &regs))
		return xasprintf("registers: %s", strerror(errno));
	while (ioctl(p->vcpu, KVM_RUN, 0)) {
		if (errno != EINTR && errno != EAGAIN)
			return xasprintf("KVM_RUN: %s", strerror(errno));
	}
	if (p->run->exit_reason == KVM_EXIT_HLT)
		return NULL;
	if (p->run->exit_reason == KVM_EXIT_INTERNAL_ERROR)
		return xasprintf(
			"/dev/kvm interprets guest code and lacks instructions that kernels use "
			"(KVM_EXIT_INTERNAL_ERROR, suberror %u)",
			p->run->internal.suberror);
	return xasprintf("the probe guest ended with exit reason %u", p->run->exit_reason);
}

static bool host_has(const struct snippet *s)
{
	unsigned int eax, ebx, ecx, edx;

	return !s->leaf ||
	       (__get_cpuid_count(s->leaf, 0, &eax, &ebx, &ecx, &edx) && ebx >> s->ebx_bit & 1);
}

static char *instructions_try(struct probe_vm *vm, struct kvm_probe *p)
{
	char *why = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(snippets) && !why; i++) {
		if (!host_has(&snippets[i]))
			continue;
		why = probe_code_run(vm, snippets[i].code, sizeof(snippets[i].code));
		if (why)
			p->missing = xstrdup(snippets[i].name);
	}
	return why;
}

static char *loop_time(struct probe_vm *vm, struct kvm_probe *p)
{
	uint64_t start, took;
	char *why;
	int i;

	p->loops = LOOP_COUNT;
	for (i = 0; i < LOOP_TRIES && (!i || p->loop_ns > LOOP_LIMIT_NS); i++) {
		start = now_ns();
		why = probe_code_run(vm, loop_code, sizeof(loop_code));
		took = now_ns() - start;
		if (why)
			return why;
		if (!i || took < p->loop_ns)
			p->loop_ns = took;
	}
	if (p->loop_ns <= LOOP_LIMIT_NS)
		return NULL;
	return xasprintf("/dev/kvm interprets guest code: %d loops took %llu us", LOOP_COUNT,
			 (unsigned long long)p->loop_ns / 1000);
}

static char *module_name(void)
{
	static const char *const names[] = {"kvm_intel", "kvm_amd", "kvm_pvm"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *path = xasprintf("/sys/module/%s", names[i]);

		if (access(path, F_OK) == 0)
			return xstrdup(names[i]);
	}
	return NULL;
}

static unsigned int extension(int kvm, int cap)
{
	int n = ioctl(kvm, KVM_CHECK_EXTENSION, cap);

	return n > 0 ? n : 0;
}

void kvm_probe_run(struct kvm_probe *p)
{
	_cleanup_(probe_close) struct probe_vm vm = {.kvm = -1, .vm = -1, .vcpu = -1};
	const char *no_watch = NULL;

	memset(p, 0, sizeof(*p));
	p->module = module_name();
	p->why = probe_make(&vm);
	if (vm.kvm >= 0) {
		p->x2apic_ids = extension(vm.kvm, KVM_CAP_X2APIC_API);
		p->split_irqchip = extension(vm.kvm, KVM_CAP_SPLIT_IRQCHIP);
		p->max_cpus = extension(vm.kvm, KVM_CAP_MAX_VCPUS);
		p->disable_exits = extension(vm.kvm, KVM_CAP_X86_DISABLE_EXITS);
	}
	if (!p->why)
		p->why = probe_setup(&vm);
	if (!p->why)
		p->why = instructions_try(&vm, p);
	if (!p->why)
		p->why = loop_time(&vm, p);
	no_watch = p->why ? "not tried" : watch_probe(vm.kvm);
	p->no_watchpoints = no_watch ? xstrdup(no_watch) : NULL;
	p->usable = !p->why;
}

void kvm_probe_free(struct kvm_probe *p)
{
	free(take_ptr(p->why));
	free(take_ptr(p->missing));
	free(take_ptr(p->module));
	free(take_ptr(p->no_watchpoints));
}
