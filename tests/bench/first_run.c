// SPDX-License-Identifier: GPL-2.0
/*
 * Preloaded into a VMM: notes into the file $FIRST_RUN (8 bytes that are there, and zero) when it
 * first runs the vCPU that it created as number 0, in ns of CLOCK_REALTIME. No system call is made
 * then, so that a confined process can do it, too.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

int ioctl(int fd, unsigned long request, ...);

static uint64_t *note;
static int boot_cpu = -1;
static int (*real_ioctl)(int fd, unsigned long request, ...);

static __attribute__((constructor)) void note_map(void)
{
	const char *path = getenv("FIRST_RUN");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

	real_ioctl = dlsym(RTLD_NEXT, "ioctl");
	note = mmap(NULL, sizeof(*note), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (note == MAP_FAILED)
		note = NULL;
	if (fd >= 0)
		close(fd);
}

int ioctl(int fd, unsigned long request, ...)
{
	unsigned long arg;
	struct timespec t;
	va_list ap;
	int result;

	va_start(ap, request);
	arg = va_arg(ap, unsigned long);
	va_end(ap);
	if (request == KVM_RUN && fd == boot_cpu && note && !*note) {
		clock_gettime(CLOCK_REALTIME, &t);
		*note = t.tv_sec * 1000000000ULL + t.tv_nsec;
	}
	result = real_ioctl(fd, request, arg);
	if (request == KVM_CREATE_VCPU && !arg)
		boot_cpu = result;
	return result;
}
