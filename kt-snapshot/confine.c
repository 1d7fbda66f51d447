// SPDX-License-Identifier: GPL-2.0
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <seccomp.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "cleanup.h"
#include "diag.h"

/* The sanitizer's own memory counts, which is terabytes. */
#ifdef __SANITIZE_ADDRESS__
#define MAX_BYTES RLIM_INFINITY
#else
#define MAX_BYTES CONFINE_MAX_BYTES
#endif

/* No way to a file, a process or a network that is not open already. */
static const int allowed[] = {
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(pread64),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(lseek),
	SCMP_SYS(ftruncate), /* a core file ends with a hole */
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(close),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(futex),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(sysinfo), /* qsort(3) */
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getrandom),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(tgkill),
#ifdef __SANITIZE_ADDRESS__
	SCMP_SYS(sigaltstack), /* before exit() */
#endif
};

/* Memory that never is code. */
static int allow_memory(scmp_filter_ctx ctx)
{
	int err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				   SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));

	return err ? err
		   : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				      SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

/* stdio asks for a descriptor's flags and nothing more. */
static int allow_flags(scmp_filter_ctx ctx)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
				SCMP_A1(SCMP_CMP_EQ, F_GETFL, 0));
}

/* It asks whether one is a terminal, too. */
static int allow_terminal(scmp_filter_ctx ctx)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				SCMP_A1(SCMP_CMP_EQ, TCGETS));
}

static int filter_calls(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int err = ctx ? 0 : -ENOMEM;
	size_t i;

	for (i = 0; !err && i < ARRAY_SIZE(allowed); i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	if (!err)
		err = allow_memory(ctx);
	if (!err)
		err = allow_flags(ctx);
	if (!err)
		err = allow_terminal(ctx);
	if (!err)
		err = seccomp_load(ctx);
	if (ctx)
		seccomp_release(ctx);
	return err;
}

static int drop_capabilities(void)
{
	cap_t none = cap_init();
	int err = !none || cap_set_proc(none) ? -errno : 0;

	if (none)
		cap_free(none);
	return err;
}

int confine(char **why)
{
	const struct rlimit memory = {MAX_BYTES, MAX_BYTES}, no_core = {0, 0};
	int err = 0;

	json_object_seed(0); /* its numbers come from a file */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || setrlimit(RLIMIT_DATA, &memory) ||
	    setrlimit(RLIMIT_CORE, &no_core))
		err = -errno;
	if (!err)
		err = drop_capabilities();
	if (!err)
		err = filter_calls();
	if (err)
		*why = xasprintf("cannot give up privileges: %s", strerror(-err));
	return err;
}
