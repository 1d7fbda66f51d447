// SPDX-License-Identifier: GPL-2.0
/* Section "cpu": each CPU's runqueue and the task that it runs (kernel/sched/sched.h, struct rq).
 */

#include "capture.h"
#include "cleanup.h"
#include "diag.h"

/* Members of struct rq under the names that they have in the document. */
static const struct {
	const char *key, *path;
} rq_members[] = {
	{"nr_running", "nr_running"},
	{"clock_ns", "clock"},
	{"clock_task_ns", "clock_task"},
	{"nr_switches", "nr_switches"},
	{"cfs_nr_running", "cfs.h_nr_queued"},
	{"rt_nr_running", "rt.rt_nr_running"},
	{"dl_nr_running", "dl.dl_nr_running"},
	{"scx_nr_running", "scx.nr_running"},
	{"scx_flags", "scx.flags"},
	{"scx_cpu_released", "scx.cpu_released"},
	{"local_dsq_depth", "scx.local_dsq.nr"},
};

static const char *const needs[] = {
	"runqueues",
	"struct rq.nr_running",
	"struct rq.clock",
	"struct rq.clock_task",
	"struct rq.nr_switches",
	"struct rq.cfs.h_nr_queued",
	"struct rq.rt.rt_nr_running",
	"struct rq.dl.dl_nr_running",
	"struct rq.scx.nr_running",
	"struct rq.scx.flags",
	"struct rq.scx.cpu_released",
	"struct rq.scx.local_dsq.nr",
	"struct rq.curr",
	"struct task_struct.pid",
	"struct task_struct.tgid",
	"struct task_struct.comm",
	"struct task_struct.prio",
	NULL,
};

static json_t *task_json(struct kernel *k, uint64_t task)
{
	json_t *o = json_object();
	struct field f;
	char comm[17] = "";
	int64_t value;

	if (!kernel_number(k, "task_struct", "pid", task, &value))
		json_object_set_new(o, "pid", json_integer(value));
	if (!kernel_number(k, "task_struct", "tgid", task, &value))
		json_object_set_new(o, "tgid", json_integer(value));
	if (!types_field(&k->types, "task_struct", "comm", &f) &&
	    memory_string(&k->memory, task + f.offset, comm, sizeof(comm)) >= 0)
		json_object_set_new(o, "comm", json_string(comm));
	if (!kernel_number(k, "task_struct", "prio", task, &value))
		json_object_set_new(o, "prio", json_integer(value));
	return o;
}

static int collect(struct capture *c, void **state)
{
	struct kernel *k = c->kernel;
	uint64_t rq = kallsyms_find(&k->symbols, "runqueues");
	json_t *cpus = json_array();
	uint32_t cpu;
	size_t i;

	(void)state;
	for (cpu = 0; rq && cpu < k->n_cpus; cpu++) {
		uint64_t at = kernel_per_cpu(k, rq, cpu);
		json_t *o = json_object();
		int64_t value;

		json_object_set_new(o, "cpu", json_integer(cpu));
		for (i = 0; i < ARRAY_SIZE(rq_members); i++) {
			if (!kernel_number(k, "rq", rq_members[i].path, at, &value))
				json_object_set_new(o, rq_members[i].key, json_integer(value));
		}
		if (!kernel_number(k, "rq", "curr", at, &value))
			json_object_set_new(o, "curr", task_json(k, value));
		json_array_append_new(cpus, o);
	}
	json_object_set_new(c->doc, "cpu", cpus);
	return 0;
}

const struct capture_section section_cpus = {
	.name = "cpu",
	.help = "runqueues, and the task that each CPU runs",
	.needs = needs,
	.collect = collect,
};
