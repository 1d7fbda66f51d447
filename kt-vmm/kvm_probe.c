// SPDX-License-Identifier: GPL-2.0
/*
 * Is /dev/kvm backed by real hardware virtualization? Some hosts have one that interprets guest
 * instructions, too slowly and too incompletely for a stock kernel. The probe guest runs in 64-bit
 * mode with one identity-mapped 2 MiB page.
 */
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
#include "engine.h"

#define GUEST_MEMORY (2UL << 20)
#define CODE_ADDR    0x4000
#define DATA_ADDR    0x5000
#define LOOP_COUNT   2000
/* Hardware runs the loop in about 10 us; an interpreter took 28 ms (docs/measurements.md). */
#define LOOP_LIMIT_NS 1000000
/* A busy host may take the CPU away from one measurement, hardly from three. */
#define LOOP_TRIES 3
/* The loop starts after the first hlt. */
#define LOOP_OFFSET 17

static const uint8_t probe_code[] = {
	0xbe,
	0x00,
	0x50,
	0x00,
	0x00, /* mov esi, DATA_ADDR */
	0xf0,
	0x48,
	0x0f,
	0xc7,
	0x0e, /* lock cmpxchg16b [rsi] */
	0xc4,
	0xe3,
	0x7b,
	0xf0,
	0xc0,
	0x01, /* rorx eax, eax, 1 (VEX, BMI2) */
	0xf4, /* hlt */
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
	struct kvm_regs regs = {.rip = CODE_ADDR, .rflags = 2};
	struct kvm_cpuid2 *cpuid;
	struct kvm_sregs s;
	char *why = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		memcpy(p->memory + tables[i][0], &tables[i][1], 8);
	memcpy(p->memory + CODE_ADDR, probe_code, sizeof(probe_code));
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
	if (ioctl(p->vcpu, KVM_SET_SREGS, &s) || ioctl(p->vcpu, KVM_SET_REGS, &regs))
		return xasprintf("registers: %s", strerror(errno));
	return NULL;
}

/* Run to the next HLT. Returns NULL or what happened instead. */
static char *probe_run(struct probe_vm *p)
{
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

/* Run the timed loop. Returns NULL with *@took in ns, or what happened instead. */
static char *probe_loop(struct probe_vm *p, uint64_t *took)
{
	struct kvm_regs regs = {.rip = CODE_ADDR + LOOP_OFFSET, .rflags = 2};
	uint64_t start;
	char *why;

	if (ioctl(p->vcpu, KVM_SET_REGS, &regs))
		return xasprintf("registers: %s", strerror(errno));
	start = now_ns();
	why = probe_run(p);
	*took = now_ns() - start;
	return why;
}

bool kvm_probe(char **why)
{
	_cleanup_(probe_close) struct probe_vm p = {.kvm = -1, .vm = -1, .vcpu = -1};
	uint64_t took = 0;
	int i;

	*why = probe_make(&p);
	if (!*why)
		*why = probe_setup(&p);
	if (!*why)
		*why = probe_run(&p);
	if (*why)
		return false;
	for (i = 0; i < LOOP_TRIES && !*why && (!i || took > LOOP_LIMIT_NS); i++)
		*why = probe_loop(&p, &took);
	if (!*why && took > LOOP_LIMIT_NS)
		*why = xasprintf("/dev/kvm interprets guest code: %d loops took %llu us",
				 LOOP_COUNT, (unsigned long long)took / 1000);
	return !*why;
}
