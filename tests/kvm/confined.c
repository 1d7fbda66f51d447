// SPDX-License-Identifier: GPL-2.0
/*
 * The confinement of the process that runs a guest: each call in a process that is confined as that
 * one is. Prints TAP; exit status 1 when something was not right.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "kvm/confine.h"

#define CONFINE_FAILED 99

static int event; /* an eventfd */
static void *page;
static pid_t outside; /* a process that is not confined */

#define CALL(name, ...)                             \
	static void try_##name(void)                \
	{                                           \
		syscall(SYS_##name, ##__VA_ARGS__); \
	}

CALL(open, "/dev/null", O_RDONLY)
CALL(openat, AT_FDCWD, "/dev/null", O_RDONLY)
CALL(openat2, AT_FDCWD, "/dev/null", NULL, 0)
CALL(execve, "/bin/true", NULL, NULL)
CALL(fork)
CALL(clone, SIGCHLD, NULL)
CALL(clone3, NULL, 0)
CALL(ptrace, 0, 0, 0, 0)
CALL(process_vm_readv, outside, NULL, 0, NULL, 0, 0)
CALL(socket, AF_INET, SOCK_STREAM, 0)
CALL(connect, 0, NULL, 0)
CALL(kill, outside, 0)
CALL(pidfd_open, outside, 0)
CALL(pidfd_getfd, 0, 0, 0)
CALL(unlink, "/nonexistent")
CALL(mkdir, "/nonexistent/x", 0)
CALL(memfd_create, "x", 0)
CALL(io_uring_setup, 1, NULL)
CALL(bpf, 0, NULL, 0)
CALL(userfaultfd, 0)
CALL(unshare, 0)
CALL(setuid, 0)
CALL(prctl, PR_SET_DUMPABLE, 1)
CALL(mprotect, page, 4096, PROT_READ | PROT_EXEC)
CALL(mmap, NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
CALL(dup, 0)
CALL(rt_sigaction, SIGSYS, NULL, NULL, 8)
CALL(read, event, page, 8)
CALL(write, event, &(uint64_t){1}, 8)
CALL(getpid)

static void try_request_terminal(void)
{
	ioctl(0, TIOCSTI, "x");
}

static void try_request_vm(void)
{
	ioctl(event, KVM_CREATE_VM, 0);
}

static void try_request_run(void)
{
	ioctl(event, KVM_RUN, 0);
}

static void try_other_process(void)
{
	syscall(SYS_tgkill, outside, outside, 0);
}

static void try_own_thread(void)
{
	syscall(SYS_tgkill, getpid(), getpid(), 0);
}

static void try_duplicate(void)
{
	fcntl(event, F_DUPFD, 0);
}

static void try_open_memory(void)
{
	mprotect(page, 4096, PROT_READ);
}

static void try_flags(void)
{
	fcntl(event, F_SETFL, fcntl(event, F_GETFL) | O_NONBLOCK);
}

static void try_clock(void)
{
	struct timespec t;

	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
}

static void try_heap(void)
{
	void *volatile small = malloc(100), *volatile large = malloc(4 << 20);

	free(large);
	free(small);
}

#define ROW(name, killed)                 \
	{                                 \
#name, try_##name, killed \
	}

static const struct {
	const char *name;
	void (*try)(void);
	bool killed;
} rows[] = {
	ROW(open, true),
	ROW(openat, true),
	ROW(openat2, true),
	ROW(execve, true),
	ROW(fork, true),
	ROW(clone, true),
	ROW(clone3, true),
	ROW(ptrace, true),
	ROW(process_vm_readv, true),
	ROW(socket, true),
	ROW(connect, true),
	ROW(kill, true),
	ROW(pidfd_open, true),
	ROW(pidfd_getfd, true),
	ROW(unlink, true),
	ROW(mkdir, true),
	ROW(memfd_create, true),
	ROW(io_uring_setup, true),
	ROW(bpf, true),
	ROW(userfaultfd, true),
	ROW(unshare, true),
	ROW(setuid, true),
	ROW(prctl, true),
	ROW(mprotect, true),
	ROW(mmap, true),
	ROW(dup, true),
	ROW(rt_sigaction, true),
	ROW(request_terminal, true),
	ROW(request_vm, true),
	ROW(other_process, true),
	ROW(duplicate, true),
	ROW(read, false),
	ROW(write, false),
	ROW(getpid, false),
	ROW(request_run, false),
	ROW(own_thread, false),
	ROW(open_memory, false),
	ROW(flags, false),
	ROW(clock, false),
	ROW(heap, false),
};

static pthread_barrier_t started, confined;

static void *thread(void *arg)
{
	pthread_barrier_wait(&started);
	pthread_barrier_wait(&confined);
	rows[(size_t)arg].try();
	return NULL;
}

/* In a child: confined, make the call from this thread or from another that was there before. */
static void __attribute__((noreturn)) child(size_t row, bool threaded)
{
	pthread_t t;

	alarm(30);
	pthread_barrier_init(&started, NULL, 2);
	pthread_barrier_init(&confined, NULL, 2);
	if (confine_privileges() || (threaded && pthread_create(&t, NULL, thread, (void *)row)))
		_exit(CONFINE_FAILED);
	if (threaded)
		pthread_barrier_wait(&started);
	if (confine_calls())
		_exit(CONFINE_FAILED);
	if (threaded) {
		pthread_barrier_wait(&confined);
		pthread_join(t, NULL);
	} else {
		rows[row].try();
	}
	_exit(0);
}

int main(void)
{
	unsigned int n = 0, wrong = 0;
	size_t i;

	event = eventfd(1, EFD_NONBLOCK);
	outside = getpid();
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		bool threaded = i % 2, right;
		pid_t pid = fork();
		int status = -1;

		if (pid == 0)
			child(i / 2, threaded);
		waitpid(pid, &status, 0);
		right = rows[i / 2].killed ? WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS
					   : WIFEXITED(status) && !WEXITSTATUS(status);
		printf("%s %u - %s%s: %s\n", right ? "ok" : "not ok", ++n, rows[i / 2].name,
		       threaded ? " from another thread" : "",
		       rows[i / 2].killed ? "killed" : "allowed");
		wrong += !right;
	}
	printf("1..%u\n", n);
	return wrong != 0;
}
