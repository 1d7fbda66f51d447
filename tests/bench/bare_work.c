// SPDX-License-Identifier: GPL-2.0
/*
 * What some work types do, without telemetry: the same load in as few lines as it takes, on CPU 0.
 *
 * bare_work futex|pipe|yield|mutex OPS: do so many operations in all and print how many were done
 * per second of CPU time of all processes, as each has it within its loop. An operation is what the
 * work type's unit is: a turn handed over, a byte handed over, a yield, a time that the lock was
 * held.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The work types' defaults. */
#define SPIN	   1024
#define HOLD	   256
#define CONTENDERS 4

static struct {
	_Atomic uint32_t turn;
	pthread_mutex_t mutex;
	_Atomic uint64_t cpu_ns;
} * shared;
static int pipes[2][2];

static void spin(uint64_t turns)
{
	while (turns) {
		turns--;
		__asm__ volatile("" : "+r"(turns));
	}
}

static void futex_player(uint32_t me, uint64_t n)
{
	while (n--) {
		while (atomic_load(&shared->turn) != me)
			syscall(SYS_futex, &shared->turn, FUTEX_WAIT, !me, NULL, NULL, 0);
		spin(SPIN);
		atomic_store(&shared->turn, !me);
		syscall(SYS_futex, &shared->turn, FUTEX_WAKE, 1, NULL, NULL, 0);
	}
}

static void pipe_player(uint32_t me, uint64_t n)
{
	char byte;

	while (n--) {
		if (read(pipes[me][0], &byte, 1) != 1)
			exit(1);
		spin(SPIN);
		if (write(pipes[!me][1], "", 1) != 1)
			exit(1);
	}
}

static void yielder(uint32_t me, uint64_t n)
{
	(void)me;
	while (n--)
		sched_yield();
}

static void contender(uint32_t me, uint64_t n)
{
	(void)me;
	while (n--) {
		spin(SPIN);
		pthread_mutex_lock(&shared->mutex);
		spin(HOLD);
		pthread_mutex_unlock(&shared->mutex);
	}
}

static const struct load {
	const char *name;
	uint32_t workers;
	void (*run)(uint32_t me, uint64_t n);
} loads[] = {
	{"futex", 2, futex_player},
	{"pipe", 2, pipe_player},
	{"yield", 1, yielder},
	{"mutex", CONTENDERS, contender},
};

static void prepare(void)
{
	pthread_mutexattr_t attr;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED || pipe(pipes[0]) || pipe(pipes[1]))
		exit(1);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&shared->mutex, &attr);
	if (write(pipes[0][1], "", 1) != 1)
		exit(1);
}

static uint64_t cpu_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void child_main(const struct load *l, uint32_t me, uint64_t n)
{
	uint64_t begin = cpu_time();

	l->run(me, n);
	atomic_fetch_add(&shared->cpu_ns, cpu_time() - begin);
	_exit(0);
}

int main(int argc, char **argv)
{
	uint64_t ops = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
	size_t i;
	uint32_t k;

	for (i = 0; ops && i < sizeof(loads) / sizeof(*loads); i++) {
		const struct load *l = &loads[i];

		if (strcmp(l->name, argv[1]))
			continue;
		prepare();
		for (k = 0; k < l->workers; k++) {
			if (!fork())
				child_main(l, k, ops / l->workers);
		}
		while (wait(NULL) > 0)
			;
		printf("%.0f\n", ops * 1e9 / shared->cpu_ns);
		return 0;
	}
	fprintf(stderr,
		"bare_work: expected futex, pipe, yield or mutex, and a number of operations\n");
	return 64;
}
