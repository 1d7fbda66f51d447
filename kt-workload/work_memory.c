// SPDX-License-Identifier: GPL-2.0
/*
 * Memory family: workers that keep the memory manager busy while they are scheduled.
 *
 * page-fault-churn touches pages of its region that are not there and gives them back: the fault
 * (exc_page_fault(), do_anonymous_page(), the page allocator and its zeroing, memory cgroup
 * charge), then madvise(MADV_DONTNEED) (zap_page_range_single(), TLB flush). Each cycle touches
 * different pages of 4 KiB in a scattered order; between cycles it spins. A work unit is one page
 * touched, which is one minor fault; an iteration is one cycle. It does not block. The metric
 * minor_faults is what the kernel counted for the worker.
 *
 * numa-working-set-sweep moves its memory from node to node: mbind(2) with MPOL_MF_MOVE
 * (queue_pages_range(), migrate_pages()) in pieces of 4 MiB, one node further each period; in
 * between it writes to the whole region again and again, so that NUMA balancing
 * (task_numa_work()) and the placement of the task see a working set that wanders. A work unit is
 * one page written, an iteration one move of the region. It does not block. Worker i begins at
 * the i-th node, so that they do not all move at once to the same one. A piece's move counts as a
 * gap: it takes the kernel milliseconds, and longer when its workers (lru_add_drain_all()) wait for
 * a CPU.
 */
#include "work_common.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "diag.h"

#define PAGE	    4096
#define TOUCH_CHECK 8  /* pages between checkpoints: a fault takes up to 10 us in a VM */
#define ZAP_PAGES   64 /* pages given back at a time */
#define MOVE_PIECE                                                                     \
	(4 << 20) /* bytes moved at a time: each call drains the LRU lists of all CPUs \
		   */

enum { FAULT_REGION, FAULT_TOUCHES, FAULT_SPIN };

static int page_fault_complete(struct work_spec *spec, char **why)
{
	uint64_t pages = spec->values[FAULT_REGION] / PAGE;

	if (spec->values[FAULT_REGION] % PAGE) {
		*why = xasprintf("page-fault-churn region=%lu: expected a multiple of 4K",
				 spec->values[FAULT_REGION]);
		return -EINVAL;
	}
	if (spec->values[FAULT_TOUCHES] <= pages)
		return 0;
	*why = xasprintf("page-fault-churn touches=%lu: expected at most the region's %lu pages",
			 spec->values[FAULT_TOUCHES], pages);
	return -EINVAL;
}

/* A region of small pages, none of them there. */
static int page_fault_setup(struct worker *w)
{
	size_t size = w->spec->values[FAULT_REGION];
	void *region = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (region == MAP_FAILED)
		return worker_fail(w, errno, "cannot map %zu bytes", size);
	madvise(region, size, MADV_NOHUGEPAGE); /* EINVAL where the kernel has none */
	w->own = region;
	return 0;
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t r = a % b;

		a = b;
		b = r;
	}
	return a;
}

/* Write to @touches different pages of @pages, in an order that @random draws. */
static bool touch_scattered(struct worker *w, uint64_t pages, uint64_t touches, uint64_t *random)
{
	volatile char *region = w->own;
	uint64_t page = random_next(random) % pages, step, i;

	do
		step = random_next(random) % pages + 1;
	while (gcd(step, pages) != 1);
	for (i = 0; i < touches;) {
		uint64_t n = touches - i < TOUCH_CHECK ? touches - i : TOUCH_CHECK, k;

		for (k = 0; k < n; k++) {
			region[page * PAGE] = 1;
			page = (page + step) % pages;
		}
		i += n;
		if (!worker_checkpoint(w, n))
			return false;
	}
	return true;
}

/* Give all pages back, in pieces that hold about ZAP_PAGES of them. */
static bool give_back(struct worker *w, uint64_t pages, uint64_t touches)
{
	uint64_t piece = touches > ZAP_PAGES ? pages * ZAP_PAGES / touches : pages, at;

	for (at = 0; at < pages; at += piece) {
		uint64_t n = pages - at < piece ? pages - at : piece;

		madvise((char *)w->own + at * PAGE, n * PAGE, MADV_DONTNEED);
		if (!worker_checkpoint(w, 0))
			return false;
	}
	return true;
}

static uint64_t minor_faults(void)
{
	struct rusage ru;

	getrusage(RUSAGE_THREAD, &ru);
	return ru.ru_minflt;
}

static void page_fault_churn(struct worker *w)
{
	uint64_t pages = w->spec->values[FAULT_REGION] / PAGE;
	uint64_t touches = w->spec->values[FAULT_TOUCHES];
	uint64_t random = random_seed(w), before = minor_faults();

	while (touch_scattered(w, pages, touches, &random) && give_back(w, pages, touches) &&
	       work_spin_turns_checked(w, w->spec->values[FAULT_SPIN]))
		worker_iteration(w);
	w->rec->metrics[0] =
		(struct metric){.name = "minor_faults", .amount = minor_faults() - before};
}

enum { SWEEP_SIZE, SWEEP_PERIOD };

#define NODE_WORDS 16 /* 1024 nodes, as the kernel's highest MAX_NUMNODES */
#define WORD_BITS  64

struct sweep {
	unsigned int nodes[NODE_WORDS * WORD_BITS]; /* that it may use */
	unsigned int n_nodes;
	char *region;
};

static int sweep_complete(struct work_spec *spec, char **why)
{
	return work_needs_nodes(spec, why);
}

/* The nodes with memory that the caller may use (get_mempolicy(2)). */
static void nodes_read(struct sweep *s)
{
	unsigned long mask[NODE_WORDS] = {};
	unsigned int i;

	if (syscall(SYS_get_mempolicy, NULL, mask, NODE_WORDS * WORD_BITS, NULL,
		    MPOL_F_MEMS_ALLOWED))
		return;
	for (i = 0; i < NODE_WORDS * WORD_BITS; i++) {
		if (mask[i / WORD_BITS] >> i % WORD_BITS & 1)
			s->nodes[s->n_nodes++] = i;
	}
}

static int sweep_setup(struct worker *w)
{
	struct sweep *s = worker_memory(w, sizeof(*s));

	if (!s)
		return -ENOMEM;
	w->own = s;
	nodes_read(s);
	if (s->n_nodes < 2)
		return worker_fail(w, ENODEV,
				   "numa-working-set-sweep may use the memory of %u NUMA node, "
				   "expected two or more",
				   s->n_nodes);
	s->region = worker_memory(w, w->spec->values[SWEEP_SIZE]);
	return s->region ? 0 : -ENOMEM;
}

/* Move the region to @node. */
static bool sweep_move(struct worker *w, const struct sweep *s, unsigned int node)
{
	uint64_t size = w->spec->values[SWEEP_SIZE], at;
	unsigned long mask[NODE_WORDS] = {};

	mask[node / WORD_BITS] = 1UL << node % WORD_BITS;
	for (at = 0; at < size; at += MOVE_PIECE) {
		syscall(SYS_mbind, s->region + at, size - at < MOVE_PIECE ? size - at : MOVE_PIECE,
			MPOL_BIND, mask, NODE_WORDS * WORD_BITS, MPOL_MF_MOVE);
		if (!worker_checkpoint(w, 0))
			return false;
	}
	return true;
}

/* Write to every page until @end. */
static bool sweep_write(struct worker *w, const struct sweep *s, uint64_t end)
{
	uint64_t pages = w->spec->values[SWEEP_SIZE] / PAGE, i, n;

	do {
		for (i = 0; i < pages; i += n) {
			uint64_t k;

			n = pages - i < TOUCH_CHECK ? pages - i : TOUCH_CHECK;
			for (k = 0; k < n; k++)
				((volatile char *)s->region)[(i + k) * PAGE]++;
			if (!worker_checkpoint(w, n))
				return false;
		}
	} while (worker_now(w) < end);
	return true;
}

static void numa_working_set_sweep(struct worker *w)
{
	const struct sweep *s = w->own;
	uint64_t turn = w->index;

	while (sweep_move(w, s, s->nodes[turn++ % s->n_nodes]) &&
	       sweep_write(w, s, worker_now(w) + w->spec->values[SWEEP_PERIOD]))
		worker_iteration(w);
}

const struct work_type work_memory_types[] = {
	{
		.name = "page-fault-churn",
		.family = "memory",
		.unit = "one page touched, which is one minor fault",
		.path = "page faults, the page allocator, TLB flushes",
		.about = "Touches pages of its region that are not there, in a scattered order and "
			 "each once, gives all back with madvise(2), and spins. It does not block. "
			 "The metric minor_faults is the kernel's count.",
		.params = {[FAULT_REGION] = {"region", PARAM_SIZE, 4 << 20, PAGE, 1ULL << 36,
					     "memory that it touches"},
			   [FAULT_TOUCHES] = {"touches", PARAM_COUNT, 256, 1, 1 << 24,
					      "pages touched in a cycle"},
			   [FAULT_SPIN] = {"spin", PARAM_COUNT, 64, 0, 1000000000,
					   "turns of an empty loop between cycles"}},
		.complete = page_fault_complete,
		.setup = page_fault_setup,
		.run = page_fault_churn,
	},
	{
		.name = "numa-working-set-sweep",
		.family = "memory",
		.unit = "one page of the region written",
		.path = "page migration between NUMA nodes, NUMA balancing",
		.about =
			"Moves its memory to the next NUMA node with mbind(2), then writes to all "
			"of it for the period. Worker i begins at the i-th node. A move counts as a "
			"gap. A machine with one node is refused.",
		.params = {[SWEEP_SIZE] = {"size", PARAM_SIZE, 4 << 20, PAGE, 1ULL << 36,
					   "memory that wanders"},
			   [SWEEP_PERIOD] = {"period", PARAM_DURATION, 100 * NSEC_PER_MSEC,
					     NSEC_PER_MSEC, 3600 * NSEC_PER_SEC, "time on a node"}},
		.complete = sweep_complete,
		.setup = sweep_setup,
		.run = numa_working_set_sweep,
	},
	{},
};
