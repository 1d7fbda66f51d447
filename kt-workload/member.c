// SPDX-License-Identifier: GPL-2.0
#include "member.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "group_fds.h"
#include "own_memory.h"
#include "patience.h"
#include "worker.h"

#define CACHE_LINE	64
#define THREADS_WAIT_NS (2 * NSEC_PER_SEC) /* for the next thread to come up */
#define LINES(n)	(((n) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE)

static unsigned int groups_of(const struct group_def *def)
{
	return def->workers / def->work.group;
}

/* How many words hold a bit for every CPU that there may be. */
static size_t cpu_words(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF), bits = 8 * sizeof(unsigned long);

	return cpus < 1 || cpus > CPUSET_MAX ? CPUSET_MAX / bits : (cpus + bits - 1) / bits;
}

static struct histogram *take_histogram(char **memory)
{
	struct histogram *h = (void *)*memory;

	*memory += LINES(sizeof(*h));
	return h;
}

int crew_init(struct crew *crew, const struct group_def *def, struct start_line *line, bool steps)
{
	uint32_t n_tallies = 1 + (steps ? STEP_TALLIES : 0);
	bool blocks = def->work.type->blocks, requests = def->work.type->requests;
	size_t n = def->workers, i, k;
	size_t n_hist = n * (blocks + requests), words = cpu_words();
	size_t shared = LINES(def->work.shared_size);
	unsigned long *cpus;
	char *hist;
	struct tally *tallies;
	struct record *records;

	*crew = (struct crew){
		.def = def,
		.line = line,
	};
	crew->memory_size = LINES(sizeof(*crew->gate)) + n * sizeof(*records) +
			    n * n_tallies * sizeof(*tallies) +
			    LINES(n * n_tallies * words * sizeof(*cpus)) +
			    n_hist * LINES(sizeof(struct histogram)) + groups_of(def) * shared;
	if (!n)
		return 0;
	/* All pages are there before the start, so that no checkpoint takes a fault. */
	crew->memory = mmap(NULL, crew->memory_size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (crew->memory == MAP_FAILED) {
		crew->memory = NULL;
		return -errno;
	}
	crew->gate = crew->memory;
	records = (void *)((char *)crew->memory + LINES(sizeof(*crew->gate)));
	tallies = (void *)(records + n);
	cpus = (void *)(tallies + n * n_tallies);
	hist = (char *)cpus + LINES(n * n_tallies * words * sizeof(*cpus));
	crew->members = own_memory(n, sizeof(*crew->members));
	crew->peers = xcalloc(n, sizeof(*crew->peers));
	for (i = 0; i < n; i++) {
		struct record *r = &records[i];

		r->tallies = &tallies[i * n_tallies];
		r->n_tallies = n_tallies;
		r->cpu_words = words;
		r->stop_ns = UINT64_MAX;
		for (k = 0; k < n_tallies; k++, cpus += words)
			r->tallies[k].cpus = cpus;
		if (blocks)
			r->wake = take_histogram(&hist);
		if (requests)
			r->request = take_histogram(&hist);
		crew->members[i] = (struct member){
			.index = i,
			.crew = crew,
			.rec = r,
		};
		crew->peers[i] = r;
	}
	return 0;
}

void crew_free(struct crew *crew)
{
	if (crew->memory)
		munmap(crew->memory, crew->memory_size);
	if (crew->def)
		own_memory_free(crew->members, crew->def->workers, sizeof(*crew->members));
	free(crew->peers);
	free(crew->masks);
	latencies_free(&crew->wake, crew->def ? crew->def->workers : 0);
	latencies_free(&crew->request, crew->def ? crew->def->workers : 0);
	*crew = (struct crew){};
}

/* A group's shared memory lies behind all else. */
static void *group_memory(const struct crew *crew, uint32_t index)
{
	const struct work_spec *spec = &crew->def->work;
	size_t size = LINES(spec->shared_size);

	if (!size)
		return NULL;
	return (char *)crew->memory + crew->memory_size - groups_of(crew->def) * size +
	       index / spec->group * size;
}

void crew_worker(const struct crew *crew, uint32_t index, const struct spawn *spawn,
		 struct worker *w)
{
	struct record *rec = crew->peers[index]; /* the members are the parent's own */

	*w = (struct worker){
		.rec = rec,
		.tally = rec->tallies,
		.line = crew->line,
		.spec = &crew->def->work,
		.index = index,
		.count = crew->def->workers,
		.peers = crew->peers,
		.shared = group_memory(crew, index),
		.units_per_check = spawn->units_per_check,
		.clock = {.usable = spawn->ticks_usable},
		.fd = -1,
	};
}

static int member_spawn(struct crew *crew, struct member *m, const struct group_fds *fds,
			const struct spawn *spawn)
{
	pid_t parent = getpid(), pid;
	uint32_t index = m->index; /* the child does not have *m */
	struct worker w;
	int ret;

	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		crew_worker(crew, index, spawn, &w);
		worker_process(crew, &w, fds, spawn, parent);
	}
	m->pid = pid;
	m->state = MEMBER_ALIVE;
	crew->n_alive++;
	ret = spawn->settle(spawn->ctx, m, m->pid);
	return ret ? ret : spawn->dress(spawn->ctx, m);
}

static int processes_spawn(struct crew *crew, const struct spawn *spawn)
{
	unsigned int group = crew->def->work.group;
	struct group_fds fds = {};
	uint32_t i;
	int ret = 0;

	for (i = 0; i < crew->def->workers && !ret; i++) {
		if (i % group == 0) {
			group_fds_close(&fds);
			ret = group_fds_open(&fds, &crew->def->work);
		}
		if (!ret)
			ret = member_spawn(crew, &crew->members[i], &fds, spawn);
	}
	group_fds_close(&fds);
	return ret;
}

/*
 * Wait until it is known who the leader's threads are; no longer than that without a new one. One
 * that gets no CPU is known by the leader, and when that gets none either, the run goes on without
 * them.
 */
static void threads_meet(struct crew *crew, const struct spawn *spawn)
{
	struct patience patience;
	uint32_t i = 0;

	patience_begin(&patience, THREADS_WAIT_NS);
	while (i < crew->def->workers && crew->n_alive) {
		struct member *m = &crew->members[i];

		m->pid = atomic_load(&m->rec->tid);
		if (m->pid || atomic_load(&m->rec->state) == RECORD_FAILED) {
			patience_begin(&patience, THREADS_WAIT_NS);
			i++;
		} else if (patience_over(&patience)) {
			warn("%u of %u threads in cgroup '%s' did not come up: going on without "
			     "them",
			     crew->def->workers - i, crew->def->workers, crew->def->cgroup->name);
			return;
		} else {
			spawn->wait(spawn->ctx, clock_now() + NSEC_PER_MSEC / 2);
		}
	}
}

static void threads_led(struct crew *crew, pid_t leader)
{
	uint32_t i;

	crew->leader = leader;
	for (i = 0; i < crew->def->workers; i++)
		crew->members[i].state = MEMBER_ALIVE;
	crew->n_alive = crew->def->workers;
}

static int threads_dress(struct crew *crew, const struct spawn *spawn)
{
	uint32_t i;
	int ret = 0;

	threads_meet(crew, spawn);
	for (i = 0; i < crew->def->workers && !ret; i++) {
		struct member *m = &crew->members[i];

		m->late = !m->pid && atomic_load(&m->rec->state) != RECORD_FAILED;
		ret = m->pid ? spawn->dress(spawn->ctx, m) : 0;
	}
	return ret;
}

static void gates_open(struct crew *crew)
{
	for (; crew; crew = crew->mate)
		gate_open(crew->gate);
}

/* One process whose threads are the workers: a process is in one cgroup with all its threads. */
static int threads_spawn(struct crew *first, const struct spawn *spawn)
{
	pid_t parent = getpid(), leader = fork();
	struct crew *crew;
	int ret;

	if (leader < 0)
		return -errno;
	if (leader == 0)
		leader_process(first, spawn, parent);
	for (crew = first; crew; crew = crew->mate)
		threads_led(crew, leader);
	ret = spawn->settle(spawn->ctx, &first->members[0], leader);
	if (ret)
		return ret;
	gates_open(first);
	for (crew = first; crew && !ret; crew = crew->mate)
		ret = threads_dress(crew, spawn);
	return ret;
}

int crew_spawn(struct crew *crew, const struct spawn *spawn)
{
	char name[16] = "";
	int ret = 0;

	if (!crew->def->workers)
		return 0;
	/* A child has its name from birth this way, when the scheduler first sees it. */
	prctl(PR_GET_NAME, name);
	prctl(PR_SET_NAME, crew->def->pcomm[0] ? crew->def->pcomm : crew->def->comm);
	ret = crew->def->threads ? threads_spawn(crew, spawn) : processes_spawn(crew, spawn);
	prctl(PR_SET_NAME, name);
	gates_open(crew);
	return ret;
}

void crew_stop_at(struct crew *crew, uint64_t ns)
{
	uint32_t i;

	for (i = 0; i < crew->def->workers; i++)
		atomic_store(&crew->members[i].rec->stop_ns, ns);
}

struct allowed member_effective(const struct member *m, const struct allowed *to)
{
	const struct cpuset *mask = m->crew->masks ? &m->crew->masks[m->index] : NULL;
	struct allowed a = *to;

	if (!mask)
		return a;
	if (!a.confined)
		a.cpus = *mask;
	cpuset_and(&a.cpus, mask);
	a.confined = true;
	/* A mask that leaves none of the cgroup's CPUs is not in force (kernel/cgroup/cpuset.c). */
	return cpuset_count(&a.cpus) ? a : *to;
}

static void member_allow(struct member *m, const struct allowed *to, const struct cpuset *online)
{
	if (m->state != MEMBER_PLANNED && !m->life.confined)
		m->life.cpus = *online;
	m->life.confined |= to->confined;
	cpuset_or(&m->life.cpus, to->confined ? &to->cpus : online);
	record_allow(m->rec, to->confined ? &to->cpus : NULL);
}

void crew_allow(struct crew *crew, const struct allowed *to, const struct cpuset *online)
{
	uint32_t i;

	for (i = 0; i < crew->def->workers; i++) {
		struct member *m = &crew->members[i];

		m->now = member_effective(m, to);
		member_allow(m, &m->now, online);
	}
}

void crew_allow_also(struct crew *crew, const struct allowed *to, const struct cpuset *online)
{
	uint32_t i;

	for (i = 0; i < crew->def->workers; i++) {
		struct member *m = &crew->members[i];
		struct allowed both = member_effective(m, to);

		both.confined &= m->now.confined;
		cpuset_or(&both.cpus, &m->now.cpus);
		member_allow(m, &both, online);
	}
}

void crew_poke(const struct crew *crew)
{
	uint32_t i;

	for (i = 0; i < crew->def->workers; i++) {
		const struct member *m = &crew->members[i];

		if (m->state == MEMBER_ALIVE && m->pid &&
		    atomic_load(&m->rec->state) != RECORD_DONE)
			syscall(SYS_tgkill, crew->leader ? crew->leader : m->pid, m->pid, SIGUSR1);
	}
}

size_t crew_alive(const struct crew *crew)
{
	return crew->n_alive;
}

void start_line_release(struct start_line *line, struct crew *const *crews, size_t n,
			uint64_t run_ns)
{
	size_t c;
	uint32_t i;

	line->start_ns = clock_now();
	for (c = 0; c < n; c++) {
		for (i = 0; crews[c]->line == line && i < crews[c]->def->workers; i++) {
			const struct member *m = &crews[c]->members[i];
			struct record *r = m->rec;

			/* Who is not there yet starts now all the same. */
			if (atomic_load(&r->state) == RECORD_NEW && m->pid)
				usage_read_pid(&r->before, m->pid);
			atomic_store(&r->last_ns, line->start_ns);
			if (run_ns != UINT64_MAX)
				atomic_store(&r->stop_ns, line->start_ns + run_ns);
		}
	}
	atomic_store(&line->released, 1);
	syscall(SYS_futex, &line->released, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* The CPU that @pid is or was last on (proc(5), stat, field 39), or -1. */
static int cpu_of(pid_t pid)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[32], buf[1024], *p;
	int field;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f || !fgets(buf, sizeof(buf), f))
		return -1;
	/* The name in parentheses is field 2 and may hold anything. */
	p = strrchr(buf, ')');
	for (field = 2; p && field < 39; field++)
		p = strchr(p + 1, ' ');
	return p ? atoi(p) : -1;
}

static void process_note_end(struct member *m)
{
	struct rusage ru;

	if (!m->gone_ns)
		m->gone_ns = clock_now();
	/* A zombie still has its figures. */
	if (atomic_load(&m->rec->state) != RECORD_DONE && !m->timed_out) {
		usage_read_pid(&m->rec->after, m->pid);
		m->usage_known = true;
		m->last_cpu = cpu_of(m->pid);
	}
	wait4(m->pid, &m->status, 0, &ru);
	if (m->usage_known) {
		m->rec->after.voluntary_switches = ru.ru_nvcsw;
		m->rec->after.involuntary_switches = ru.ru_nivcsw;
	}
	m->state = MEMBER_GONE;
	m->crew->n_alive--;
}

static void threads_note_end(struct crew *crew, int status, uint64_t now)
{
	uint32_t i;

	for (i = 0; i < crew->def->workers; i++) {
		struct member *m = &crew->members[i];
		int state = atomic_load(&m->rec->state);

		m->status = state == RECORD_DONE     ? 0
			    : state == RECORD_FAILED ? W_EXITCODE(1, 0)
						     : status;
		m->state = MEMBER_GONE;
		m->gone_ns = m->gone_ns ? m->gone_ns : now;
		m->last_cpu = m->timed_out ? m->last_cpu : -1;
	}
	crew->n_alive = 0;
}

/* The leader ends after its threads, or all of them with it. */
static void leader_note_end(struct crew *first)
{
	struct crew *crew;
	int status;

	waitpid(first->leader, &status, 0);
	for (crew = first; crew; crew = crew->mate)
		threads_note_end(crew, status, clock_now());
}

void member_note_end(struct member *m)
{
	if (m->crew->leader)
		leader_note_end(m->crew);
	else
		process_note_end(m);
}

void crew_give_up(struct crew *crew)
{
	struct sched_param fifo = {.sched_priority = 1};
	uint32_t i;

	for (i = 0; i < crew->def->workers; i++) {
		struct member *m = &crew->members[i];

		if (m->state != MEMBER_ALIVE || atomic_load(&m->rec->state) == RECORD_DONE)
			continue;
		m->timed_out = true;
		m->gone_ns = clock_now();
		m->last_cpu = -1;
		if (!m->pid)
			continue;
		usage_read_pid(&m->rec->after, m->pid);
		/* What it still waits for is not in run_delay: the kernel adds a wait at its end.
		 */
		m->rec->after.schedstat_known = false;
		m->last_cpu = cpu_of(m->pid);
		kill(crew->leader ? crew->leader : m->pid, SIGKILL);
		/* To die it has to run, and its scheduler may be what keeps it from that. */
		sched_setscheduler(m->pid, SCHED_FIFO, &fifo);
	}
	if (crew->leader && crew->n_alive) {
		kill(crew->leader, SIGKILL);
		sched_setscheduler(crew->leader, SCHED_FIFO, &fifo);
	}
}

static void member_complete(struct member *m)
{
	struct record *r = m->rec;
	uint64_t stop = atomic_load(&r->stop_ns), last = atomic_load(&r->last_ns);
	uint64_t end = m->gone_ns < stop ? m->gone_ns : stop;
	uint64_t due = atomic_load(&r->due_ns), known = m->kept.cpu_ns;
	uint32_t i;

	if (m->state == MEMBER_PLANNED || atomic_load(&r->state) == RECORD_DONE ||
	    !atomic_load(&m->crew->line->released))
		return;
	if (due != DUE_RUNNING)
		last = due > last ? due : last;
	m->complete = true;
	r->end_ns = end;
	if (last < end) {
		record_gap(r, m->crew->line, last, end, m->last_cpu);
		m->reach = (struct gap){.ns = end - last, .at_ns = last, .cpu = m->last_cpu};
	}
	for (i = 0; i < r->n_tallies; i++)
		known += r->tallies[i].cpu_ns;
	if (r->after.cpu_ns > r->before.cpu_ns + known)
		r->tallies[r->filling].cpu_ns += r->after.cpu_ns - r->before.cpu_ns - known;
}

void crew_complete(struct crew *crew)
{
	uint32_t i;

	for (i = 0; i < crew->def->workers; i++)
		member_complete(&crew->members[i]);
}
