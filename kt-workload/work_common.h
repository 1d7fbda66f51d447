/* SPDX-License-Identifier: GPL-2.0 */
/* What several families of work types need: preparing, choosing CPUs, waiting on a futex. */
#ifndef KT_WORK_COMMON_H
#define KT_WORK_COMMON_H

#include "machine.h"
#include "work.h"

/* The machine as kt-workload sees it (KT_SYSFS). Release with machine_free(). */
void work_machine_read(struct machine *m);

/* For work_type.setup(): say in rec->why what is wrong, with strerror(@err) behind; -@err. */
int worker_fail(struct worker *w, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * While it works: a call of the load failed with @err, as the machine is out of something or the
 * worker may not. The first time is told at the end and fails the run; the worker goes on with a
 * lighter load.
 */
void worker_lacks(struct worker *w, int err, const char *what);

/*
 * Zeroed private memory for the worker's life, all pages there; NULL with rec->why filled in. It
 * goes away with the worker.
 */
void *worker_memory(struct worker *w, size_t size);

/*
 * Try in a child process whether @call (0 or -1 with errno) is allowed to this worker, without
 * changing anything of the worker itself. Returns 0 or -errno.
 */
int worker_try(int (*call)(void));

/*
 * For work_type.complete() of types that need two NUMA nodes with CPUs or memory: 0, or -EINVAL
 * with *@why.
 */
int work_needs_nodes(const struct work_spec *spec, char **why);

/* The CPUs that the worker may use: its cgroup's, where it is confined, else @own. */
const struct cpuset *worker_cpus(const struct worker *w, const struct cpuset *own);

/*
 * Directory of the cgroup that the worker was put into; waits until that is so. Returns 0 or
 * -errno with rec->why filled in. Caller frees.
 */
int worker_cgroup(struct worker *w, char **dir);

/* The caller's CPU affinity. Returns 0 or -errno. */
int affinity_read(struct cpuset *cpus);

/* Set the affinity of @tid (0: the caller's). Returns 0 or -errno. */
int affinity_set(int tid, const struct cpuset *cpus);

/* Where a child leaves when and where it first ran; in a group's shared memory. */
struct birth {
	_Atomic uint64_t ns;
	int cpu;
};

/* Note that the calling process, a child, runs. */
void birth_note(struct birth *birth);

/*
 * The time from @forked to the child's birth, if it is known, counts as a gap of the worker: nobody
 * else would see a child that gets no CPU.
 */
void worker_note_birth(struct worker *w, const struct birth *birth, uint64_t forked);

/*
 * Begin a wait and make a child that exits at once; the wait is over with its last instruction.
 * Returns its pid or -1.
 */
int worker_fork(struct worker *w, struct birth *birth);

/*
 * End that wait: reap the child (a unit and an iteration), at most until the stop; then it is
 * killed. One that gets no CPU to die on is left to who ends the worker. Returns what
 * worker_checkpoint() does.
 */
bool worker_join(struct worker *w, const struct birth *birth, int pid, uint64_t forked);

/* xorshift64 (Marsaglia: Xorshift RNGs, 2003): the next number; *@state must not be 0. */
static inline uint64_t random_next(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

/* A state to begin with, different for each worker of a cgroup. */
static inline uint64_t random_seed(const struct worker *w)
{
	return (w->index + 1) * 0x9e3779b97f4a7c15ULL;
}

/* The time in worker's terms that is left until its stop; 0 when it is there. */
static inline struct timespec worker_left(struct worker *w)
{
	uint64_t now = worker_now(w);
	uint64_t stop = atomic_load_explicit(&w->rec->stop_ns, memory_order_relaxed);
	uint64_t left = now < stop ? stop - now : 0;

	return (struct timespec){.tv_sec = left / NSEC_PER_SEC, .tv_nsec = left % NSEC_PER_SEC};
}

/*
 * The caller's file of its waits for a CPU, or -1. It is the one in /proc/TID: what was looked up
 * below /proc/thread-self of thousands of threads is in one directory, which each of them that ends
 * goes through.
 */
int run_delay_open(void);

/*
 * How long the caller waited for a CPU in its life, as that file (open as @fd) has it; 0 when it is
 * not known.
 */
uint64_t run_delay_read(int fd);

#endif
