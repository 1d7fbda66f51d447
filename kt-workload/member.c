// SPDX-License-Identifier: GPL-2.0
#include "member.h"

#include <errno.h>
#include <fcntl.h>
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

#define CACHE_LINE   64
#define SEED_SPIN_NS (2 * NSEC_PER_MSEC)
#define LINES(n)     (((n) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE)

static unsigned int groups_of(const struct group_def *def)
{
	return def->workers / def->work.group;
}

static struct histogram *take_histogram(char **memory)
{
	struct histogram *h = (void *)*memory;

	*memory += LINES(sizeof(*h));
	return h;
}

int crew_init(struct crew *crew, const struct group_def *def, struct start_line *line,
	      uint32_t n_tallies)
{
	bool blocks = def->work.type->blocks, requests = def->work.type->requests;
	size_t n = def->workers, i, k;
	size_t n_hist = n * n_tallies * (blocks + requests);
	size_t shared = LINES(def->work.shared_size);
	char *hist;
	struct tally *tallies;
	struct record *records;

	*crew = (struct crew){
		.def = def,
		.line = line,
	};
	crew->memory_size = n * sizeof(*records) + n * n_tallies * sizeof(*tallies) +
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
	records = crew->memory;
	tallies = (void *)(records + n);
	hist = (char *)(tallies + n * n_tallies);
	crew->members = xcalloc(n, sizeof(*crew->members));
	for (i = 0; i < n; i++) {
		struct record *r = &records[i];

		r->tallies = &tallies[i * n_tallies];
		r->n_tallies = n_tallies;
		r->stop_ns = UINT64_MAX;
		for (k = 0; k < n_tallies; k++) {
			if (blocks)
				r->tallies[k].wake = take_histogram(&hist);
			if (requests)
				r->tallies[k].request = take_histogram(&hist);
		}
		crew->members[i] = (struct member){
			.index = i,
			.def = def,
			.rec = r,
			.line = line,
		};
	}
	return 0;
}

void crew_free(struct crew *crew)
{
	if (crew->memory)
		munmap(crew->memory, crew->memory_size);
	free(crew->members);
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

/* splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

static void on_poke(int signal)
{
	(void)signal; /* only ends a wait */
}

/* Nothing of the parent's stays but stderr and what the group shares. */
static void worker_detach(pid_t parent, const struct group_fds *fds)
{
	struct sigaction poke = {.sa_handler = on_poke};
	sigset_t none;
	int null;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
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

static long futex(_Atomic uint32_t *word, int op, uint32_t value)
{
	return syscall(SYS_futex, word, op, value, NULL, NULL, 0);
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

_Noreturn static void worker_main(struct worker *w, const struct group_fds *fds,
				  struct start_line *line, const struct spawn *spawn, uint64_t id,
				  pid_t parent)
{
	const struct work_type *type = w->spec->type;
	uint64_t first = 0;
	struct timespec ts;
	bool more = true;

	worker_detach(parent, fds);
	if (type->setup && type->setup(w)) {
		atomic_store(&w->rec->state, RECORD_FAILED);
		_exit(1);
	}
	if (spawn->seeded)
		first = mix(mix(spawn->seed) ^ id) % SEED_SPIN_NS;
	usage_read_self(&w->rec->before);
	atomic_store(&w->rec->state, RECORD_READY);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	w->cpu_mark_ns = ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
	w->rec->before.voluntary_switches += wait_at(line);

	worker_measure_begin(w);
	while (more && clock_now() < line->start_ns + first) {
		work_spin(1);
		more = worker_checkpoint(w, 0);
	}
	if (more)
		type->run(w);
	worker_measure_end(w);
	_exit(0);
}

static int member_spawn(struct crew *crew, struct member *m, struct record **peers,
			const struct group_fds *fds, const struct spawn *spawn)
{
	struct worker w = {
		.rec = m->rec,
		.tally = m->rec->tallies,
		.line = crew->line,
		.spec = &crew->def->work,
		.index = m->index,
		.count = crew->def->workers,
		.peers = peers,
		.shared = group_memory(crew, m->index),
		.units_per_check = spawn->units_per_check,
		.fd = -1,
		.fds = fds->fds,
	};
	pid_t parent = getpid();

	m->pid = fork();
	if (m->pid < 0) {
		int ret = -errno;

		m->pid = 0;
		return ret;
	}
	if (m->pid == 0)
		worker_main(&w, fds, crew->line, spawn, (uint64_t)crew->def->index << 32 | m->index,
			    parent);
	m->state = MEMBER_ALIVE;
	crew->n_alive++;
	return spawn->place(spawn->ctx, crew, m);
}

int crew_spawn(struct crew *crew, const struct spawn *spawn)
{
	_cleanup_free_ struct record **peers = xcalloc(crew->def->workers, sizeof(*peers));
	unsigned int group = crew->def->work.group;
	struct group_fds fds = {};
	char name[16] = "";
	uint32_t i;
	int ret = 0;

	for (i = 0; i < crew->def->workers; i++)
		peers[i] = crew->members[i].rec;
	/* A child has its name from birth this way, when the scheduler first sees it. */
	prctl(PR_GET_NAME, name);
	prctl(PR_SET_NAME, crew->def->comm);
	for (i = 0; i < crew->def->workers && !ret; i++) {
		if (i % group == 0) {
			group_fds_close(&fds);
			ret = group_fds_open(&fds, &crew->def->work);
		}
		if (!ret)
			ret = member_spawn(crew, &crew->members[i], peers, &fds, spawn);
	}
	group_fds_close(&fds);
	prctl(PR_SET_NAME, name);
	return ret;
}

void crew_stop_at(struct crew *crew, uint64_t ns)
{
	uint32_t i;

	for (i = 0; crew->members && i < crew->def->workers; i++)
		atomic_store(&crew->members[i].rec->stop_ns, ns);
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

	for (i = 0; crew->members && i < crew->def->workers; i++)
		member_allow(&crew->members[i], to, online);
}

void crew_poke(const struct crew *crew)
{
	uint32_t i;

	for (i = 0; crew->members && i < crew->def->workers; i++) {
		if (crew->members[i].state == MEMBER_ALIVE)
			kill(crew->members[i].pid, SIGUSR1);
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
			struct record *r = crews[c]->members[i].rec;

			/* Who is not there yet starts now all the same. */
			if (atomic_load(&r->state) == RECORD_NEW && crews[c]->members[i].pid)
				usage_read_pid(&r->before, crews[c]->members[i].pid);
			atomic_store(&r->last_ns, line->start_ns);
			if (run_ns != UINT64_MAX)
				atomic_store(&r->stop_ns, line->start_ns + run_ns);
		}
	}
	atomic_store(&line->released, 1);
	futex(&line->released, FUTEX_WAKE, INT_MAX);
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

bool crew_note_end(struct crew *crew, pid_t pid)
{
	uint32_t i;

	for (i = 0; crew->members && i < crew->def->workers; i++) {
		struct member *m = &crew->members[i];
		struct rusage ru;

		if (m->state != MEMBER_ALIVE || m->pid != pid)
			continue;
		if (!m->gone_ns)
			m->gone_ns = clock_now();
		/* A zombie still has its figures. */
		if (atomic_load(&m->rec->state) != RECORD_DONE && !m->timed_out) {
			usage_read_pid(&m->rec->after, pid);
			m->usage_known = true;
			m->last_cpu = cpu_of(pid);
		}
		wait4(pid, &m->status, 0, &ru);
		if (m->usage_known) {
			m->rec->after.voluntary_switches = ru.ru_nvcsw;
			m->rec->after.involuntary_switches = ru.ru_nivcsw;
		}
		m->state = MEMBER_GONE;
		crew->n_alive--;
		return true;
	}
	return false;
}

void crew_give_up(struct crew *crew)
{
	struct sched_param fifo = {.sched_priority = 1};
	uint32_t i;

	for (i = 0; crew->members && i < crew->def->workers; i++) {
		struct member *m = &crew->members[i];

		if (m->state != MEMBER_ALIVE)
			continue;
		m->timed_out = true;
		m->gone_ns = clock_now();
		usage_read_pid(&m->rec->after, m->pid);
		/* What it still waits for is not in run_delay: the kernel adds a wait at its end.
		 */
		m->rec->after.schedstat_known = false;
		m->last_cpu = cpu_of(m->pid);
		kill(m->pid, SIGKILL);
		/* To die it has to run, and its scheduler may be what keeps it from that. */
		sched_setscheduler(m->pid, SCHED_FIFO, &fifo);
	}
}

static void member_complete(struct member *m)
{
	struct record *r = m->rec;
	uint64_t stop = atomic_load(&r->stop_ns), last = atomic_load(&r->last_ns);
	uint64_t end = m->gone_ns < stop ? m->gone_ns : stop;
	uint64_t due = atomic_load(&r->due_ns), known = 0;
	uint32_t i;

	if (m->state == MEMBER_PLANNED || atomic_load(&r->state) == RECORD_DONE ||
	    !atomic_load(&m->line->released))
		return;
	if (due != DUE_RUNNING)
		last = due > last ? due : last;
	r->end_ns = end;
	if (last < end)
		record_gap(r, m->line, last, end, m->last_cpu);
	for (i = 0; i < r->n_tallies; i++)
		known += r->tallies[i].cpu_ns;
	if (r->after.cpu_ns > r->before.cpu_ns + known)
		r->tallies[r->phase].cpu_ns += r->after.cpu_ns - r->before.cpu_ns - known;
}

void crew_complete(struct crew *crew)
{
	uint32_t i;

	for (i = 0; crew->members && i < crew->def->workers; i++)
		member_complete(&crew->members[i]);
}
