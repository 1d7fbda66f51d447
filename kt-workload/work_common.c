// SPDX-License-Identifier: GPL-2.0
#include "work_common.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup.h"
#include "diag.h"
#include "work_wait.h"

void work_machine_read(struct machine *m)
{
	const char *sysfs = getenv("KT_SYSFS");

	machine_read(m, sysfs && *sysfs ? sysfs : "/sys");
}

int work_needs_nodes(const struct work_spec *spec, char **why)
{
	struct machine m;
	size_t nodes;

	work_machine_read(&m);
	nodes = m.n_nodes;
	machine_free(&m);
	if (nodes > 1)
		return 0;
	*why = xasprintf("%s: expected a machine with two or more NUMA nodes, but this one has one",
			 spec->type->name);
	return -EINVAL;
}

int worker_fail(struct worker *w, int err, const char *fmt, ...)
{
	char *why = w->rec->why;
	size_t size = sizeof(w->rec->why), len;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, size, fmt, ap);
	va_end(ap);
	len = strlen(why);
	snprintf(why + len, size - len, ": %s", strerror(err));
	return -err;
}

void worker_lacks(struct worker *w, int err, const char *what)
{
	if (!w->rec->why[0])
		worker_fail(w, err, "%s", what);
}

void *worker_memory(struct worker *w, size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (memory != MAP_FAILED)
		return memory;
	worker_fail(w, errno, "cannot get %zu bytes of memory", size);
	return NULL;
}

int worker_try(int (*call)(void))
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		_exit(call() ? errno : 0);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

const struct cpuset *worker_cpus(const struct worker *w, const struct cpuset *own)
{
	return w->allowed.confined ? &w->allowed.cpus : own;
}

int worker_cgroup(struct worker *w, char **dir)
{
	struct timespec pause = {.tv_nsec = NSEC_PER_MSEC};
	int tries;

	for (tries = 0; tries < 3000; tries++) {
		*dir = cgroup_own_in_run();
		if (*dir)
			return 0;
		nanosleep(&pause, NULL);
	}
	return worker_fail(w, ESRCH, "%s: no cgroup of a run", w->spec->type->name);
}

int affinity_read(struct cpuset *cpus)
{
	cpuset_clear(cpus);
	return sched_getaffinity(0, sizeof(*cpus), (cpu_set_t *)cpus) ? -errno : 0;
}

int affinity_set(int tid, const struct cpuset *cpus)
{
	return sched_setaffinity(tid, sizeof(*cpus), (const cpu_set_t *)cpus) ? -errno : 0;
}

void birth_note(struct birth *birth)
{
	birth->cpu = cpu_now();
	atomic_store(&birth->ns, clock_now());
}

void worker_note_birth(struct worker *w, const struct birth *birth, uint64_t forked)
{
	uint64_t born = atomic_load(&birth->ns);

	if (born > forked &&
	    (born - forked > w->tally->gap.ns || atomic_load(&w->line->phase) != w->phase))
		worker_gap(w, forked, born, birth->cpu);
}

int worker_fork(struct worker *w, struct birth *birth)
{
	int pid;

	atomic_store(&birth->ns, 0);
	worker_wait_begin(w, DUE_UNKNOWN);
	pid = fork();
	if (pid < 0)
		worker_lacks(w, errno, "cannot make a process");
	if (pid)
		return pid;
	birth_note(birth);
	record_wake(w, w->rec);
	_exit(0);
}

/* Returns whether @pid is reaped. */
static bool child_reap(struct worker *w, int pid)
{
	while (waitpid(pid, NULL, 0) < 0) {
		if (errno != EINTR)
			return true;
		if (!work_stopping(w))
			continue;
		kill(pid, SIGKILL);
		return waitpid(pid, NULL, WNOHANG) == pid;
	}
	return true;
}

bool worker_join(struct worker *w, const struct birth *birth, int pid, uint64_t forked)
{
	bool reaped;

	worker_checkpoint(w, 0);
	reaped = child_reap(w, pid);
	worker_note_birth(w, birth, forked);
	w->tally->units += reaped;
	w->tally->iterations += reaped;
	return worker_wait_end(w, reaped);
}

int run_delay_open(void)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/schedstat", gettid());
	return open(path, O_RDONLY | O_CLOEXEC);
}

uint64_t run_delay_read(int fd)
{
	char buf[96], *p;
	ssize_t n = fd < 0 ? -1 : pread(fd, buf, sizeof(buf) - 1, 0);

	if (n <= 0)
		return 0;
	buf[n] = '\0';
	strtoull(buf, &p, 10);
	return strtoull(p, NULL, 10);
}
