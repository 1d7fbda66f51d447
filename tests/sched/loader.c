// SPDX-License-Identifier: GPL-2.0
#include "loader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "cleanup.h"
#include "diag.h"
#include "exits.h"
#include "llc.h"

#define OPS_NAME	  "kt_sched"
#define OPS_ENQ_LAST	  (1ULL << 1) /* SCX_OPS_ENQ_LAST, enum scx_ops_flags */
#define STARVE_PERIOD_NS  1000000000ULL
#define DETACH_TIMEOUT_MS 5000

/* The BPF object, embedded by object.S. */
extern const unsigned char kt_sched_object[], kt_sched_object_end[];

struct sched {
	struct bpf_object *obj;
	struct bpf_link *link;
	struct llc_map llcs;
	unsigned int n_queues;
	char *bss; /* the running scheduler's, mapped */
	size_t bss_size;
	const struct kt_exit *exit; /* in bss */
};

static int libbpf_message(enum libbpf_print_level level, const char *fmt, va_list args)
{
	if (level > LIBBPF_WARN && diag_verbosity() < 2)
		return 0;
	return vfprintf(stderr, fmt, args);
}

/* Where the loader may write to map @name before the object is loaded. */
static char *map_initial(const struct sched *s, const char *name)
{
	struct bpf_map *map = bpf_object__find_map_by_name(s->obj, name);
	size_t size; /* libbpf 1.4 insists on telling it */

	return map ? bpf_map__initial_value(map, &size) : NULL;
}

/*
 * The memory of a global variable in section @section, which is at @base. A variable that is
 * missing or has another size than expected: the two halves were built from different sources.
 */
static void *global_at(const struct sched *s, const char *section, char *base, const char *name,
		       size_t size)
{
	const struct btf *btf = bpf_object__btf(s->obj);
	int id = btf__find_by_name_kind(btf, section, BTF_KIND_DATASEC), i;
	const struct btf_type *sec = id > 0 ? btf__type_by_id(btf, id) : NULL;
	const struct btf_var_secinfo *var = sec ? btf_var_secinfos(sec) : NULL;

	for (i = 0; base && sec && i < btf_vlen(sec); i++, var++) {
		const struct btf_type *t = btf__type_by_id(btf, var->type);

		if (!strcmp(btf__name_by_offset(btf, t->name_off), name) && var->size == size)
			return base + var->offset;
	}
	die(EXIT_INTERNAL, "the BPF object has no variable '%s' of %zu bytes in %s", name, size,
	    section);
}

static void *rodata_at(const struct sched *s, const char *name, size_t size)
{
	return global_at(s, ".rodata", map_initial(s, ".rodata"), name, size);
}

/* Variables as lvalues: of .rodata before the object is loaded, of .bss after. */
#define rodata(s, name, type) (*(type *)rodata_at(s, name, sizeof(type)))
#define bss(s, name, type)    (*(type *)global_at(s, ".bss", (s)->bss, name, sizeof(type)))

/* A member of the local struct sched_ext_ops, before it is loaded. */
static void *ops_member(const struct sched *s, const char *name)
{
	const struct btf *btf = bpf_object__btf(s->obj);
	int id = btf__find_by_name_kind(btf, "sched_ext_ops", BTF_KIND_STRUCT), i;
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, id) : NULL;
	char *base = map_initial(s, OPS_NAME);

	for (i = 0; base && t && i < btf_vlen(t); i++) {
		const struct btf_member *m = btf_members(t) + i;

		if (!strcmp(btf__name_by_offset(btf, m->name_off), name))
			return base + m->offset / 8;
	}
	die(EXIT_INTERNAL, "the BPF object's sched_ext_ops has no member '%s'", name);
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Starved tasks must still run often enough for the watchdog: four times in its timeout. */
static uint64_t starve_period(unsigned int watchdog_ms)
{
	return watchdog_ms ? min_u64(STARVE_PERIOD_NS, watchdog_ms * 1000000ULL / 4)
			   : STARVE_PERIOD_NS;
}

static void sched_configure(struct sched *s, const struct sched_config *c)
{
	uint16_t *cpu_llc = rodata_at(s, "cpu_llc", sizeof(uint16_t) * KT_MAX_CPUS);
	char *comm = rodata_at(s, "stall_comm", 16);
	char *cgroup = rodata_at(s, "starve_cgroup", KT_CGROUP_NAME);
	unsigned int cpu;

	s->n_queues = c->ignore_llc ? 1 : s->llcs.n_llcs;
	for (cpu = 0; cpu < s->llcs.n_cpus; cpu++)
		cpu_llc[cpu] = s->llcs.cpu_llc[cpu];
	rodata(s, "nr_queues", uint32_t) = s->n_queues;
	rodata(s, "nr_cpus", uint32_t) = s->llcs.n_cpus;
	rodata(s, "slice_ns", uint64_t) = c->slice_ns;
	rodata(s, "ignore_llc", bool) = c->ignore_llc;
	rodata(s, "stall", bool) = c->stall;
	rodata(s, "starve", bool) = c->starve_cgroup != NULL;
	rodata(s, "starve_period_ns", uint64_t) = starve_period(c->watchdog_ms);
	rodata(s, "error_after_ns", uint64_t) = c->error_after_ns;
	rodata(s, "loader_tgid", int32_t) = getpid();
	if (c->stall_comm)
		snprintf(comm, 16, "%s", c->stall_comm);
	if (c->starve_cgroup)
		snprintf(cgroup, KT_CGROUP_NAME, "%s", c->starve_cgroup);
	*(uint32_t *)ops_member(s, "timeout_ms") = c->watchdog_ms;
	/* A task that is alone on its CPU would else go on without passing ops.enqueue(). */
	if (c->stall || c->starve_cgroup)
		*(uint64_t *)ops_member(s, "flags") = OPS_ENQ_LAST;
}

/* Fill pid_queues: kernels without usable dispatch queues need them. */
static int pid_queues_make(struct sched *s)
{
	int outer = bpf_object__find_map_fd_by_name(s->obj, "pid_queues");
	uint32_t i;

	for (i = 0; i < s->n_queues; i++) {
		_cleanup_close_ int fd = bpf_map_create(BPF_MAP_TYPE_QUEUE, "pid_queue", 0,
							sizeof(int32_t), 8192, NULL);

		if (fd < 0)
			return fd;
		if (bpf_map_update_elem(outer, &i, &fd, BPF_ANY))
			return -errno;
	}
	return 0;
}

/* Map the counts that the scheduler keeps. */
static int bss_map(struct sched *s)
{
	struct bpf_map *map = bpf_object__find_map_by_name(s->obj, ".bss");
	void *at;

	s->bss_size = bpf_map__value_size(map);
	at = mmap(NULL, s->bss_size, PROT_READ, MAP_SHARED, bpf_map__fd(map), 0);
	if (at == MAP_FAILED)
		return -errno;
	s->bss = at;
	s->exit = &bss(s, "exit_info", struct kt_exit);
	return 0;
}

static int failed(struct sched *s, int err, const char *step)
{
	warn("cannot %s: %s", step, strerror(-err));
	sched_free(s);
	return err;
}

int sched_attach(struct sched **out, const struct sched_config *config)
{
	const struct bpf_object_open_opts opts = {.sz = sizeof(opts), .object_name = OPS_NAME};
	struct sched *s = xcalloc(1, sizeof(*s));
	struct bpf_map *map;
	int err;

	libbpf_set_print(libbpf_message);
	err = llc_map_read(&s->llcs, KT_MAX_CPUS, KT_MAX_QUEUES);
	if (err)
		return failed(s, err, "read the caches' CPUs from /sys/devices/system/cpu");
	s->obj =
		bpf_object__open_mem(kt_sched_object, kt_sched_object_end - kt_sched_object, &opts);
	if (!s->obj)
		return failed(s, -errno, "open the BPF object");
	sched_configure(s, config);
	bpf_map__set_max_entries(bpf_object__find_map_by_name(s->obj, "pid_queues"), s->n_queues);
	err = bpf_object__load(s->obj);
	if (err)
		return failed(s, err, "load the BPF object (root, and a kernel with sched_ext?)");
	err = bss_map(s);
	if (err)
		return failed(s, err, "map the scheduler's variables");
	err = pid_queues_make(s);
	if (err)
		return failed(s, err, "make the queues");
	map = bpf_object__find_map_by_name(s->obj, OPS_NAME);
	s->link = bpf_map__attach_struct_ops(map);
	if (!s->link)
		return failed(s, -errno, "attach (is another sched_ext scheduler loaded?)");
	*out = s;
	return 0;
}

void sched_print_attached(const struct sched *s, const struct sched_config *c)
{
	printf("attached ops=" OPS_NAME " queues=%u:%s llcs=%u cpus=%u slice_us=%" PRIu64
	       " watchdog_ms=%u\n",
	       s->n_queues, bss(s, "uses_dsqs", bool) ? "dsq" : "pid", s->llcs.n_llcs,
	       s->llcs.n_cpus, c->slice_ns / 1000, c->watchdog_ms ? c->watchdog_ms : 30000);
}

static void cpu_stats_print(const struct kt_cpu_stats *st)
{
	printf("enqueued=%llu direct=%llu dispatched=%llu stolen=%llu runs=%llu llc_moves=%llu",
	       st->enqueued, st->direct, st->dispatched, st->stolen, st->runs, st->llc_moves);
}

void sched_print_stats(const struct sched *s, bool each_cpu)
{
	struct kt_cpu_stats sum = {
		.enqueued = bss(s, "nr_enqueued", uint64_t),
		.direct = bss(s, "nr_direct", uint64_t),
		.dispatched = bss(s, "nr_dispatched", uint64_t),
		.stolen = bss(s, "nr_stolen", uint64_t),
		.runs = bss(s, "nr_runs", uint64_t),
		.llc_moves = bss(s, "nr_llc_moves", uint64_t),
	};
	int n = each_cpu ? libbpf_num_possible_cpus() : 0, cpu;
	_cleanup_free_ struct kt_cpu_stats *each = n > 0 ? xcalloc(n, sizeof(*each)) : NULL;
	uint32_t zero = 0;

	printf("stats ");
	cpu_stats_print(&sum);
	printf(" stalled=%" PRIu64 " starved=%" PRIu64 "\n", bss(s, "nr_stalled", uint64_t),
	       bss(s, "nr_starved", uint64_t));
	if (!each ||
	    bpf_map_lookup_elem(bpf_object__find_map_fd_by_name(s->obj, "cpu_stats"), &zero, each))
		return;
	for (cpu = 0; cpu < n; cpu++) {
		printf("stats cpu=%d ", cpu);
		cpu_stats_print(&each[cpu]);
		putchar('\n');
	}
}

const struct kt_exit *sched_exit(const struct sched *s)
{
	return __atomic_load_n(&s->exit->kind, __ATOMIC_ACQUIRE) ? s->exit : NULL;
}

void sched_detach(struct sched *s)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	int waited;

	bpf_link__destroy(s->link);
	s->link = NULL;
	for (waited = 0; !sched_exit(s) && waited < DETACH_TIMEOUT_MS; waited += 10)
		nanosleep(&pause, NULL);
}

void sched_free(struct sched *s)
{
	if (!s)
		return;
	bpf_link__destroy(s->link);
	if (s->bss)
		munmap(s->bss, s->bss_size);
	bpf_object__close(s->obj);
	free(s->llcs.cpu_llc);
	free(s);
}
