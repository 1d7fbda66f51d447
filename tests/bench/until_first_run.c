// SPDX-License-Identifier: GPL-2.0
/*
 * until_first_run PRELOAD COMMAND [ARG...]: start COMMAND with the library PRELOAD (first_run.c),
 * print the milliseconds from its exec to its first KVM_RUN, and how many of them it was in
 * KVM_SET_USER_MEMORY_REGION; and end it. What measures sleeps meanwhile: it takes no CPU from what
 * it measures.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_NS 60000000000ULL

static uint64_t realtime_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

int main(int argc, char **argv)
{
	int fd = memfd_create("note", 0);
	uint64_t *note = MAP_FAILED, start;
	char path[64];
	pid_t pid;

	if (argc < 3 || fd < 0)
		return 64;
	if (!ftruncate(fd, 2 * sizeof(*note)))
		note = mmap(NULL, 2 * sizeof(*note), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (note == MAP_FAILED)
		return 1;
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), fd);
	setenv("FIRST_RUN", path, 1);
	setenv("LD_PRELOAD", argv[1], 1);
	start = realtime_ns();
	pid = vfork();
	if (!pid) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	while (!*(volatile uint64_t *)note && realtime_ns() - start < LIMIT_NS &&
	       !waitpid(pid, NULL, WNOHANG))
		usleep(20000);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	if (!*note)
		return 1;
	printf("%.2f %.2f\n", (note[0] - start) / 1e6, note[1] / 1e6);
	return 0;
}
