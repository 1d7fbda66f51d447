// SPDX-License-Identifier: GPL-2.0
/*
 * Section "sched_domain": the domains that each CPU is balanced in, with their groups
 * (include/linux/sched/topology.h, kernel/sched/sched.h). Copied as they are while the guest stands
 * still, understood afterwards.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "cleanup.h"
#include "cpuset.h"
#include "diag.h"
#include "scx.h"

#define LEVELS_MAX	 16
#define GROUPS_MAX	 65536 /* in all */
#define STRUCT_MAX	 4096
#define IDLE_KINDS	 3 /* enum cpu_idle_type: busy, idle, newly idle */
#define FIRST_FLAG	 "__SD_BALANCE_NEWIDLE"
#define CPUMASK_BYTES(k) (((k)->n_cpus + 63) / 64 * 8)

/* Members of struct sched_domain under their own names. */
static const char *const numbers[] = {
	"level",
	"span_weight",
	"balance_interval",
	"min_interval",
	"max_interval",
	"busy_factor",
	"imbalance_pct",
	"cache_nice_tries",
	"nr_balance_failed",
	"newidle_call",
	"newidle_success",
	"newidle_ratio",
	"alb_count",
	"alb_failed",
	"alb_pushed",
	"sbe_count",
	"sbe_balanced",
	"sbe_pushed",
	"sbf_count",
	"sbf_balanced",
	"sbf_pushed",
	"ttwu_wake_remote",
	"ttwu_move_affine",
	"ttwu_move_balance",
	"max_newidle_lb_cost",
};

/* Those that have a number for each kind of idleness. */
static const char *const arrays[] = {
	"lb_count",	     "lb_balanced",	  "lb_failed",		 "lb_imbalance_load",
	"lb_imbalance_util", "lb_imbalance_task", "lb_imbalance_misfit", "lb_gained",
	"lb_hot_gained",     "lb_nobusyq",	  "lb_nobusyg",
};

/* And the members that are listed above. */
static const char *const needs[] = {
	"runqueues",
	"struct rq.sd",
	"struct sched_domain.parent",
	"struct sched_domain.name",
	"struct sched_domain.flags",
	"struct sched_domain.groups",
	"struct sched_group.next",
	"struct sched_group.group_weight",
	"struct sched_group.cpumask",
	"struct sched_group.sgc",
	"struct sched_group_capacity.capacity",
	NULL,
};

struct layout {
	/* Size 0: this kernel has it not. */
	struct field parent, name, flags, groups, next, group_span, weight, cores, sgc, capacity;
	struct field numbers[ARRAY_SIZE(numbers)];
	struct field arrays[ARRAY_SIZE(arrays)];
	uint32_t size; /* of struct sched_domain: the CPUs' mask comes behind it */
};

struct group {
	uint32_t weight, cores;
	uint64_t capacity;
	struct cpuset cpus;
};

/* One domain of one CPU. */
struct copy {
	uint32_t cpu;
	char name[16];
	uint8_t *data;
	struct cpuset cpus;
	size_t first_group, n_groups;
};

struct domains {
	struct layout layout;
	struct copy *copies;
	size_t n;
	struct group *groups;
	size_t n_groups, room;
	bool full;
};

/* Returns 0, or -ENOENT: without these nothing can be seen. */
static int layout_find(struct capture *c, struct layout *l)
{
	const struct types *t = &c->kernel->types;
	const struct {
		const char *type, *path;
		struct field *to;
	} members[] = {
		{"sched_domain", "parent", &l->parent},
		{"sched_domain", "name", &l->name},
		{"sched_domain", "flags", &l->flags},
		{"sched_domain", "groups", &l->groups},
		{"sched_group", "next", &l->next},
		{"sched_group", "cpumask", &l->group_span},
		{"sched_group", "group_weight", &l->weight},
		{"sched_group", "cores", &l->cores},
		{"sched_group", "sgc", &l->sgc},
		{"sched_group_capacity", "capacity", &l->capacity},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(members); i++) {
		if (types_field(t, members[i].type, members[i].path, members[i].to))
			*members[i].to = (struct field){};
	}
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (types_field(t, "sched_domain", numbers[i], &l->numbers[i]))
			capture_missing(c, "struct sched_domain.%s", numbers[i]);
	}
	for (i = 0; i < ARRAY_SIZE(arrays); i++) {
		if (types_field(t, "sched_domain", arrays[i], &l->arrays[i]))
			capture_missing(c, "struct sched_domain.%s", arrays[i]);
	}
	l->size = types_size(t, "sched_domain");
	return l->parent.size && l->size <= STRUCT_MAX ? 0 : -ENOENT;
}

static int read_mask(struct kernel *k, uint64_t va, struct cpuset *set)
{
	cpuset_clear(set);
	return memory_read(&k->memory, va, set->bits, CPUMASK_BYTES(k));
}

static struct group *group_new(struct domains *d)
{
	if (d->n_groups == GROUPS_MAX) {
		d->full = true;
		return NULL;
	}
	if (d->n_groups == d->room) {
		d->room = d->room ? 2 * d->room : 64;
		d->groups = xrealloc(d->groups, d->room * sizeof(*d->groups));
	}
	return memset(&d->groups[d->n_groups], 0, sizeof(*d->groups));
}

/* The ring of groups that begins at @first; one for each CPU at most. */
static void read_groups(struct kernel *k, struct domains *d, struct copy *copy, uint64_t first)
{
	const struct layout *l = &d->layout;
	struct memory *m = &k->memory;
	uint64_t at = first, sgc;

	copy->first_group = d->n_groups;
	while (at && copy->n_groups < k->n_cpus) {
		struct group *g = group_new(d);

		if (!g || (l->weight.size && memory_u32(m, at + l->weight.offset, &g->weight)) ||
		    read_mask(k, at + l->group_span.offset, &g->cpus))
			return;
		if (l->sgc.size && l->capacity.size &&
		    (memory_u64(m, at + l->sgc.offset, &sgc) ||
		     memory_u64(m, sgc + l->capacity.offset, &g->capacity)))
			return;
		if (l->cores.size == 4)
			memory_u32(m, at + l->cores.offset, &g->cores);
		d->n_groups++;
		copy->n_groups++;
		if (memory_u64(m, at + l->next.offset, &at) || at == first)
			return;
	}
}

static bool has_groups(const struct layout *l)
{
	return l->groups.size && l->next.size && l->group_span.type; /* an array without end */
}

static int read_domain(struct kernel *k, struct domains *d, uint32_t cpu, uint64_t *va)
{
	const struct layout *l = &d->layout;
	struct copy *copy = &d->copies[d->n];
	uint64_t name = 0, groups = 0;

	*copy = (struct copy){.cpu = cpu, .data = xmalloc(l->size)};
	d->n++;
	if (memory_read(&k->memory, *va, copy->data, l->size) ||
	    read_mask(k, *va + l->size, &copy->cpus) ||
	    (l->name.size && memory_u64(&k->memory, *va + l->name.offset, &name)) ||
	    (has_groups(l) && memory_u64(&k->memory, *va + l->groups.offset, &groups)))
		return -EFAULT;
	if (!l->name.size || memory_string(&k->memory, name, copy->name, sizeof(copy->name)) < 0)
		copy->name[0] = '\0';
	read_groups(k, d, copy, groups);
	return memory_u64(&k->memory, *va + l->parent.offset, va);
}

static void release(void *state)
{
	struct domains *d = state;
	size_t i;

	for (i = 0; i < d->n; i++)
		free(d->copies[i].data);
	free(d->copies);
	free(d->groups);
	free(d);
}

static int collect(struct capture *c, void **state)
{
	struct kernel *k = c->kernel;
	uint64_t rq = kallsyms_find(&k->symbols, "runqueues"), va;
	struct domains *d = xcalloc(1, sizeof(*d));
	struct field sd;
	uint32_t cpu;
	int err;

	*state = d;
	if (!rq || layout_find(c, &d->layout) || types_field(&k->types, "rq", "sd", &sd))
		return 0;
	d->copies = xcalloc((size_t)k->n_cpus * LEVELS_MAX, sizeof(*d->copies));
	for (cpu = 0; cpu < k->n_cpus; cpu++) {
		size_t first = d->n;

		err = memory_u64(&k->memory, kernel_per_cpu(k, rq, cpu) + sd.offset, &va);
		while (!err && va && d->n - first < LEVELS_MAX)
			err = read_domain(k, d, cpu, &va);
		if (err)
			capture_missing(c, "sched domains of CPU %u: not in memory", cpu);
	}
	return 0;
}

static uint64_t number_in(const struct field *f, const uint8_t *data, uint32_t size)
{
	uint64_t value = 0;

	if (f->size <= sizeof(value) && f->offset + f->size <= size)
		memcpy(&value, data + f->offset, f->size);
	return value;
}

/* The enum that counts the flags' bits has no name: it is known by its first entry. */
static const struct btf_type *flags_enum(const struct types *t)
{
	uint32_t n = btf__type_cnt(t->btf), id;

	for (id = 1; id < n; id++) {
		const struct btf_type *type = btf__type_by_id(t->btf, id);

		if (btf_is_enum(type) && btf_vlen(type) &&
		    !strcmp(btf__name_by_offset(t->btf, btf_enum(type)->name_off), FIRST_FLAG))
			return type;
	}
	return NULL;
}

static json_t *flags_json(const struct types *t, const struct btf_type *names, uint64_t flags)
{
	json_t *list = json_array();
	uint16_t i;

	for (i = 0; names && i + 1 < btf_vlen(names); i++) { /* the last one is their number */
		const struct btf_enum *e = &btf_enum(names)[i];
		const char *name = btf__name_by_offset(t->btf, e->name_off);

		if (e->val >= 0 && e->val < 64 && flags >> e->val & 1)
			json_array_append_new(list, json_string(name + strspn(name, "_")));
	}
	return list;
}

static json_t *cpus_json(const struct cpuset *set)
{
	_cleanup_free_ char *text = cpuset_format(set);

	return json_string(text);
}

static json_t *groups_json(const struct domains *d, const struct copy *copy)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < copy->n_groups; i++) {
		const struct group *g = &d->groups[copy->first_group + i];
		json_t *o = json_object();

		json_object_set_new(o, "cpus", cpus_json(&g->cpus));
		if (d->layout.weight.size)
			json_object_set_new(o, "weight", json_integer(g->weight));
		if (d->layout.cores.size)
			json_object_set_new(o, "cores", json_integer(g->cores));
		if (d->layout.sgc.size && d->layout.capacity.size)
			json_object_set_new(o, "capacity", json_integer(g->capacity));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *domain_json(struct capture *c, const struct domains *d, const struct copy *copy,
			   const struct btf_type *names)
{
	const struct layout *l = &d->layout;
	json_t *o = json_object();
	size_t i;
	int kind;

	if (l->name.size)
		json_object_set_new(o, "name", scx_text(copy->name));
	json_object_set_new(o, "span", cpus_json(&copy->cpus));
	if (l->flags.size)
		json_object_set_new(o, "flags",
				    flags_json(&c->kernel->types, names,
					       number_in(&l->flags, copy->data, l->size)));
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (l->numbers[i].size)
			json_object_set_new(
				o, numbers[i],
				json_integer(number_in(&l->numbers[i], copy->data, l->size)));
	}
	for (i = 0; i < ARRAY_SIZE(arrays); i++) {
		struct field f = l->arrays[i];
		json_t *list;

		if (!f.size)
			continue;
		list = json_array();
		f.size /= IDLE_KINDS;
		for (kind = 0; kind < IDLE_KINDS; kind++, f.offset += f.size)
			json_array_append_new(list,
					      json_integer(number_in(&f, copy->data, l->size)));
		json_object_set_new(o, arrays[i], list);
	}
	if (has_groups(l))
		json_object_set_new(o, "groups", groups_json(d, copy));
	return o;
}

static int render(struct capture *c, void *state)
{
	struct domains *d = state;
	const struct btf_type *names = flags_enum(&c->kernel->types);
	json_t *cpus = json_array();
	uint32_t cpu;
	size_t i = 0;

	if (!d->copies) {
		json_decref(cpus);
		return 0;
	}
	if (!names)
		capture_missing(c, "enum with %s", FIRST_FLAG);
	for (cpu = 0; cpu < c->kernel->n_cpus; cpu++) {
		json_t *list = json_array();

		for (; i < d->n && d->copies[i].cpu == cpu; i++)
			json_array_append_new(list, domain_json(c, d, &d->copies[i], names));
		json_array_append_new(
			cpus, json_pack("{s:I,s:o}", "cpu", (json_int_t)cpu, "domains", list));
	}
	if (d->full)
		capture_missing(c, "groups of sched domains beyond %d", GROUPS_MAX);
	json_object_set_new(c->doc, "sched_domain", cpus);
	return 0;
}

const struct capture_section section_domain = {
	.name = "sched_domain",
	.help = "each CPU's scheduling domains, their groups and balance counters",
	.needs = needs,
	.collect = collect,
	.render = render,
	.release = release,
};
