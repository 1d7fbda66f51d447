// SPDX-License-Identifier: GPL-2.0
/*
 * Preloaded into a VMM: notes into the file $FIRST_RUN (16 bytes that are there, and zero) when it
 * first runs the vCPU that it created as number 0, in ns of CLOCK_REALTIME, and for how long it had
 * been in KVM_SET_USER_MEMORY_REGION until then. No system call is made in KVM_RUN's way, so that a
 * confined process can do it, too. FIRST_RUN_OF is the program that counts, where
 * one starts another and runs a vCPU of its own before. With FIRST_RUN_TABLES it reads a file with
 * a Y where it asks whether the CPU walks guests' page tables: it starts as it would on such a CPU,
 * whatever becomes of the guest then.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

int ioctl(int fd, unsigned long request, ...);

static uint64_t *note; /* the time, the time in KVM's hands */
static int boot_cpu = -1;
static int (*real_ioctl)(int fd, unsigned long request, ...);

static __attribute__((constructor)) void note_map(void)
{
	const char *path = getenv("FIRST_RUN"), *of = getenv("FIRST_RUN_OF");
	int fd = path && (!of || !strcmp(of, program_invocation_short_name))
			 ? open(path, O_RDWR | O_CLOEXEC)
			 : -1;

	real_ioctl = dlsym(RTLD_NEXT, "ioctl");
	note = mmap(NULL, 2 * sizeof(*note), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (note == MAP_FAILED)
		note = NULL;
	if (fd >= 0)
		close(fd);
}

static bool tables_asked(const char *path)
{
	return !strcmp(path, "/sys/module/kvm_intel/parameters/ept") ||
	       !strcmp(path, "/sys/module/kvm_amd/parameters/npt");
}

int open(const char *path, int flags, ...)
{
	const char *instead = getenv("FIRST_RUN_TABLES");
	va_list ap;
	int mode;

	va_start(ap, flags);
	mode = va_arg(ap, int);
	va_end(ap);
	return openat(AT_FDCWD, instead && tables_asked(path) ? instead : path, flags, mode);
}

static uint64_t realtime_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

int ioctl(int fd, unsigned long request, ...)
{
	bool memory = request == KVM_SET_USER_MEMORY_REGION && note;
	unsigned long arg;
	uint64_t start;
	va_list ap;
	int result;

	va_start(ap, request);
	arg = va_arg(ap, unsigned long);
	va_end(ap);
	if (request == KVM_RUN && fd == boot_cpu && note && !*note)
		*note = realtime_ns();
	start = memory ? realtime_ns() : 0;
	result = real_ioctl(fd, request, arg);
	if (memory)
		note[1] += realtime_ns() - start;
	if (request == KVM_CREATE_VCPU && !arg)
		boot_cpu = result;
	return result;
}
