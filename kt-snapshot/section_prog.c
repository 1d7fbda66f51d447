// SPDX-License-Identifier: GPL-2.0
/*
 * Section "prog": the BPF programs, as "bpftool prog show" tells of them (struct bpf_prog in
 * include/linux/bpf.h, bpf_prog_get_info_by_fd() in kernel/bpf/syscall.c).
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf_idr.h"
#include "bpf_map.h"
#include "capture.h"
#include "cleanup.h"
#include "diag.h"

#define MAX_MAPS    256 /* the kernel has 64 */
#define MAX_FUNCS   512 /* the kernel has 256 */
#define INSN_BYTES  8
#define TAG_BYTES   8
#define NAME_IS_CUT 15 /* a name of this length may have been longer */

static const char *const needs[] = {
	"prog_idr",
	"struct idr.idr_rt.xa_head",
	"struct xa_node.shift",
	"struct xa_node.slots",
	"struct bpf_prog.aux",
	"struct bpf_prog.type",
	"struct bpf_prog.tag",
	"struct bpf_prog.gpl_compatible",
	"struct bpf_prog.stats",
	"struct bpf_prog.len",
	"struct bpf_prog.jited",
	"struct bpf_prog.jited_len",
	"struct bpf_prog_aux.id",
	"struct bpf_prog_aux.name",
	"struct bpf_prog_aux.verified_insns",
	"struct bpf_prog_aux.load_time",
	"struct bpf_prog_aux.used_maps",
	"struct bpf_prog_aux.used_map_cnt",
	"struct bpf_prog_aux.btf",
	"struct bpf_prog_aux.func_info",
	"struct bpf_prog_aux.func",
	"struct bpf_prog_aux.func_cnt",
	"struct bpf_prog_stats.cnt",
	"struct bpf_prog_stats.nsecs",
	"struct bpf_prog_stats.misses",
	"struct bpf_map.id",
	"struct btf.id",
	"struct btf.data",
	"struct btf.data_size",
	"struct btf.base_btf",
	"struct btf.kernel_btf",
	NULL,
};

struct prog_copy {
	uint64_t address, aux; /* struct bpf_prog, struct bpf_prog_aux */
	int64_t id, type;
	char name[17];
	uint8_t tag[TAG_BYTES];
	bool has_type, has_tag;
	struct bpf_btf *btf;
	uint32_t function; /* its type's id in @btf, or 0 */
	uint32_t *map_ids;
	size_t n_maps;
	uint64_t jited_bytes;
	bool has_jited_bytes;
	int64_t numbers[16]; /* by rows[] */
	bool has[16];
};

struct progs {
	struct bpf *b;
	struct prog_copy *progs;
	size_t n, broken;
	const char *why;
};

enum where { IN_PROG, IN_AUX, IN_STATS };

/* Numbers in the order of the document. */
static const struct {
	const char *key;
	enum where where;
	size_t field; /* in struct bpf_layout */
	bool is_bool;
	uint32_t times;
} rows[] = {
	{"gpl_compatible", IN_PROG, offsetof(struct bpf_layout, prog.gpl_compatible), true, 1},
	{"run_time_ns", IN_STATS, offsetof(struct bpf_layout, stats.nsecs), false, 1},
	{"run_cnt", IN_STATS, offsetof(struct bpf_layout, stats.cnt), false, 1},
	{"recursion_misses", IN_STATS, offsetof(struct bpf_layout, stats.misses), false, 1},
	{"verified_insns", IN_AUX, offsetof(struct bpf_layout, aux.verified_insns), false, 1},
	{"load_time_ns", IN_AUX, offsetof(struct bpf_layout, aux.load_time), false, 1},
	{"bytes_xlated", IN_PROG, offsetof(struct bpf_layout, prog.len), false, INSN_BYTES},
	{"jited", IN_PROG, offsetof(struct bpf_layout, prog.jited), true, 1},
};

static bool number(struct bpf *b, const struct field *f, uint64_t address, int64_t *value)
{
	return field_is_there(f) && !kernel_field_number(b->k, f, address, value);
}

/* The sum over the CPUs of a statistic. */
static bool stats_sum(struct bpf *b, const struct field *f, uint64_t stats, int64_t *sum)
{
	uint32_t cpu;
	int64_t value;

	*sum = 0;
	for (cpu = 0; cpu < b->k->n_cpus; cpu++) {
		if (!number(b, f, kernel_per_cpu(b->k, stats, cpu), &value))
			return false;
		*sum = (int64_t)((uint64_t)*sum + (uint64_t)value);
	}
	return true;
}

static void numbers_read(struct bpf *b, struct prog_copy *p)
{
	const struct bpf_layout *l = &b->layout;
	int64_t stats = 0;
	size_t i;

	number(b, &l->prog.stats, p->address, &stats);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct field *f = (const void *)((const char *)l + rows[i].field);

		if (rows[i].where == IN_STATS)
			p->has[i] = stats && stats_sum(b, f, stats, &p->numbers[i]);
		else
			p->has[i] = number(b, f, rows[i].where == IN_AUX ? p->aux : p->address,
					   &p->numbers[i]);
		p->numbers[i] *= rows[i].times;
	}
}

static void maps_read(struct bpf *b, struct prog_copy *p)
{
	const struct bpf_layout *l = &b->layout;
	int64_t maps, n, i, id;
	uint64_t map;

	if (!number(b, &l->aux.used_maps, p->aux, &maps) ||
	    !number(b, &l->aux.used_map_cnt, p->aux, &n) || n <= 0 || n > MAX_MAPS)
		return;
	p->map_ids = xcalloc(n, sizeof(*p->map_ids));
	for (i = 0; i < n; i++) {
		if (!memory_u64(&b->k->memory, maps + i * sizeof(map), &map) &&
		    number(b, &l->map.id, map, &id))
			p->map_ids[p->n_maps++] = id;
	}
}

/* The machine code of all its functions; a program without subprograms counts its own. */
static void jited_bytes_read(struct bpf *b, struct prog_copy *p)
{
	const struct bpf_layout *l = &b->layout;
	int64_t n = 0, functions = 0, i, len;
	uint64_t function;

	if (number(b, &l->aux.func_cnt, p->aux, &n) && n > 0 && n <= MAX_FUNCS &&
	    number(b, &l->aux.func, p->aux, &functions)) {
		for (i = 0; i < n; i++) {
			if (memory_u64(&b->k->memory, functions + i * sizeof(function),
				       &function) ||
			    !number(b, &l->prog.jited_len, function, &len))
				return;
			p->jited_bytes += len;
		}
		p->has_jited_bytes = true;
	} else if (!n) {
		p->has_jited_bytes = number(b, &l->prog.jited_len, p->address, &len);
		p->jited_bytes = len;
	}
}

/* The type of its main function: struct bpf_func_info {insn_off, type_id}, the first one's. */
static uint32_t function_read(struct bpf *b, const struct prog_copy *p)
{
	int64_t info;
	uint32_t id;

	if (!number(b, &b->layout.aux.func_info, p->aux, &info) || !info ||
	    memory_u32(&b->k->memory, info + sizeof(uint32_t), &id))
		return 0;
	return id;
}

static bool prog_read(struct bpf *b, uint64_t address, struct prog_copy *p)
{
	const struct bpf_layout *l = &b->layout;
	int64_t aux, btf;

	*p = (struct prog_copy){.address = address};
	if (!number(b, &l->prog.aux, address, &aux) || !number(b, &l->aux.id, aux, &p->id) ||
	    (field_is_there(&l->aux.name) &&
	     memory_string(&b->k->memory, aux + l->aux.name.offset, p->name, sizeof(p->name)) < 0))
		return false;
	p->aux = aux;
	p->has_type = number(b, &l->prog.type, address, &p->type);
	p->has_tag = field_is_there(&l->prog.tag) &&
		     !memory_read(&b->k->memory, address + l->prog.tag.offset, p->tag, TAG_BYTES);
	numbers_read(b, p);
	maps_read(b, p);
	jited_bytes_read(b, p);
	if (number(b, &l->aux.btf, p->aux, &btf))
		p->btf = bpf_btf_get(&b->btfs, b->k, l, btf);
	p->function = function_read(b, p);
	return true;
}

static int collect(struct capture *c, void **state)
{
	uint64_t idr = kallsyms_find(&c->kernel->symbols, "prog_idr");
	struct bpf *b = bpf_of(c->kernel);
	_cleanup_free_ uint64_t *objects = NULL;
	struct progs *s;
	size_t n = 0, i;

	if (!idr || !b)
		return idr ? -ENOMEM : 0;
	s = xcalloc(1, sizeof(*s));
	s->b = b;
	objects = bpf_idr_read(c->kernel, &b->layout, idr, &n, &s->why);
	s->progs = xcalloc(n + 1, sizeof(*s->progs));
	for (i = 0; i < n; i++) {
		if (prog_read(b, objects[i], &s->progs[s->n]))
			s->n++;
		else
			s->broken++;
	}
	*state = s;
	return 0;
}

static void release(void *state)
{
	struct progs *s = state;
	size_t i;

	for (i = 0; i < s->n; i++)
		free(s->progs[i].map_ids);
	free(s->progs);
	free(s);
}

/* The types that the names are in are here before the guest is frozen. */
static void prepare(struct capture *c)
{
	void *state = NULL;

	if (!collect(c, &state) && state)
		release(state);
}

/* The kernel keeps 15 characters of a name; the BTF has all of them. */
static json_t *name_json(const struct bpf *b, const struct prog_copy *p)
{
	const struct btf *btf = p->btf && p->function && strlen(p->name) == NAME_IS_CUT
					? bpf_btf_types(p->btf, b->k)
					: NULL;
	const struct btf_type *t = btf ? btf__type_by_id(btf, p->function) : NULL;
	const char *name = t && btf_is_func(t) ? btf__name_by_offset(btf, t->name_off) : NULL;

	return text_json(name && !strncmp(name, p->name, NAME_IS_CUT) ? name : p->name, SIZE_MAX);
}

static char *type_name(const struct kernel *k, int64_t type)
{
	const char *known = libbpf_bpf_prog_type_str(type);
	_cleanup_free_ char *name = NULL;

	if (known)
		return xstrdup(known);
	name = types_enumerator_name(&k->types, "bpf_prog_type", type);
	return name ? lower_after(name, "BPF_PROG_TYPE_") : xasprintf("type %d", (int)type);
}

static json_t *prog_json(struct bpf *b, const struct prog_copy *p)
{
	_cleanup_free_ char *type = type_name(b->k, p->type);
	json_t *o = json_object(), *ids = json_array();
	size_t i;

	json_object_set_new(o, "id", json_integer(p->id));
	json_object_set_new(o, "name", name_json(b, p));
	if (p->has_type)
		json_object_set_new(o, "type", json_string(type));
	if (p->has_tag)
		json_object_set_new(o, "tag", hex_bytes_json(p->tag, TAG_BYTES));
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (p->has[i])
			json_object_set_new(o, rows[i].key,
					    rows[i].is_bool ? json_boolean(p->numbers[i])
							    : u64_json(p->numbers[i]));
	}
	if (p->has_jited_bytes)
		json_object_set_new(o, "bytes_jited", u64_json(p->jited_bytes));
	for (i = 0; i < p->n_maps; i++)
		json_array_append_new(ids, json_integer(p->map_ids[i]));
	json_object_set_new(o, "map_ids", ids);
	if (p->btf)
		json_object_set_new(o, "btf_id", json_integer(p->btf->id));
	return o;
}

static int render(struct capture *c, void *state)
{
	struct progs *s = state;
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < s->n; i++)
		json_array_append_new(list, prog_json(s->b, &s->progs[i]));
	if (s->why)
		capture_missing(c, "programs of prog_idr: %s", s->why);
	if (s->broken)
		capture_missing(c, "%zu programs that are not in memory, or broken", s->broken);
	json_object_set_new(c->doc, "prog", list);
	return 0;
}

const struct capture_section section_prog = {
	.name = "prog",
	.help = "BPF programs and their run statistics",
	.needs = needs,
	.prepare = prepare,
	.collect = collect,
	.render = render,
	.release = release,
};
