/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of sched_ext that kt_sched uses, declared by hand instead of from one kernel's
 * vmlinux.h: types carry only the members that are read (CO-RE finds their offsets), and each
 * kernel function that has changed its name or may be unusable is weak and has a fallback.
 *
 * A function can be unusable although the kernel has it: from 7.1 on, many take a hidden argument,
 * for which the kernel's BTF must hold a second prototype NAME_impl. Some distribution kernels
 * (Debian's 7.1.13 and 7.2.12) lack it for part of the functions, among them scx_bpf_create_dsq().
 * There the prototype shows the hidden argument, libbpf finds it incompatible with the one declared
 * here, and bpf_ksym_exists() is false, the same as for a function that is not there.
 */
#ifndef KT_SCX_BPF_H
#define KT_SCX_BPF_H

/* linux/bpf.h has struct bpf_iter_num only from 6.4 on; have it once, whichever is installed. */
#define bpf_iter_num bpf_iter_num_uapi
#include <linux/bpf.h>
#undef bpf_iter_num
struct bpf_iter_num {
	__u64 opaque[1];
} __attribute__((aligned(8)));

#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;

#define PF_KTHREAD 0x00200000 /* include/linux/sched.h */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct cpumask {
	unsigned long bits[1];
};

struct kernfs_node {
	const char *name;
	u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct sched_ext_entity {
	u32 flags;
	u64 slice;
};

struct task_struct {
	unsigned int flags;
	int pid;
	int tgid;
	char comm[16];
	const struct cpumask *cpus_ptr;
	struct css_set *cgroups;
	struct sched_ext_entity scx;
};

enum scx_exit_kind {
	SCX_EXIT_NONE,
};

struct scx_exit_info {
	enum scx_exit_kind kind;
	s64 exit_code;
	const char *reason;
	char *msg;
};

struct scx_init_task_args {
	bool fork;
};

struct scx_bpf_select_cpu_and_args {
	s32 prev_cpu;
	u64 wake_flags;
	u64 flags;
};

#pragma clang attribute pop

/* libbpf matches members to the kernel's sched_ext_ops by name; the others stay zero. */
struct sched_ext_ops {
	s32 (*select_cpu)(struct task_struct *p, s32 prev_cpu, u64 wake_flags);
	void (*enqueue)(struct task_struct *p, u64 enq_flags);
	void (*dispatch)(s32 cpu, struct task_struct *prev);
	void (*running)(struct task_struct *p);
	void (*quiescent)(struct task_struct *p, u64 deq_flags);
	s32 (*init_task)(struct task_struct *p, struct scx_init_task_args *args);
	s32 (*init)(void);
	void (*exit)(struct scx_exit_info *info);
	u64 flags;
	u32 timeout_ms;
	char name[128];
};

/* Constants: the values are the running kernel's, put in at load. */
enum scx_dsq_id_flags {
	SCX_DSQ_GLOBAL = 0x8000000000000001ULL,
	SCX_DSQ_LOCAL = 0x8000000000000002ULL,
	SCX_DSQ_LOCAL_ON = 0xc000000000000000ULL,
};

enum scx_enq_flags {
	SCX_ENQ_CPU_SELECTED = 1ULL << 10,
	SCX_ENQ_LAST = 1ULL << 41,
};

enum scx_ent_flags {
	SCX_TASK_QUEUED = 1,
};

#define DSQ_GLOBAL	 bpf_core_enum_value(enum scx_dsq_id_flags, SCX_DSQ_GLOBAL)
#define DSQ_LOCAL	 bpf_core_enum_value(enum scx_dsq_id_flags, SCX_DSQ_LOCAL)
#define DSQ_LOCAL_ON	 bpf_core_enum_value(enum scx_dsq_id_flags, SCX_DSQ_LOCAL_ON)
#define ENQ_CPU_SELECTED bpf_core_enum_value(enum scx_enq_flags, SCX_ENQ_CPU_SELECTED)
#define ENQ_LAST	 bpf_core_enum_value(enum scx_enq_flags, SCX_ENQ_LAST)
#define TASK_QUEUED	 bpf_core_enum_value(enum scx_ent_flags, SCX_TASK_QUEUED)

/*
 * Kernel functions. libbpf drops what follows the last "___" of a name here, so that several
 * prototypes of one function can be declared; a "___v2" that is the kernel's own needs one more.
 */
s32 scx_bpf_create_dsq(u64 dsq_id, s32 node) __ksym __weak;
bool scx_bpf_dsq_insert___v2___kt(struct task_struct *p, u64 dsq_id, u64 slice,
				  u64 enq_flags) __ksym __weak;
void scx_bpf_dsq_insert___v1(struct task_struct *p, u64 dsq_id, u64 slice,
			     u64 enq_flags) __ksym __weak;
bool scx_bpf_dsq_move_to_local___v2___kt(u64 dsq_id, u64 enq_flags) __ksym __weak;
bool scx_bpf_dsq_move_to_local___v1(u64 dsq_id) __ksym __weak;
s32 __scx_bpf_select_cpu_and(struct task_struct *p, const struct cpumask *cpus_allowed,
			     struct scx_bpf_select_cpu_and_args *args) __ksym __weak;
s32 scx_bpf_select_cpu_and(struct task_struct *p, s32 prev_cpu, u64 wake_flags,
			   const struct cpumask *cpus_allowed, u64 flags) __ksym __weak;
s32 scx_bpf_pick_idle_cpu(const struct cpumask *cpus_allowed, u64 flags) __ksym __weak;
bool scx_bpf_test_and_clear_cpu_idle(s32 cpu) __ksym __weak;
bool scx_bpf_task_set_slice(struct task_struct *p, u64 slice) __ksym __weak;
s32 scx_bpf_task_cpu(const struct task_struct *p) __ksym;
void scx_bpf_error_bstr(char *fmt, unsigned long long *data, u32 data_size) __ksym __weak;
struct task_struct *bpf_task_from_pid(s32 pid) __ksym;
void bpf_task_release(struct task_struct *p) __ksym;
bool bpf_cpumask_test_cpu(u32 cpu, const struct cpumask *cpumask) __ksym;

/* Hand @p over to a dispatch queue. */
static __always_inline void dsq_insert(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags)
{
	if (bpf_ksym_exists(scx_bpf_dsq_insert___v2___kt))
		scx_bpf_dsq_insert___v2___kt(p, dsq_id, slice, enq_flags);
	else
		scx_bpf_dsq_insert___v1(p, dsq_id, slice, enq_flags);
}

/* Take the first task of @dsq_id that may run here to this CPU. False when there is none. */
static __always_inline bool dsq_move_to_local(u64 dsq_id)
{
	if (bpf_ksym_exists(scx_bpf_dsq_move_to_local___v2___kt))
		return scx_bpf_dsq_move_to_local___v2___kt(dsq_id, 0);
	if (bpf_ksym_exists(scx_bpf_dsq_move_to_local___v1))
		return scx_bpf_dsq_move_to_local___v1(dsq_id);
	return false;
}

static __always_inline void task_set_slice(struct task_struct *p, u64 slice)
{
	if (bpf_ksym_exists(scx_bpf_task_set_slice))
		scx_bpf_task_set_slice(p, slice);
	else
		p->scx.slice = slice;
}

/*
 * Claim an idle CPU for @p by the kernel's own preference: @prev_cpu, its LLC, its node, any.
 * Returns a negative errno when there is none.
 */
static __always_inline s32 idle_cpu_near(struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	if (bpf_ksym_exists(__scx_bpf_select_cpu_and)) {
		struct scx_bpf_select_cpu_and_args args = {
			.prev_cpu = prev_cpu,
			.wake_flags = wake_flags,
		};

		return __scx_bpf_select_cpu_and(p, p->cpus_ptr, &args);
	}
	if (bpf_ksym_exists(scx_bpf_select_cpu_and))
		return scx_bpf_select_cpu_and(p, prev_cpu, wake_flags, p->cpus_ptr, 0);
	return -1;
}

#endif
