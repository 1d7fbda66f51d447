// SPDX-License-Identifier: GPL-2.0
/* Section "map": the BPF maps and what is in them. */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "bpf_chase.h"
#include "bpf_idr.h"
#include "bpf_map.h"
#include "bpf_prog.h"
#include "capture.h"
#include "cleanup.h"
#include "diag.h"

/* Of all maps; what a map's contents need is noted with the map. */
static const char *const needs[] = {
	"map_idr",
	"struct idr.idr_rt.xa_head",
	"struct xa_node.shift",
	"struct xa_node.slots",
	"struct bpf_map.id",
	"struct bpf_map.map_type",
	"struct bpf_map.name",
	"struct bpf_map.key_size",
	"struct bpf_map.value_size",
	"struct bpf_map.max_entries",
	"struct bpf_map.map_flags",
	"struct bpf_map.map_extra",
	"struct bpf_map.frozen",
	"struct bpf_map.btf",
	"struct bpf_map.btf_key_type_id",
	"struct bpf_map.btf_value_type_id",
	"struct bpf_map.btf_vmlinux_value_type_id",
	"struct btf.id",
	"struct btf.data",
	"struct btf.data_size",
	"struct btf.base_btf",
	"struct btf.kernel_btf",
	"struct task_struct.tgid",
	"struct task_struct.comm",
	"struct kernfs_node.name",
	"struct kernfs_node.__parent or struct kernfs_node.parent",
	"struct bpf_cgroup_storage.key.attach_type",
	"struct bpf_struct_ops_map.btf",
	"struct bpf_struct_ops_common_value",
	"prog_idr",
	"struct bpf_prog.aux",
	"struct bpf_prog_aux.id",
	"struct bpf_prog_aux.name",
	NULL,
};

struct maps {
	struct bpf *b;
	struct map_copy *maps;
	size_t n, broken;
	struct bpf_chase *chase;
	const char *why; /* the table is not complete */
};

static bool wanted(const struct capture_want *want, const char *name)
{
	size_t i;

	for (i = 0; want->maps && want->maps[i]; i++) {
		if (!fnmatch(want->maps[i], name, 0))
			return true;
	}
	return !want->maps;
}

static void release(void *state)
{
	struct maps *s = state;
	size_t i;

	for (i = 0; i < s->n; i++)
		map_copy_free(&s->maps[i]);
	bpf_chase_free(s->chase);
	bpf_pool_trim(&s->b->pool);
	free(s->maps);
	free(s);
}

static int collect(struct capture *c, void **state)
{
	uint64_t idr = kallsyms_find(&c->kernel->symbols, "map_idr");
	struct bpf *b = bpf_of(c->kernel);
	_cleanup_free_ uint64_t *objects = NULL;
	struct maps *s;
	size_t n = 0, i;

	if (!idr || !b)
		return idr ? -ENOMEM : 0;
	s = xcalloc(1, sizeof(*s));
	s->b = b;
	bpf_pool_reset(&b->pool);
	bpf_btf_cache_begin(&b->btfs);
	bpf_progs_forget(b);
	objects = bpf_idr_read(c->kernel, &b->layout, idr, &n, &s->why);
	s->maps = xcalloc(n + 1, sizeof(*s->maps));
	for (i = 0; i < n; i++) {
		struct map_copy *m = &s->maps[s->n];

		if (map_head_read(b, objects[i], m)) {
			s->broken++;
		} else if (wanted(c->want, m->name)) {
			map_contents_read(b, m);
			s->n++;
		}
	}
	if (c->want->chase)
		s->chase = bpf_chase_maps(b, s->maps, s->n, c->want->chase);
	*state = s;
	return 0;
}

/* While the guest still runs: what is needed of memory and types is here before it is frozen. */
static void prepare(struct capture *c)
{
	void *state = NULL;
	struct maps *s;
	size_t i;

	if (collect(c, &state) || !state)
		return;
	s = state;
	for (i = 0; i < s->n; i++) {
		if (s->maps[i].btf)
			bpf_btf_types(s->maps[i].btf, c->kernel);
	}
	release(s);
}

static int compare(const void *a, const void *b)
{
	const struct map_copy *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static int render(struct capture *c, void *state)
{
	struct maps *s = state;
	json_t *list = json_array();
	size_t budget = BPF_MAP_MAX_VALUES, i;

	qsort(s->maps, s->n, sizeof(*s->maps), compare);
	for (i = 0; i < s->n; i++) {
		struct map_copy *m = &s->maps[i];

		map_sort(m);
		json_array_append_new(list, map_json(s->b, m, s->chase, &budget));
		if (m->missing)
			capture_missing(c, "contents of map %u (%s): struct %s", m->id, m->name,
					m->missing);
	}
	if (s->why)
		capture_missing(c, "maps of map_idr: %s", s->why);
	if (s->broken)
		capture_missing(c, "%zu maps that are not in memory, or broken", s->broken);
	json_object_set_new(c->doc, "map", list);
	return 0;
}

const struct capture_section section_map = {
	.name = "map",
	.help = "BPF maps and their contents",
	.needs = needs,
	.prepare = prepare,
	.collect = collect,
	.render = render,
	.release = release,
};
