// SPDX-License-Identifier: GPL-2.0
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <malloc.h>
#include <seccomp.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cleanup.h"

/* With any arguments. */
static const int calls[] = {
	/* vCPUs, devices and the control socket */
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(recvfrom),
	SCMP_SYS(sendto),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(poll),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(close),
	/* load.c, beside the guest's first steps */
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	/* where the vDSO has no clock */
	SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	/* the C library: locks, signals, threads' first and last steps, the heap */
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(futex),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(madvise),
	SCMP_SYS(munmap),
	SCMP_SYS(brk),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
#ifdef __SANITIZE_ADDRESS__
	SCMP_SYS(sigaltstack),
#endif
};

static const unsigned int requests[] = {
	KVM_RUN,
	KVM_IRQ_LINE,
	KVM_SIGNAL_MSI,
	KVM_IOEVENTFD,
	KVM_SET_GSI_ROUTING,
	/* freezing, registers, watches */
	KVM_KVMCLOCK_CTRL,
	KVM_GET_CLOCK,
	KVM_SET_CLOCK,
	KVM_GET_DEVICE_ATTR,
	KVM_SET_DEVICE_ATTR,
	KVM_GET_REGS,
	KVM_GET_SREGS,
	KVM_GET_MSRS,
	KVM_SET_GUEST_DEBUG,
};

/* @call, if its argument @n is @value. */
static int allow_with(scmp_filter_ctx ctx, int call, unsigned int n, uint64_t value)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1, SCMP_CMP(n, SCMP_CMP_EQ, value));
}

/* mmap(2) or mprotect(2) of memory that is not code. */
static int allow_no_code(scmp_filter_ctx ctx, int call)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

static int calls_allow(scmp_filter_ctx ctx)
{
	int err = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls) && !err; i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
	for (i = 0; i < ARRAY_SIZE(requests) && !err; i++)
		err = allow_with(ctx, SCMP_SYS(ioctl), 1, requests[i]);
	/* load.c opens RAM to the guest; none of it is code */
	err = err ?: allow_no_code(ctx, SCMP_SYS(mprotect));
#ifdef __SANITIZE_ADDRESS__ /* has a heap of its own */
	err = err ?: allow_no_code(ctx, SCMP_SYS(mmap));
#endif
	/* pthread_kill(3) of a vCPU */
	err = err ?: allow_with(ctx, SCMP_SYS(tgkill), 0, getpid());
	/* the console's last words do not wait */
	err = err ?: allow_with(ctx, SCMP_SYS(fcntl), 1, F_GETFL);
	return err ?: allow_with(ctx, SCMP_SYS(fcntl), 1, F_SETFL);
}

int confine_calls(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int err = ctx ? calls_allow(ctx) : -ENOMEM;

	err = err ?: seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	err = err ?: seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	err = err ?: seccomp_load(ctx);
	if (ctx)
		seccomp_release(ctx);
	return err;
}

int confine_privileges(void)
{
	cap_t none = cap_init();
	int err = 0;

	/* One heap for all threads, and all in it: nothing has to be mapped for an allocation. */
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_MAX, 0);
	if (!none || cap_set_proc(none) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}))
		err = -errno;
	if (none)
		cap_free(none);
	return err;
}
