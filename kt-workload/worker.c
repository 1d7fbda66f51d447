// SPDX-License-Identifier: GPL-2.0
#include "worker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "random.h"

#define SEED_SPIN_NS	(2 * NSEC_PER_MSEC)
#define INTRODUCE_TRIES 20	    /* of 10 ms */
#define STACK_SIZE	(256 << 10) /* of a thread: no work type is deep */

static long futex(_Atomic uint32_t *word, int op, uint32_t value)
{
	return syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

void gate_open(struct gate *gate)
{
	atomic_store(&gate->open, 1);
	futex(&gate->open, FUTEX_WAKE, INT_MAX);
}

static void gate_wait(struct gate *gate)
{
	while (!atomic_load(&gate->open))
		futex(&gate->open, FUTEX_WAIT, 0);
}

static void on_poke(int signal)
{
	(void)signal; /* only ends a wait */
}

/* To die with @parent, which may be dead already. */
static void follow(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
}

/* Nothing of the parent's stays but stderr and what the group shares. */
static void detach(pid_t parent, const struct group_fds *fds)
{
	struct sigaction poke = {.sa_handler = on_poke};
	sigset_t none;
	int null;

	follow(parent);
	signal(SIGINT, SIG_IGN); /* of a terminal: the parent's to handle */
	signal(SIGHUP, SIG_IGN);
	sigaction(SIGUSR1, &poke, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	null = open("/dev/null", O_RDWR);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	group_fds_close_others(fds);
	prctl(PR_SET_TIMERSLACK, 1UL); /* wake latencies without the 50 us of politeness */
}

/* Returns how often it slept: these switches are not the work's. */
static unsigned int wait_at(struct start_line *line)
{
	unsigned int slept = 0;

	atomic_fetch_add(&line->ready, 1);
	while (!atomic_load(&line->released))
		slept += !futex(&line->released, FUTEX_WAIT, 0);
	return slept;
}

/* What of its memory is allocated from now on follows the policy. */
static int take_memory_policy(const struct crew *crew, struct record *rec)
{
	const struct mempolicy *mp = &crew->def->mempolicy;
	int ret;

	if (!mp->text)
		return 0;
	/* The nodes are meant within its cgroup, so it has to be there. */
	gate_wait(crew->gate);
	ret = mempolicy_apply(mp);
	if (ret)
		snprintf(rec->why, sizeof(rec->why), "cannot set mempolicy=%.60s: %s%s", mp->text,
			 strerror(-ret),
			 ret == -EINVAL ? " (this kernel does not know it, or not with these flags)"
					: "");
	return ret;
}

/* The last thing before it works: from here on it may do what that user may. */
static int take_identity(const struct crew *crew, struct record *rec, pid_t parent)
{
	const struct identity *id = &crew->def->identity;
	int ret;

	if (!id->has_uid && !id->has_gid)
		return 0;
	gate_wait(crew->gate);
	ret = identity_assume(id);
	if (ret) {
		snprintf(rec->why, sizeof(rec->why), "cannot become uid %d, gid %d: %s",
			 id->has_uid ? (int)id->uid : -1, id->has_gid ? (int)id->gid : -1,
			 strerror(-ret));
		return ret;
	}
	/* A change of credentials ends the wish to die with the parent (prctl(2)). */
	if (parent)
		follow(parent);
	return 0;
}

/* From the set-up to the end; @parent is that of a process, 0 in a thread. Returns 0, or -1 when it
 * could not prepare. */
static int work(const struct crew *crew, struct worker *w, const struct spawn *spawn, pid_t parent)
{
	const struct work_type *type = w->spec->type;
	struct start_line *line = crew->line;
	uint64_t first = 0, id = (uint64_t)crew->def->index << 32 | w->index;
	struct timespec ts;
	bool more = true;

	if (take_memory_policy(crew, w->rec) || (type->setup && type->setup(w)) ||
	    take_identity(crew, w->rec, parent)) {
		atomic_store(&w->rec->state, RECORD_FAILED);
		return -1;
	}
	if (spawn->seeded)
		first = random_mix(random_mix(spawn->seed) ^ id) % SEED_SPIN_NS;
	usage_read_self(&w->rec->before);
	w->rec->pages_migrated = numa_pages_migrated();
	atomic_store(&w->rec->state, RECORD_READY);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	w->cpu_mark_ns = ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
	w->rec->before.voluntary_switches += wait_at(line);

	worker_measure_begin(w);
	while (more && worker_now(w) < line->start_ns + first) {
		work_spin(1);
		more = worker_checkpoint(w, 0);
	}
	if (more)
		type->run(w);
	worker_measure_end(w);
	return 0;
}

void worker_process(const struct crew *crew, struct worker *w, const struct group_fds *fds,
		    const struct spawn *spawn, pid_t parent)
{
	detach(parent, fds);
	w->fds = fds->fds;
	_exit(work(crew, w, spawn, parent) ? 1 : 0);
}

/* A thread, and what it is started with. */
struct thread {
	pthread_t id;
	bool started;
	const struct crew *crew;
	const struct spawn *spawn;
	struct worker worker;
};

static void *thread_main(void *arg)
{
	struct thread *t = arg;

	prctl(PR_SET_NAME, t->crew->def->comm);
	atomic_store(&t->worker.rec->tid, gettid());
	if (work(t->crew, &t->worker, t->spawn, 0))
		atomic_fetch_add(&t->crew->line->ready, 1); /* nobody is to wait for it */
	return NULL;
}

static int thread_start(struct thread *t, const pthread_attr_t *attr)
{
	int error = pthread_create(&t->id, attr, thread_main, t);

	t->started = !error;
	return error;
}

static void thread_failed(struct thread *t, int error)
{
	struct record *rec = t->worker.rec;

	snprintf(rec->why, sizeof(rec->why), "cannot start a thread: %s%s", strerror(error),
		 error == EAGAIN ? " (out of tasks: pids.max, RLIMIT_NPROC or threads-max)" : "");
	atomic_store(&rec->state, RECORD_FAILED);
	atomic_fetch_add(&t->crew->line->ready, 1); /* nobody is to wait for it */
}

static void threads_start(const struct crew *crew, const struct spawn *spawn,
			  struct thread *threads)
{
	unsigned int group = crew->def->work.group;
	struct group_fds fds = {};
	pthread_attr_t attr;
	char *stacks;
	int error = 0;
	uint32_t i;

	/* Stacks of our own: glibc would give each back at its thread's end. */
	stacks = mmap(NULL, (size_t)crew->def->workers * STACK_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (stacks == MAP_FAILED)
		error = errno;
	pthread_attr_init(&attr);
	for (i = 0; i < crew->def->workers; i++) {
		struct thread *t = &threads[i];

		/* They stay open as long as the process lives. */
		*t = (struct thread){.crew = crew, .spawn = spawn};
		crew_worker(crew, i, spawn, &t->worker);
		if (!error)
			pthread_attr_setstack(&attr, stacks + (size_t)i * STACK_SIZE, STACK_SIZE);
		if (!error && i % group == 0)
			error = -group_fds_open(&fds, &crew->def->work);
		t->worker.fds = fds.fds;
		if (!error)
			error = thread_start(t, &attr);
		if (error)
			thread_failed(t, error);
	}
}

/* A leader's. */
struct threads {
	struct thread *all;
	uint32_t n;
};

/* The first thread from @i on that has not said who it is. */
static uint32_t next_silent(const struct threads *t, uint32_t i)
{
	while (i < t->n && (!t->all[i].started || atomic_load(&t->all[i].worker.rec->tid)))
		i++;
	return i;
}

static bool has_spoken(const struct threads *t, int tid)
{
	uint32_t i;

	for (i = 0; i < t->n; i++) {
		if (atomic_load(&t->all[i].worker.rec->tid) == tid)
			return true;
	}
	return false;
}

/*
 * Say for threads that get no CPU who they are: those of the list that have not said it, which is
 * in the order of their creation (next_tid(), fs/proc/base.c).
 */
static void introduce(const struct threads *t)
{
	uint32_t silent = 0;
	struct dirent *e;
	int tries;
	DIR *d;

	for (tries = 0; tries < INTRODUCE_TRIES; tries++) {
		silent = next_silent(t, silent);
		if (silent == t->n)
			return;
		nanosleep(&(struct timespec){.tv_nsec = 10 * NSEC_PER_MSEC}, NULL);
	}
	d = opendir("/proc/self/task");
	while (d && (e = readdir(d))) {
		int tid = atoi(e->d_name);

		if (tid <= 0 || tid == getpid() || has_spoken(t, tid))
			continue;
		silent = next_silent(t, silent);
		if (silent == t->n)
			break;
		atomic_store(&t->all[silent].worker.rec->tid, tid);
	}
	if (d)
		closedir(d);
}

void leader_process(const struct crew *first, const struct spawn *spawn, pid_t parent)
{
	struct threads t = {};
	const struct crew *crew;
	struct rlimit files;
	int status = 0;
	uint32_t i;

	detach(parent, &(struct group_fds){});
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	gate_wait(first->gate);
	for (crew = first; crew; crew = crew->mate)
		t.n += crew->def->workers;
	t.all = xcalloc(t.n, sizeof(*t.all));
	for (crew = first, i = 0; crew; i += crew->def->workers, crew = crew->mate)
		threads_start(crew, spawn, t.all + i);
	introduce(&t);
	for (i = 0; i < t.n; i++) {
		if (t.all[i].started)
			pthread_join(t.all[i].id, NULL);
		else
			status = 1;
	}
	_exit(status);
}
