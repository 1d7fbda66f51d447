// SPDX-License-Identifier: GPL-2.0
/* Variables of BPF programs, which lie in maps: sections of them, and arrays. */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "access_roots.h"
#include "bpf_idr.h"
#include "bpf_map.h"
#include "cleanup.h"
#include "diag.h"
#include "document.h"
#include "options.h"

#define round_up(x, to) (((x) + (to)-1) / (to) * (to))

/* The heads of all maps. */
struct heads {
	struct bpf *b;
	struct map_copy *maps;
	size_t n;
};

static void heads_free(struct heads *h)
{
	size_t i;

	for (i = 0; i < h->n; i++)
		map_copy_free(&h->maps[i]);
	free(h->maps);
}

static int heads_read(struct access *a, struct heads *h)
{
	uint64_t at = kallsyms_find(&a->k->symbols, "map_idr");
	_cleanup_free_ uint64_t *objects = NULL;
	const char *broken = NULL;
	size_t n, i;

	h->b = bpf_of(a->k);
	if (!h->b || !at)
		return access_fail(a, -ENOENT, "kernel %s has no BPF maps to be found",
				   a->k->release);
	objects = bpf_idr_read(a->k, &h->b->layout, at, &n, &broken);
	h->maps = xcalloc(n + 1, sizeof(*h->maps));
	for (i = 0; i < n; i++) {
		if (map_head_read(h->b, objects[i], &h->maps[h->n]))
			map_copy_free(&h->maps[h->n]);
		else
			h->n++;
	}
	return 0;
}

static const struct btf *types_of(const struct heads *h, const struct map_copy *m)
{
	return m->btf ? bpf_btf_types(m->btf, h->b->k) : NULL;
}

/* The section of variables that the map is, or NULL. */
static const struct btf_type *section_of(const struct heads *h, const struct map_copy *m)
{
	const struct btf *btf = types_of(h, m);
	const struct btf_type *t = btf ? btf__type_by_id(btf, m->value_type) : NULL;

	return t && m->type == BPF_MAP_TYPE_ARRAY && btf_is_datasec(t) ? t : NULL;
}

static bool section_variable(const struct heads *h, const struct map_copy *m, const char *name,
			     struct target *t)
{
	const struct btf_type *section = section_of(h, m);
	const struct btf *btf = types_of(h, m);
	const struct btf_var_secinfo *v = section ? btf_var_secinfos(section) : NULL;
	uint16_t i;

	for (i = 0; section && i < btf_vlen(section); i++, v++) {
		const struct btf_type *var = btf__type_by_id(btf, v->type);

		if (!var || !btf_is_var(var) || v->offset > m->value_size ||
		    v->size > m->value_size - v->offset ||
		    strcmp(btf__name_by_offset(btf, var->name_off), name))
			continue;
		t->address = m->address + h->b->layout.array.value.offset + v->offset;
		t->btf = btf;
		t->type = var->type;
		t->size = v->size;
		t->constant = m->flags & BPF_F_RDONLY_PROG
				      ? "is a constant of the program, which was compiled and "
					"verified with its value"
				      : NULL;
		return true;
	}
	return false;
}

/* The names of variables, for nearest_name(): all of them, pointers into the types. */
static const char **variable_names(const struct heads *h)
{
	const char **names = NULL;
	size_t i, n = 0;
	uint16_t v;

	for (i = 0; i < h->n; i++) {
		const struct btf_type *section = section_of(h, &h->maps[i]);
		const struct btf *btf = types_of(h, &h->maps[i]);

		for (v = 0; section && v < btf_vlen(section); v++) {
			const struct btf_type *var =
				btf__type_by_id(btf, btf_var_secinfos(section)[v].type);

			if (var)
				ptrlist_add(&names, &n, btf__name_by_offset(btf, var->name_off));
		}
	}
	return names;
}

/* How the variable @name of a map is meant when several have one. */
static char *way_to(const struct heads *h, const struct map_copy *m, const char *name)
{
	_cleanup_free_ char *map = document_quote(m->name), *quoted = document_quote(name);
	size_t i, n = 0;

	for (i = 0; i < h->n; i++)
		n += !strcmp(h->maps[i].name, m->name);
	return n > 1 ? xasprintf("map[id=%u].%s", m->id, quoted)
		     : xasprintf("map.%s.%s", map, quoted);
}

static int no_variable(struct access *a, const struct heads *h, const char *name)
{
	_cleanup_free_ const char **names = variable_names(h);
	const char *near = names ? nearest_name(name, names) : NULL;

	if (!names)
		return access_fail(a, -ENOENT, "no BPF program with global variables is loaded");
	return access_fail(a, -ENOENT, "no BPF map has a variable of that name%s%s%s",
			   near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int find_variable(struct access *a, const struct heads *h, struct target *t)
{
	const struct jsonpath_step *name = access_step(a, JSONPATH_NAME);
	_cleanup_free_ char *ways = NULL;
	size_t i, n = 0;

	if (!name)
		return access_fail(a, -EINVAL, "expected the name of a variable");
	for (i = 0; i < h->n; i++) {
		_cleanup_free_ char *way = NULL, *before = NULL;

		if (!section_variable(h, &h->maps[i], name->name, t))
			continue;
		way = way_to(h, &h->maps[i], name->name);
		before = ways;
		ways = xasprintf("%s%s%s", before ? before : "", before ? ", " : "", way);
		n++;
	}
	if (!n)
		return no_variable(a, h, name->name);
	if (n > 1)
		return access_fail(a, -ENOTUNIQ,
				   "%zu maps have a variable of that name: expected one of %s", n,
				   ways);
	return access_walk(a, t);
}

/* .NAME or [id=N] */
static int find_map(struct access *a, const struct heads *h, const struct map_copy **found)
{
	const struct jsonpath_step *s = &a->path.steps[a->step++];
	_cleanup_free_ const char **names = NULL;
	size_t i, n = 0, listed = 0;
	const char *near;

	for (i = 0; i < h->n; i++) {
		const struct map_copy *m = &h->maps[i];

		ptrlist_add(&names, &listed, m->name);
		if (s->kind == JSONPATH_NAME ? strcmp(m->name, s->name)
					     : s->kind != JSONPATH_KEY || strcmp(s->name, "id") ||
						       !jsonpath_equals_number(s, m->id))
			continue;
		*found = m;
		n++;
	}
	if (n == 1)
		return 0;
	if (n)
		return access_fail(a, -ENOTUNIQ, "%zu maps are called that: expected map[id=N]", n);
	near = s->kind == JSONPATH_NAME && names ? nearest_name(s->name, names) : NULL;
	return access_fail(a, -ENOENT, "no such BPF map%s%s%s", near ? ": did you mean '" : "",
			   near ? near : "", near ? "'?" : "");
}

/* Behind map.NAME: [INDEX], and .cpu[N] of a per-CPU array. */
static int find_element(struct access *a, const struct heads *h, const struct map_copy *m,
			struct target *t)
{
	const struct jsonpath_step *s = access_step(a, JSONPATH_INDEX);
	uint64_t values = m->address + h->b->layout.array.value.offset;
	bool per_cpu = m->type == BPF_MAP_TYPE_PERCPU_ARRAY;

	if (m->type != BPF_MAP_TYPE_ARRAY && !per_cpu)
		return access_fail(a, -EINVAL,
				   "is no array: expected a BPF array or a section of "
				   "variables");
	if (!s || s->index >= m->max_entries)
		return access_fail(a, -ENOENT, "expected an element, [0] to [%u]",
				   m->max_entries - 1);
	t->btf = types_of(h, m);
	t->type = t->btf ? m->value_type : 0;
	t->size = m->value_size;
	if (m->flags & BPF_F_RDONLY_PROG)
		t->constant = "is a constant of the program";
	t->address = values + s->index * round_up((uint64_t)m->value_size, 8);
	if (per_cpu && memory_u64(&a->k->memory, values + s->index * 8, &t->address))
		return access_fail(a, -EFAULT, "not in the guest's memory");
	if (per_cpu) {
		const struct jsonpath_step *name = access_step(a, JSONPATH_NAME);
		const struct jsonpath_step *cpu = name ? access_step(a, JSONPATH_INDEX) : NULL;

		if (!cpu || strcmp(name->name, "cpu") || cpu->index >= a->k->n_cpus)
			return access_fail(a, -ENOENT, "expected .cpu[0] to .cpu[%u]",
					   a->k->n_cpus - 1);
		t->address = kernel_per_cpu(a->k, t->address, cpu->index);
	}
	if (!t->type && t->size > 8)
		return access_fail(a, -EINVAL, "its values have no type, and %u bytes", t->size);
	return access_walk(a, t);
}

static int find_in_map(struct access *a, const struct heads *h, struct target *t)
{
	const struct map_copy *m = NULL;
	const struct jsonpath_step *name;
	int err = find_map(a, h, &m);

	if (err)
		return err;
	if (!section_of(h, m))
		return find_element(a, h, m, t);
	name = access_step(a, JSONPATH_NAME);
	if (!name)
		return access_fail(a, -EINVAL, "expected the name of a variable");
	if (!section_variable(h, m, name->name, t))
		return access_fail(a, -ENOENT, "the map has no variable of that name");
	return access_walk(a, t);
}

static int find_with(struct access *a, struct target *t,
		     int (*find)(struct access *a, const struct heads *h, struct target *t))
{
	struct heads h = {};
	int err = heads_read(a, &h);

	if (!err)
		err = find(a, &h, t);
	heads_free(&h);
	return err;
}

int root_variable(struct access *a, struct target *t)
{
	return find_with(a, t, find_variable);
}

int root_map(struct access *a, struct target *t)
{
	return find_with(a, t, find_in_map);
}
