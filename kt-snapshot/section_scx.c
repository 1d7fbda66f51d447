// SPDX-License-Identifier: GPL-2.0
/*
 * Section "scx": sched_ext's state, its scheduler, the dispatch queues and the event counters
 * (kernel/sched/ext.c; from 7.2 on kernel/sched/ext/).
 */
#include <errno.h>
#include <string.h>

#include "btf_render.h"
#include "capture.h"
#include "cleanup.h"
#include "diag.h"
#include "scx.h"
#include "scx_dsq.h"

#define NODES_MAX 1024

enum kind { KIND_NUMBER, KIND_BOOL, KIND_JIFFIES };

/* Where a value is: in struct scx_sched, or in a variable of @size bytes; whichever there is. */
struct place {
	const char *key, *member, *symbol;
	uint8_t size;
	enum kind kind;
};

/* What /sys/kernel/sched_ext shows. */
static const struct place globals[] = {
	{"switch_all", NULL, "scx_switching_all", 1, KIND_BOOL},
	{"nr_rejected", NULL, "scx_nr_rejected", 8},
	{"hotplug_seq", NULL, "scx_hotplug_seq", 8},
	{"enable_seq", NULL, "scx_enable_seq", 8},
};

/* What a scheduler has, while there is one. */
static const struct place values[] = {
	{"bypass_depth", "bypass_depth", "scx_bypass_depth", 4},
	{"aborting", "aborting", "scx_aborting", 1, KIND_BOOL},
	{"slice_default_ns", "slice_dfl", "scx_slice_dfl", 8},
	{"watchdog_timeout_ms", "watchdog_timeout", "scx_watchdog_timeout", 8, KIND_JIFFIES},
};

/* Members of struct sched_ext_ops that are settings. */
static const char *const settings[] = {"dispatch_max_batch", "timeout_ms", "exit_dump_len",
				       "hotplug_seq", "sub_cgroup_id"};

static const char *const needs[] = {
	"struct sched_ext_ops",
	"scx_enable_state_var or scx_ops_enable_state_var", /* the latter up to 6.14 */
	"scx_root or scx_ops",
	"struct scx_sched.ops or scx_ops",
	"struct sched_ext_ops.name",
	"struct sched_ext_ops.flags",
	"struct sched_ext_ops.dispatch_max_batch",
	"struct sched_ext_ops.timeout_ms",
	"struct sched_ext_ops.exit_dump_len",
	"struct sched_ext_ops.hotplug_seq",
	"struct scx_enable_state or struct scx_ops_enable_state",
	"struct scx_ops_flags",
	"clocksource_jiffies",
	"struct clocksource.mult",
	"struct clocksource.shift",
	"struct scx_sched.exit_kind or scx_exit_kind",
	"struct scx_sched.exit_info or scx_exit_info",
	"struct scx_exit_kind",
	"struct scx_exit_info.kind",
	"struct scx_exit_info.exit_code",
	"struct scx_exit_info.reason",
	"struct scx_exit_info.msg",
	"struct scx_event_stats",
	"struct scx_sched.pcpu or struct scx_sched.event_stats_cpu or event_stats_cpu",
	"struct scx_sched_pcpu.event_stats or struct scx_sched.event_stats_cpu or event_stats_cpu",
	"runqueues",
	"struct rq.scx.local_dsq",
	"struct scx_dispatch_q.nr",
	"struct scx_dispatch_q.list",
	"struct scx_dispatch_q.id",
	"struct scx_dispatch_q.hash_node",
	"struct scx_dsq_list_node.flags",
	"struct task_struct.scx.dsq_list",
	"struct task_struct.scx.slice",
	"struct task_struct.scx.dsq_vtime",
	"struct task_struct.pid",
	"struct task_struct.comm",
	"struct scx_sched.pnode or struct scx_sched.global_dsqs or global_dsqs",
	"nr_node_ids",
	"struct scx_sched.dsq_hash or dsq_hash",
	"struct rhashtable.tbl",
	"struct bucket_table.buckets",
	"struct bucket_table.size",
	"struct bucket_table.nest",
	"struct bucket_table.future_tbl",
	NULL,
};

struct reading {
	struct capture *c;
	struct kernel *k;
	uint64_t root;	/* struct scx_sched, or 0 */
	bool has_sched; /* the kernel has that struct */
	json_t *o;
};

/* Whether the scheduler's @member, or else @symbol, is there; where. */
static bool place_find(const struct reading *r, const char *member, const char *symbol,
		       uint64_t *va)
{
	struct field f;

	if (r->has_sched && member && !types_field(&r->k->types, "scx_sched", member, &f)) {
		*va = r->root + f.offset;
		return r->root != 0;
	}
	*va = symbol ? kallsyms_find(&r->k->symbols, symbol) : 0;
	return *va != 0;
}

static bool place_known(const struct reading *r, const struct place *p)
{
	struct field f;

	return (p->member && !types_field(&r->k->types, "scx_sched", p->member, &f)) ||
	       (p->symbol && kallsyms_find(&r->k->symbols, p->symbol));
}

static void add_places(const struct reading *r, json_t *o, const struct place *p, size_t n)
{
	for (; n; p++, n--) {
		uint64_t va, value = 0;

		if (!place_known(r, p)) {
			capture_missing(
				r->c, "scx.%s: %s%s%s%s", p->key,
				p->member ? "struct scx_sched." : "", p->member ? p->member : "",
				p->member && p->symbol ? " or " : "", p->symbol ? p->symbol : "");
			continue;
		}
		if (!place_find(r, p->member, p->symbol, &va) ||
		    memory_read(&r->k->memory, va, &value, p->size))
			continue;
		if (p->kind == KIND_BOOL)
			json_object_set_new(o, p->key, json_boolean(value));
		else if (p->kind == KIND_NUMBER)
			json_object_set_new(o, p->key, u64_json(value));
		else if (scx_tick_ns(r->k))
			json_object_set_new(o, p->key,
					    json_integer(value * scx_tick_ns(r->k) / 1000000));
	}
}

static json_t *string_at(struct kernel *k, uint64_t va)
{
	char text[1025];

	return va && memory_string(&k->memory, va, text, sizeof(text)) >= 0 ? scx_text(text)
									    : json_null();
}

/* A string that a pointer in @type at @va points to. */
static json_t *pointed_string(struct kernel *k, const char *type, const char *member, uint64_t va)
{
	int64_t at;

	return kernel_number(k, type, member, va, &at) ? json_null() : string_at(k, at);
}

static void add_ops(struct reading *r)
{
	uint64_t va;
	struct field name;
	json_t *o;
	int64_t value;
	size_t i;

	if (!place_find(r, "ops", "scx_ops", &va)) {
		json_object_set_new(r->o, "ops", json_null());
		return;
	}
	o = json_object();
	if (!types_field(&r->k->types, "sched_ext_ops", "name", &name))
		json_object_set_new(o, "name", string_at(r->k, va + name.offset));
	if (!kernel_number(r->k, "sched_ext_ops", "flags", va, &value)) {
		json_object_set_new(o, "flags",
				    scx_flag_names(r->k, "scx_ops_flags", "scx_ops_", value));
		json_object_set_new(o, "flags_value", u64_json(value));
	}
	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		if (!kernel_number(r->k, "sched_ext_ops", settings[i], va, &value))
			json_object_set_new(o, settings[i], json_integer(value));
	}
	json_object_set_new(r->o, "ops", o);
}

/*
 * How the scheduler ends: the kind is written first, the rest by and by. Once the kernel is at it
 * the kind is but "done", and the rest has it.
 */
static void add_exit(struct reading *r)
{
	uint64_t kind_at, info_at, info = 0;
	char name[48] = "";
	json_t *o;
	int64_t value;
	uint32_t kind;

	if (!place_find(r, "exit_kind", "scx_exit_kind", &kind_at) ||
	    memory_u32(&r->k->memory, kind_at, &kind))
		return;
	if (kind && place_find(r, "exit_info", "scx_exit_info", &info_at) &&
	    memory_u64(&r->k->memory, info_at, &info))
		info = 0;
	scx_enum_name(r->k, "scx_exit_kind", "scx_exit_", kind, name, sizeof(name));
	if (!strcmp(name, "done") && info &&
	    !kernel_number(r->k, "scx_exit_info", "kind", info, &value) && value) {
		kind = value;
		scx_enum_name(r->k, "scx_exit_kind", "scx_exit_", kind, name, sizeof(name));
	}
	o = json_object();
	json_object_set_new(o, "kind", json_string(name));
	json_object_set_new(o, "kind_value", json_integer(kind));
	if (info) {
		if (!kernel_number(r->k, "scx_exit_info", "exit_code", info, &value))
			json_object_set_new(o, "code", json_integer(value));
		json_object_set_new(o, "reason",
				    pointed_string(r->k, "scx_exit_info", "reason", info));
		json_object_set_new(o, "message",
				    pointed_string(r->k, "scx_exit_info", "msg", info));
	}
	json_object_set_new(r->o, "exit", o);
}

/* One of each node: in an array of pointers to queues, or to structs that hold one. */
static void add_global_dsqs(struct reading *r, struct scx_dsqs *d)
{
	uint32_t nodes = 1, node, offset = 0;
	uint64_t va, list, dsq;
	struct field f;

	if (!place_find(r, "pnode", NULL, &va) && !place_find(r, "global_dsqs", "global_dsqs", &va))
		return;
	if (!types_field(&r->k->types, "scx_sched_pnode", "global_dsq", &f))
		offset = f.offset;
	va = memory_u64(&r->k->memory, va, &list) ? 0 : list;
	if (memory_u32(&r->k->memory, kallsyms_find(&r->k->symbols, "nr_node_ids"), &nodes) ||
	    nodes > NODES_MAX)
		nodes = 1;
	for (node = 0; va && node < nodes; node++) {
		if (!memory_u64(&r->k->memory, va + node * 8, &dsq) && dsq)
			scx_dsqs_add(d, "global", "node", node, dsq + offset);
	}
}

/* Those that are in each CPU's @type at per-CPU address @base. */
static void add_cpu_dsqs(struct reading *r, struct scx_dsqs *d, const char *name, const char *type,
			 const char *path, uint64_t base)
{
	struct field f;
	uint32_t cpu;

	if (!base || types_field(&r->k->types, type, path, &f))
		return;
	for (cpu = 0; cpu < r->k->n_cpus; cpu++)
		scx_dsqs_add(d, name, "cpu", cpu, kernel_per_cpu(r->k, base, cpu) + f.offset);
}

static void add_dsqs(struct reading *r)
{
	uint64_t rq = kallsyms_find(&r->k->symbols, "runqueues"), va;
	json_t *list = json_array();
	struct scx_dsqs d;
	int64_t pcpu = 0;
	int err;

	json_object_set_new(r->o, "dsq", list);
	if (scx_dsqs_init(&d, r->k, list))
		return;
	add_global_dsqs(r, &d);
	add_cpu_dsqs(r, &d, "local", "rq", "scx.local_dsq", rq);
	/* Up to 7.0 in the runqueue, then in the scheduler's own. */
	add_cpu_dsqs(r, &d, "bypass", "rq", "scx.bypass_dsq", rq);
	if (r->root && !kernel_number(r->k, "scx_sched", "pcpu", r->root, &pcpu))
		add_cpu_dsqs(r, &d, "bypass", "scx_sched_pcpu", "bypass_dsq", pcpu);
	add_cpu_dsqs(r, &d, "reject", "rq", "scx.reject_dsq", rq);
	if (place_find(r, "dsq_hash", "dsq_hash", &va)) {
		err = scx_dsqs_add_table(&d, va);
		if (err && err != -ENOENT)
			capture_missing(r->c, "scx user dispatch queues: %s", strerror(-err));
	}
	if (d.full)
		capture_missing(r->c, "scx dispatch queues beyond %d", SCX_MAX_DSQS);
}

static json_t *events_json(json_t *o, const struct scx_event *events, const int64_t *counts,
			   size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		json_object_set_new(o, events[i].name, json_integer(counts[i]));
	return o;
}

static void add_events(struct reading *r)
{
	struct scx_event events[SCX_MAX_EVENTS];
	int64_t sums[SCX_MAX_EVENTS] = {}, counts[SCX_MAX_EVENTS];
	size_t n = scx_events(r->k, events), i;
	json_t *cpus = json_array();
	uint64_t base;
	uint32_t cpu;

	if (!n || (r->has_sched && !r->root) || scx_events_address(r->k, r->root, &base)) {
		json_object_set_new(r->o, "events", json_null());
		json_decref(cpus);
		return;
	}
	for (cpu = 0; cpu < r->k->n_cpus; cpu++) {
		uint64_t va = kernel_per_cpu(r->k, base, cpu);

		for (i = 0; i < n; i++) {
			if (memory_read(&r->k->memory, va + events[i].offset, &counts[i], 8))
				counts[i] = 0;
			sums[i] = (uint64_t)sums[i] + counts[i];
		}
		json_array_append_new(cpus, events_json(json_pack("{s:I}", "cpu", (json_int_t)cpu),
							events, counts, n));
	}
	json_object_set_new(r->o, "events", events_json(json_object(), events, sums, n));
	json_object_set_new(r->o, "events_by_cpu", cpus);
}

static int collect(struct capture *c, void **state)
{
	struct reading r = {c, c->kernel};
	const char *symbol = scx_state_symbol(c->kernel);
	uint64_t at = kallsyms_find(&c->kernel->symbols, "scx_root");
	uint32_t value;
	char name[32];

	(void)state;
	if (!types_find(&c->kernel->types, "sched_ext_ops"))
		return 0;
	r.has_sched = types_find(&c->kernel->types, "scx_sched") != 0;
	if (at && memory_u64(&c->kernel->memory, at, &r.root))
		return -EFAULT;
	r.o = json_object();
	json_object_set_new(c->doc, "scx", r.o);
	if (symbol &&
	    !memory_u32(&c->kernel->memory, kallsyms_find(&c->kernel->symbols, symbol), &value))
		json_object_set_new(
			r.o, "state",
			json_string(scx_state_name(c->kernel, value, name, sizeof(name))));
	add_places(&r, r.o, globals, ARRAY_SIZE(globals));
	add_ops(&r);
	add_places(&r, r.o, values, ARRAY_SIZE(values));
	add_exit(&r);
	add_events(&r);
	add_dsqs(&r);
	return 0;
}

const struct capture_section section_scx = {
	.name = "scx",
	.help = "sched_ext: its state, scheduler, dispatch queues and event counters",
	.needs = needs,
	.collect = collect,
};
