// SPDX-License-Identifier: GPL-2.0
/*
 * CPU family, continued: workers that use the core in a certain way. They are always runnable; like
 * spin-wait they meet the tick only. What differs is what a scheduler can see of them in hardware
 * counters, and what they cost their neighbours.
 *
 * alu-hot keeps a core's execution units busy: eight chains of multiplications that do not depend
 * on each other, on data of a chosen width. Schedulers that look at instructions per cycle or that
 * put work on SMT siblings meet their worst neighbour. A work unit is 256 turns of the eight
 * chains.
 *
 * smt-sibling-spin: two workers on the two siblings of one core, each spinning with PAUSE: core
 * scheduling, the SMT-aware idle search (select_idle_smt(), scx_bpf_pick_idle_cpu() with
 * SCX_PICK_IDLE_CORE), sched_domain SMT balancing. Pairs take the cores with two usable CPUs in
 * turn; where there are none, they run wherever they may, and the metric smt_pinned is 0 (1:
 * pinned). A work unit is 256 turns of a loop with a PAUSE.
 *
 * ipc-variance goes to and fro between work of many instructions per cycle (multiplications in
 * registers) and of few (touches of random cache lines in 512 KiB): what a scheduler has learnt
 * about a task's IPC is wrong soon. A work unit is 256 multiplications, or one touch.
 *
 * An iteration is one piece of about 20 us, for ipc-variance one period. There are no wake
 * latencies.
 */
#include <errno.h>
#include <stdio.h>

#include "cleanup.h"
#include "cpuset.h"
#include "diag.h"
#include "work_wait.h"

/* ---- alu-hot ---- */

enum alu_width { ALU_WIDEST, ALU_64, ALU_128, ALU_256, ALU_512 };

static const char *const alu_widths[] = {
	[ALU_WIDEST] = "widest", [ALU_64] = "64",   [ALU_128] = "128",
	[ALU_256] = "256",	 [ALU_512] = "512", NULL,
};

/* The multiplications are by 1, which takes as long as any other and keeps the values as they are.
 */
#define ALU_CHAINS(name, type, constraint)                                                     \
	static void name(uint64_t units)                                                       \
	{                                                                                      \
		uint64_t turns = units * WORK_SPIN_TURNS;                                      \
		type one = {1}, a = one, b = one, c = one, d = one, e = one, f = one, g = one, \
		     h = one;                                                                  \
                                                                                               \
		while (turns--) {                                                              \
			__asm__ volatile("" : "+" constraint(one));                            \
			a *= one, b *= one, c *= one, d *= one;                                \
			e *= one, f *= one, g *= one, h *= one;                                \
			__asm__ volatile(""                                                    \
					 : "+" constraint(a), "+" constraint(b),               \
					   "+" constraint(c), "+" constraint(d),               \
					   "+" constraint(e), "+" constraint(f),               \
					   "+" constraint(g), "+" constraint(h));              \
		}                                                                              \
	}

typedef double alu_128 __attribute__((vector_size(16)));
typedef double alu_256 __attribute__((vector_size(32)));
typedef double alu_512 __attribute__((vector_size(64)));

ALU_CHAINS(alu_run_64, uint64_t, "r")
#ifdef __x86_64__
ALU_CHAINS(alu_run_128, alu_128, "x")
__attribute__((target("avx"))) ALU_CHAINS(alu_run_256, alu_256, "x")
	__attribute__((target("avx512f"))) ALU_CHAINS(alu_run_512, alu_512, "v")
#endif

		static void (*const alu_run[])(uint64_t units) = {
			[ALU_64] = alu_run_64,
#ifdef __x86_64__
			[ALU_128] = alu_run_128,
			[ALU_256] = alu_run_256,
			[ALU_512] = alu_run_512,
#endif
};

/* The widest that this CPU and its kernel can do. */
static enum alu_width alu_widest(void)
{
#ifdef __x86_64__
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f"))
		return ALU_512;
	if (__builtin_cpu_supports("avx"))
		return ALU_256;
	return ALU_128;
#else
	return ALU_64;
#endif
}

static int alu_hot_check(const struct work_spec *spec, char **why)
{
	enum alu_width widest = alu_widest();

	if (spec->values[0] <= widest)
		return 0;
	*why = xasprintf("alu-hot: this CPU has no width=%s, only up to %s",
			 alu_widths[spec->values[0]], alu_widths[widest]);
	return -EOPNOTSUPP;
}

static void alu_hot(struct worker *w)
{
	enum alu_width width = w->spec->values[0] ? w->spec->values[0] : alu_widest();
	struct work_pace pace = {1};
	uint64_t n;

	do {
		n = pace.n;
		alu_run[width](n);
		worker_iteration(w);
	} while (work_pace_checkpoint(w, &pace, n, n));
}

/* ---- smt-sibling-spin ---- */

/* Shared by the two: where each is to be, as it found out by itself. */
struct smt_pair {
	int cpus[2]; /* by rank; -1: anywhere */
};

/* The CPUs of @cpu's core. Returns 0 or -errno. */
static int siblings_read(unsigned int cpu, struct cpuset *siblings)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[96], list[256] = "";

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list",
		 cpu);
	f = fopen(path, "re");
	if (!f || !fgets(list, sizeof(list), f))
		return -ENOENT;
	return cpuset_parse(list, siblings);
}

/* Cores with two CPUs among @usable, in order: the first two of the @index-th, counted in circles.
 */
static void pair_find(const struct cpuset *usable, unsigned int index, int cpus[2])
{
	unsigned int n = 0, want = 0, round;

	for (round = 0; round < 2; round++) {
		unsigned int seen = 0;

		cpuset_for_each (cpu, usable) {
			struct cpuset core;

			if (siblings_read(cpu, &core))
				continue;
			cpuset_and(&core, usable);
			/* A core counts at its first CPU. */
			if (cpuset_count(&core) < 2 || cpuset_next(&core, 0) != cpu)
				continue;
			if (round && seen++ == want) {
				cpus[0] = cpu;
				cpus[1] = cpuset_next(&core, cpu + 1);
				return;
			}
			n++;
		}
		if (!n)
			return;
		want = index % n;
	}
}

static int smt_sibling_spin_setup(struct worker *w)
{
	const struct allowed *a = &w->rec->allowed[atomic_load(&w->rec->changes) & 1];
	struct smt_pair *pair = w->shared;
	struct cpuset usable = {};
	int cpus[2] = {-1, -1};

	if (a->confined)
		usable = a->cpus;
	else
		sched_getaffinity(0, sizeof(usable), (cpu_set_t *)&usable);
	pair_find(&usable, w->index / 2, cpus);
	pair->cpus[work_rank(w)] = cpus[work_rank(w)];
	return 0;
}

static void pause_units(uint64_t units)
{
	uint64_t turns = units * WORK_SPIN_TURNS;

	while (turns--) {
#if defined(__x86_64__)
		__builtin_ia32_pause();
#elif defined(__aarch64__)
		__asm__ volatile("yield");
#else
		__asm__ volatile("");
#endif
	}
}

static void smt_sibling_spin(struct worker *w)
{
	const struct smt_pair *pair = w->shared;
	int cpu = pair->cpus[work_rank(w)];
	struct work_pace pace = {1};
	struct cpuset one = {};
	bool pinned = false;
	uint64_t n;

	/* Not before the start: only by now it is in its cgroup. */
	if (cpu >= 0) {
		cpuset_add(&one, cpu);
		pinned = !sched_setaffinity(0, sizeof(one), (cpu_set_t *)&one);
	}
	w->rec->metrics[0] = (struct metric){.name = "smt_pinned", .amount = pinned, .of = 1};
	do {
		n = pace.n;
		pause_units(n);
		worker_iteration(w);
	} while (work_pace_checkpoint(w, &pace, n, n));
}

/* ---- ipc-variance ---- */

#define COLD_SIZE (512U << 10)
#define COLD_LINE 64U

enum { IPC_HOT, IPC_COLD, IPC_PERIOD };

static int ipc_variance_setup(struct worker *w)
{
	return work_memory_get(w, COLD_SIZE);
}

static bool ipc_hot(struct worker *w, struct work_pace *pace, uint64_t multiplications)
{
	uint64_t left = (multiplications + WORK_SPIN_TURNS - 1) / WORK_SPIN_TURNS;
	bool more = true;

	while (left && more) {
		uint64_t n = left < pace->n ? left : pace->n;

		work_alu(n);
		left -= n;
		more = work_pace_checkpoint(w, pace, n, n);
	}
	return more;
}

/* Where it goes next depends on what it read: no touch begins before the last one is done. */
static bool ipc_cold(struct worker *w, struct work_pace *pace, uint64_t touches)
{
	char *memory = w->memory;
	uint64_t x = w->tally->units | 1, i;
	bool more = true;

	while (touches && more) {
		uint64_t n = touches < pace->n ? touches : pace->n;

		for (i = 0; i < n; i++) {
			char *line;

			x = x * 6364136223846793005ULL + 1442695040888963407ULL;
			line = memory + (x >> 33) % (COLD_SIZE / COLD_LINE) * COLD_LINE;
			x += ++*(volatile uint8_t *)line;
		}
		touches -= n;
		more = work_pace_checkpoint(w, pace, n, n);
	}
	return more;
}

static void ipc_variance(struct worker *w)
{
	const uint64_t *values = w->spec->values;
	struct work_pace hot = {1}, cold = {1};
	uint64_t i;

	for (;;) {
		for (i = 0; i < values[IPC_PERIOD]; i++) {
			if (!ipc_hot(w, &hot, values[IPC_HOT]) ||
			    !ipc_cold(w, &cold, values[IPC_COLD]))
				return;
		}
		worker_iteration(w);
	}
}

const struct work_type work_core_types[] = {
	{
		.name = "alu-hot",
		.family = "cpu",
		.unit = "256 turns of eight multiplications that do not depend on each other",
		.path = "the tick; instructions per cycle, SMT neighbours",
		.about = "Keeps the core's execution units busy.",
		.params =
			{{"width", PARAM_CHOICE, ALU_WIDEST, .choices = alu_widths,
			  .help = "bits of a register: 64 is integer, the others are vectors; one "
				  "that the CPU does not have is an error"}},
		.check = alu_hot_check,
		.run = alu_hot,
	},
	{
		.name = "smt-sibling-spin",
		.family = "cpu",
		.unit = "256 turns of a loop with a PAUSE",
		.path = "SMT-aware placement and balancing, core scheduling",
		.about =
			"Two workers spin on the two siblings of a core; pairs take the cores with two "
			"usable CPUs in turn. Where there are none, they run wherever they may: the "
			"metric smt_pinned is the share of workers that are on a sibling.",
		.group = 2,
		.shared_size = sizeof(struct smt_pair),
		.setup = smt_sibling_spin_setup,
		.run = smt_sibling_spin,
	},
	{
		.name = "ipc-variance",
		.family = "cpu",
		.unit = "256 multiplications, or one touch of a cache line",
		.path = "the tick; what a scheduler knows of a task's instructions per cycle",
		.about = "Goes to and fro between many instructions per cycle (multiplications in "
			 "registers) and few (random cache lines of 512 KiB).",
		.params = {[IPC_HOT] = {"hot", PARAM_COUNT, 100000, 1, 1000000000,
					"multiplications in a row"},
			   [IPC_COLD] = {"cold", PARAM_COUNT, 1024, 1, 1000000000,
					 "cache lines touched then"},
			   [IPC_PERIOD] = {"period", PARAM_COUNT, 64, 1, 1000000,
					   "how often it does both in one iteration"}},
		.setup = ipc_variance_setup,
		.run = ipc_variance,
	},
	{},
};
