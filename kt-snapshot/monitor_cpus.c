// SPDX-License-Identifier: GPL-2.0
#include "monitor_cpus.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"

#define TASK_COMM_LEN 16
#define TRIES	      4			/* readings until two in a row agree */
#define TASKS_MAX     (4 * 1024 * 1024) /* PID_MAX_LIMIT */
#define AHEAD_MAX_NS  60000000000ULL

enum { NR_RUNNING, SCX_NR_RUNNING, DEPTH, CLOCK, SWITCHES, CURR, VALUES_N };

static const struct {
	const char *key, *path; /* path in struct rq */
	uint64_t max;
} values[VALUES_N] = {
	[NR_RUNNING] = {"nr_running", "nr_running", TASKS_MAX},
	[SCX_NR_RUNNING] = {"scx_nr_running", "scx.nr_running", TASKS_MAX},
	[DEPTH] = {"local_dsq_depth", "scx.local_dsq.nr", TASKS_MAX},
	[CLOCK] = {"rq_clock", "clock", INT64_MAX},
	[SWITCHES] = {"nr_switches", "nr_switches", INT64_MAX},
	[CURR] = {"curr", "curr", UINT64_MAX},
};

struct cpu {
	struct spot spots[VALUES_N];
	struct spot preempted; /* as the host tells a guest of KVM */
	/* The task that it ran last; in the direct map, where an address means the same for ever.
	 */
	uint64_t task;
	struct spot pid;
	const char *comm; /* TASK_COMM_LEN bytes, or NULL: not in one page */
	/* The reading. */
	uint64_t now[VALUES_N];
	bool torn, backwards;
	uint64_t clock_before;
};

struct monitor_cpus {
	struct kernel *kernel;
	struct field pid, comm;
	bool has_task;
	size_t n;
	struct cpu cpus[];
};

struct monitor_cpus *monitor_cpus_open(struct kernel *k, uint64_t rq)
{
	struct monitor_cpus *m = xcalloc(1, sizeof(*m) + k->n_cpus * sizeof(m->cpus[0]));
	/* Only KVM writes to it, when the guest has asked for it (arch/x86/kernel/kvm.c). */
	bool told = spot_load(spot_symbol(k, "has_steal_clock", 4));
	uint64_t steal = told ? kallsyms_find(&k->symbols, "steal_time") : 0;
	size_t i;

	m->kernel = k;
	m->has_task = !types_field(&k->types, "task_struct", "pid", &m->pid) &&
		      !types_field(&k->types, "task_struct", "comm", &m->comm);
	for (m->n = 0; m->n < k->n_cpus; m->n++) {
		struct cpu *c = &m->cpus[m->n];

		for (i = 0; i < VALUES_N; i++)
			c->spots[i] =
				spot_member(k, "rq", values[i].path, kernel_per_cpu(k, rq, m->n));
		if (steal)
			c->preempted = spot_member(k, "kvm_steal_time", "preempted",
						   kernel_per_cpu(k, steal, m->n));
	}
	return m;
}

void monitor_cpus_close(struct monitor_cpus *m)
{
	free(m);
}

static void load(const struct cpu *c, uint64_t *to)
{
	size_t i;

	for (i = 0; i < VALUES_N; i++)
		to[i] = spot_load(c->spots[i]);
}

/* Each number is whole by itself; that they are of one moment takes two readings that agree. */
static void cpu_read(struct cpu *c)
{
	uint64_t again[VALUES_N];
	int i;

	c->clock_before = c->now[CLOCK];
	load(c, c->now);
	for (i = 0, c->torn = true; c->torn && i < TRIES; i++) {
		load(c, again);
		c->torn = memcmp(again, c->now, sizeof(again)) != 0;
		memcpy(c->now, again, sizeof(again));
	}
	c->backwards = c->now[CLOCK] < c->clock_before;
}

/* Where its task lies, once it has another one. */
static void task_find(struct monitor_cpus *m, struct cpu *c)
{
	uint64_t task = c->now[CURR];

	if (task == c->task && c->pid.at)
		return;
	c->task = task;
	c->pid = spot_at(m->kernel, task + m->pid.offset, 4);
	c->comm = (const char *)spot_bytes(m->kernel, task + m->comm.offset, TASK_COMM_LEN);
	__builtin_prefetch(c->comm);
}

void monitor_cpus_prefetch(const struct monitor_cpus *m)
{
	size_t i;

	for (i = 0; i < m->n; i++) {
		const struct cpu *c = &m->cpus[i];

		spot_prefetch(c->spots, VALUES_N);
		spot_prefetch(&c->preempted, 1);
		spot_prefetch(&c->pid, 1);
		__builtin_prefetch(c->comm);
	}
}

uint64_t monitor_cpus_read(struct monitor_cpus *m)
{
	uint64_t latest = 0;
	size_t i;

	for (i = 0; i < m->n; i++) {
		struct cpu *c = &m->cpus[i];

		cpu_read(c);
		if (m->has_task)
			task_find(m, c);
		if (!c->torn && c->now[CLOCK] <= INT64_MAX && c->now[CLOCK] > latest)
			latest = c->now[CLOCK];
	}
	return latest;
}

/* Whether value @i is possible at all. A runqueue's clock never falls (update_rq_clock()). */
static bool believed(const struct cpu *c, size_t i, uint64_t t_ns)
{
	if (i == CLOCK && (c->backwards || c->now[i] > t_ns + AHEAD_MAX_NS))
		return false;
	return c->now[i] <= values[i].max;
}

/* Returns false when what is said to be a task is none. */
static bool add_task(struct monitor_cpus *m, struct json_text *t, const struct cpu *c)
{
	char comm[TASK_COMM_LEN + 1] = "";
	uint64_t pid = spot_load(c->pid);

	if (c->comm)
		memcpy(comm, c->comm, TASK_COMM_LEN);
	if (!c->pid.at || pid > TASKS_MAX ||
	    (!c->comm &&
	     memory_string(&m->kernel->memory, c->task + m->comm.offset, comm, sizeof(comm)) < 0)) {
		text_add(t, "null");
		return false;
	}
	text_add(t, "{\"pid\":");
	text_u64(t, pid);
	text_key(t, "comm");
	text_string(t, comm);
	text_add(t, "}");
	return true;
}

static void add_cpu(struct monitor_cpus *m, struct json_text *t, const struct cpu *c, uint64_t t_ns)
{
	const char *suspects[VALUES_N];
	size_t n = 0, i;

	text_next(t);
	text_add(t, "{");
	for (i = 0; i < VALUES_N; i++) {
		if (i == CURR && !m->has_task)
			continue;
		text_key(t, values[i].key);
		if (!c->spots[i].at || c->torn) {
			text_add(t, "null");
		} else if (!believed(c, i, t_ns)) {
			text_add(t, "null");
			suspects[n++] = values[i].key;
		} else if (i != CURR) {
			text_u64(t, c->now[i]);
		} else if (!add_task(m, t, c)) {
			suspects[n++] = values[i].key;
		}
	}
	if (c->preempted.at)
		text_add(t, spot_load(c->preempted) & 1 ? ",\"preempted\":true"
							: ",\"preempted\":false");
	if (c->torn)
		text_add(t, ",\"torn\":true");
	for (i = 0; i < n; i++) {
		text_add(t, i ? "," : ",\"suspect\":[");
		text_string(t, suspects[i]);
	}
	text_add(t, n ? "]}" : "}");
}

void monitor_cpus_add(struct monitor_cpus *m, struct json_text *t, uint64_t t_ns)
{
	size_t i;

	text_key(t, "cpus");
	text_add(t, "[");
	for (i = 0; i < m->n; i++)
		add_cpu(m, t, &m->cpus[i], t_ns);
	text_add(t, "]");
}
