/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kt_sched: a small scheduler to test with. Each LLC has one first-in, first-out queue; a waking
 * task goes to an idle CPU, of its own LLC if there is one, or else into its LLC's queue; a CPU
 * takes from its own LLC's queue, and from another's when that is longer by two or when it has
 * nothing else to run. On request it misbehaves (docs/schedulers.md).
 */
#include "scx.bpf.h"
#include "kt_sched.h"

char LICENSE[] SEC("license") = "GPL";

#define COMM_LEN	16
#define STARVE_SLICE_NS 500000ULL	      /* what a starved task gets each time */
#define STARVE_BATCH	16		      /* most starved tasks let go by one ops.dispatch() */
#define ENDED_BATCH	16		      /* most entries of ended tasks skipped at once */
#define NO_SUCH_DSQ	0x6b742d6572726f72ULL /* "kt-error" */

/* Set by the loader. */
const volatile u32 nr_queues = 1; /* one per LLC, or one */
const volatile u32 nr_cpus = 1;
const volatile u16 cpu_llc[KT_MAX_CPUS];
const volatile u64 slice_ns;
const volatile bool ignore_llc;
const volatile bool stall;
const volatile char stall_comm[COMM_LEN]; /* empty: any task of user space */
const volatile s32 loader_tgid;
const volatile bool starve;
const volatile char starve_cgroup[KT_CGROUP_NAME];
const volatile u64 starve_period_ns;
const volatile u64 error_after_ns;

/* Counts and state, read by the loader (and by whoever looks into the guest). */
u64 nr_enqueued, nr_direct, nr_dispatched, nr_stolen, nr_runs, nr_llc_moves;
u64 nr_stalled, nr_starved;
u64 started_ns;
s64 queue_waiting[KT_MAX_QUEUES]; /* tasks in each queue */
s32 stalled_pid;
bool uses_dsqs;
struct kt_exit exit_info;

static u64 starve_released_ns;
static s64 starve_waiting, starve_burst;

enum fate {
	FATE_NORMAL,
	FATE_STALLED, /* never dispatched */
	FATE_STARVED, /* dispatched once per starve_period_ns, for STARVE_SLICE_NS */
};

struct task_ctx {
	u64 enqueues;
	u64 runs;
	u64 cgroup_id; /* that in_starved_group was found out for */
	s32 llc;       /* where it last ran, -1 before its first run */
	u32 waits_in;  /* queue in which it waits, plus one; 0 when it does not */
	u32 fate;
	bool in_starved_group;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_ctx);
} task_ctxs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct kt_cpu_stats);
} cpu_stats SEC(".maps");

/*
 * Queues of process ids. An entry may be out of date (its task was dequeued and queued again, or
 * has ended): the kernel ignores the dispatch of a task that does not wait for one.
 */
struct pid_queue {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 8192);
	__type(value, s32);
};

struct pid_queue starve_queue SEC(".maps");

/* One per queue where the kernel offers no dispatch queues; the loader makes them. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, KT_MAX_QUEUES);
	__type(key, u32);
	__array(values, struct pid_queue);
} pid_queues SEC(".maps");

#define count(name)                                                                    \
	do {                                                                           \
		u32 _zero = 0;                                                         \
		struct kt_cpu_stats *_stats = bpf_map_lookup_elem(&cpu_stats, &_zero); \
		__sync_fetch_and_add(&nr_##name, 1);                                   \
		if (_stats)                                                            \
			_stats->name++;                                                \
	} while (0)

static u32 llc_of(s32 cpu)
{
	return cpu >= 0 && cpu < KT_MAX_CPUS ? cpu_llc[cpu] : 0;
}

/* The queue that a CPU serves: its LLC's. */
static u32 queue_of(s32 cpu)
{
	return ignore_llc ? 0 : llc_of(cpu);
}

static struct task_ctx *task_ctx(struct task_struct *p)
{
	return bpf_task_storage_get(&task_ctxs, p, NULL, 0);
}

/* Is the task in a cgroup of the name that is to be starved? Compares again when it has moved. */
static bool in_starved_group(struct task_struct *p, struct task_ctx *tc)
{
	char name[KT_CGROUP_NAME];
	struct kernfs_node *kn = p->cgroups->dfl_cgrp->kn;

	if (tc->cgroup_id == kn->id)
		return tc->in_starved_group;
	if (bpf_probe_read_kernel_str(name, sizeof(name), kn->name) < 0)
		return false;
	tc->in_starved_group = !bpf_strncmp(name, sizeof(name), (const char *)starve_cgroup);
	tc->cgroup_id = kn->id;
	return tc->in_starved_group;
}

/* Stall the first task that fits, and none after it. */
static bool is_stalled(struct task_struct *p)
{
	if (stalled_pid)
		return stalled_pid == p->pid;
	if (stall_comm[0]) {
		if (bpf_strncmp(p->comm, COMM_LEN, (const char *)stall_comm))
			return false;
	} else if (p->flags & PF_KTHREAD || p->tgid == 1 || p->tgid == loader_tgid) {
		return false;
	}
	return __sync_val_compare_and_swap(&stalled_pid, 0, p->pid) == 0;
}

static enum fate fate_of(struct task_struct *p, struct task_ctx *tc)
{
	enum fate fate = FATE_NORMAL;

	if (stall && is_stalled(p))
		fate = FATE_STALLED;
	else if (starve && tc && in_starved_group(p, tc))
		fate = FATE_STARVED;
	if (tc)
		tc->fate = fate;
	return fate;
}

static bool error_is_due(void)
{
	return error_after_ns && bpf_ktime_get_ns() - started_ns >= error_after_ns;
}

/* End with an error; where the kernel's function for that is unusable, do something forbidden. */
static void raise_error(struct task_struct *p)
{
	static char fmt[] = "kt_sched: error asked for with --error-after %llu";
	unsigned long long args[] = {error_after_ns / 1000000};

	if (bpf_ksym_exists(scx_bpf_error_bstr))
		scx_bpf_error_bstr(fmt, args, sizeof(args));
	else
		dsq_insert(p, NO_SUCH_DSQ, slice_ns, 0);
}

/* Claim an idle CPU with no regard to LLCs. One of the two functions is usable on every kernel. */
static s32 idle_cpu_anywhere(struct task_struct *p, s32 prev_cpu)
{
	s32 i, cpu;

	if (bpf_ksym_exists(scx_bpf_pick_idle_cpu))
		return scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
	if (!bpf_ksym_exists(scx_bpf_test_and_clear_cpu_idle))
		return -1;
	bpf_for (i, 1, nr_cpus + 1) {
		cpu = (prev_cpu + i) % nr_cpus;
		if (bpf_cpumask_test_cpu(cpu, p->cpus_ptr) && scx_bpf_test_and_clear_cpu_idle(cpu))
			return cpu;
	}
	return -1;
}

static s32 idle_cpu(struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return ignore_llc ? idle_cpu_anywhere(p, prev_cpu) : idle_cpu_near(p, prev_cpu, wake_flags);
}

/* Leave the count of waiting tasks: @tc runs now, or is no longer runnable, or is queued anew. */
static void wait_end(struct task_ctx *tc)
{
	u32 queue = tc->waits_in - 1;

	if (queue < KT_MAX_QUEUES)
		__sync_fetch_and_sub(&queue_waiting[queue], 1);
	tc->waits_in = 0;
}

/* Takes a copy: the verifier loses a variable on the stack whose address a helper has seen. */
static __always_inline void *pids_of(u32 queue)
{
	return bpf_map_lookup_elem(&pid_queues, &queue);
}

static void queue_push(u32 queue, struct task_struct *p, struct task_ctx *tc, u64 enq_flags)
{
	s32 pid = p->pid;
	void *pids;

	if (tc && queue < KT_MAX_QUEUES) {
		__sync_fetch_and_add(&queue_waiting[queue], 1);
		tc->waits_in = queue + 1;
	}
	if (uses_dsqs) {
		dsq_insert(p, queue, slice_ns, enq_flags);
		return;
	}
	pids = pids_of(queue);
	if (!pids || bpf_map_push_elem(pids, &pid, 0))
		dsq_insert(p, DSQ_GLOBAL, slice_ns, enq_flags);
}

/* The first task of a queue that has not ended; NULL when there is none. To be released. */
static struct task_struct *pids_pop(void *pids)
{
	struct task_struct *p;
	s32 i, pid;

	bpf_for (i, 0, ENDED_BATCH) {
		if (bpf_map_pop_elem(pids, &pid))
			break;
		p = bpf_task_from_pid(pid);
		if (p)
			return p;
	}
	return NULL;
}

/* Take a task from a queue to @cpu. False when there is none for it. */
static bool queue_pop(u32 queue, s32 cpu)
{
	struct task_struct *p;
	bool taken = true;
	void *pids;
	s32 pid;

	if (uses_dsqs)
		return dsq_move_to_local(queue);
	pids = pids_of(queue);
	if (!pids)
		return false;
	p = pids_pop(pids);
	if (!p)
		return false;
	pid = p->pid;
	/* One that must run elsewhere: send it there, or leave that to the CPUs of its queue. */
	if (bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
		dsq_insert(p, DSQ_LOCAL, slice_ns, 0);
	else if (queue == queue_of(cpu) || bpf_map_push_elem(pids, &pid, 0))
		dsq_insert(p, DSQ_LOCAL_ON | scx_bpf_task_cpu(p), slice_ns, 0);
	else
		taken = false;
	bpf_task_release(p);
	return taken;
}

static void starve_queue_push(struct task_struct *p, u64 enq_flags)
{
	s32 pid = p->pid;

	if (bpf_map_push_elem(&starve_queue, &pid, 0)) {
		dsq_insert(p, DSQ_GLOBAL, STARVE_SLICE_NS, enq_flags);
		return;
	}
	__sync_fetch_and_add(&starve_waiting, 1);
	__sync_fetch_and_add(&nr_starved, 1);
}

/* Once per period, let go as many starved tasks as wait at its start: a slice for each. */
static void starve_release(void)
{
	u64 now = bpf_ktime_get_ns(), last = starve_released_ns;
	struct task_struct *p;
	s32 i, pid;

	if (now - last >= starve_period_ns &&
	    __sync_val_compare_and_swap(&starve_released_ns, last, now) == last)
		starve_burst = starve_waiting;
	bpf_for (i, 0, STARVE_BATCH) {
		if (starve_burst <= 0 || bpf_map_pop_elem(&starve_queue, &pid))
			break;
		__sync_fetch_and_sub(&starve_burst, 1);
		__sync_fetch_and_sub(&starve_waiting, 1);
		p = bpf_task_from_pid(pid);
		if (!p)
			continue;
		dsq_insert(p, DSQ_LOCAL_ON | scx_bpf_task_cpu(p), STARVE_SLICE_NS, 0);
		bpf_task_release(p);
	}
}

SEC("struct_ops/kt_select_cpu")
s32 BPF_PROG(kt_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	s32 cpu;

	/* What is out of the ordinary is for ops.enqueue(). */
	if (fate_of(p, task_ctx(p)) != FATE_NORMAL || error_is_due())
		return prev_cpu;
	cpu = idle_cpu(p, prev_cpu, wake_flags);
	if (cpu < 0)
		return prev_cpu;
	dsq_insert(p, DSQ_LOCAL, slice_ns, 0);
	count(direct);
	return cpu;
}

SEC("struct_ops/kt_enqueue")
void BPF_PROG(kt_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_ctx *tc = task_ctx(p);
	enum fate fate = fate_of(p, tc);
	s32 cpu;

	count(enqueued);
	if (tc) {
		wait_end(tc);
		tc->enqueues++;
	}
	if (fate == FATE_STALLED) {
		__sync_fetch_and_add(&nr_stalled, 1);
		return;
	}
	if (error_is_due()) {
		raise_error(p);
		return;
	}
	if (fate == FATE_STARVED) {
		starve_queue_push(p, enq_flags);
		return;
	}
	if (enq_flags & ENQ_LAST) {
		dsq_insert(p, DSQ_LOCAL, slice_ns, enq_flags);
		return;
	}
	cpu = scx_bpf_task_cpu(p);
	/* Not fresh from ops.select_cpu(): an idle CPU would not know of it. */
	if (!(enq_flags & ENQ_CPU_SELECTED)) {
		s32 idle = idle_cpu(p, cpu, 0);

		if (idle >= 0) {
			dsq_insert(p, DSQ_LOCAL_ON | idle, slice_ns, enq_flags);
			return;
		}
	}
	queue_push(queue_of(cpu), p, tc, enq_flags);
}

/*
 * Let @prev, whose slice is over, have another one, if it wants to run and is to. Not left to the
 * kernel: with SCX_OPS_ENQ_LAST it would pass @prev to ops.enqueue() and, before 7.3, go idle.
 */
static bool go_on(struct task_struct *prev)
{
	if (!prev || !(prev->scx.flags & TASK_QUEUED))
		return false;
	if (fate_of(prev, task_ctx(prev)) != FATE_NORMAL)
		return false;
	task_set_slice(prev, slice_ns);
	return true;
}

/* The longest queue, or @own unless another is longer than that by two. */
static u32 busiest_queue(u32 own)
{
	u32 busiest = own, i;
	s64 most;

	if (nr_queues == 1 || own >= KT_MAX_QUEUES)
		return own;
	most = queue_waiting[own] + 1;
	bpf_for (i, 0, nr_queues) {
		if (i < KT_MAX_QUEUES && queue_waiting[i] > most) {
			most = queue_waiting[i];
			busiest = i;
		}
	}
	return busiest;
}

static bool steal(u32 queue, s32 cpu)
{
	if (!queue_pop(queue, cpu))
		return false;
	count(dispatched);
	count(stolen);
	return true;
}

SEC("struct_ops/kt_dispatch")
void BPF_PROG(kt_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 own = queue_of(cpu), busiest, i;

	if (starve)
		starve_release();
	busiest = busiest_queue(own);
	if (busiest != own && steal(busiest, cpu))
		return;
	if (queue_pop(own, cpu)) {
		count(dispatched);
		return;
	}
	if (go_on(prev))
		return;
	bpf_for (i, 1, nr_queues) {
		if (steal((own + i) % nr_queues, cpu))
			return;
	}
}

SEC("struct_ops/kt_running")
void BPF_PROG(kt_running, struct task_struct *p)
{
	struct task_ctx *tc = task_ctx(p);
	s32 llc = llc_of(bpf_get_smp_processor_id());

	count(runs);
	if (!tc)
		return;
	if (tc->llc >= 0 && tc->llc != llc)
		count(llc_moves);
	tc->llc = llc;
	tc->runs++;
	wait_end(tc);
}

SEC("struct_ops/kt_quiescent")
void BPF_PROG(kt_quiescent, struct task_struct *p, u64 deq_flags)
{
	struct task_ctx *tc = task_ctx(p);

	if (tc)
		wait_end(tc);
}

SEC("struct_ops.s/kt_init_task")
s32 BPF_PROG(kt_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	struct task_ctx *tc;

	tc = bpf_task_storage_get(&task_ctxs, p, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!tc)
		return -12; /* ENOMEM */
	tc->llc = -1;
	return 0;
}

SEC("struct_ops.s/kt_init")
s32 BPF_PROG(kt_init)
{
	s32 i, err;

	started_ns = bpf_ktime_get_ns();
	if (!bpf_ksym_exists(scx_bpf_create_dsq))
		return 0;
	bpf_for (i, 0, nr_queues) {
		err = scx_bpf_create_dsq(i, -1);
		if (err)
			return err;
	}
	uses_dsqs = true;
	return 0;
}

SEC("struct_ops/kt_exit")
void BPF_PROG(kt_exit, struct scx_exit_info *info)
{
	bpf_probe_read_kernel_str(exit_info.reason, sizeof(exit_info.reason), info->reason);
	bpf_probe_read_kernel_str(exit_info.message, sizeof(exit_info.message), info->msg);
	exit_info.code = info->exit_code;
	/* Last and with a barrier: the loader waits for it. */
	__sync_val_compare_and_swap(&exit_info.kind, 0, info->kind);
}

SEC(".struct_ops.link")
struct sched_ext_ops kt_sched = {
	.select_cpu = (void *)kt_select_cpu,
	.enqueue = (void *)kt_enqueue,
	.dispatch = (void *)kt_dispatch,
	.running = (void *)kt_running,
	.quiescent = (void *)kt_quiescent,
	.init_task = (void *)kt_init_task,
	.init = (void *)kt_init,
	.exit = (void *)kt_exit,
	.name = "kt_sched",
};
