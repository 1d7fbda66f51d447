// SPDX-License-Identifier: GPL-2.0
/* Variables of the kernel itself, and the root scheduler. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "access_roots.h"
#include "cleanup.h"
#include "diag.h"

int root_scheduler(struct access *a, struct target *t)
{
	uint64_t at = kallsyms_find(&a->k->symbols, "scx_root"), scheduler;

	if (!at || !types_size(&a->k->types, "scx_sched"))
		return access_fail(a, -ENOENT, "kernel %s has no struct scx_sched", a->k->release);
	if (memory_u64(&a->k->memory, at, &scheduler) || !scheduler)
		return access_fail(a, -ENOENT, "no scheduler is attached");
	t->address = scheduler;
	t->btf = a->k->types.btf;
	t->type = types_find(&a->k->types, "scx_sched");
	t->size = types_size(&a->k->types, "scx_sched");
	return access_walk(a, t);
}

/* BTF knows the per-CPU variables, and more since Linux 6.x. */
bool access_variable(const struct btf *btf, uint32_t first, const char *name, struct target *t,
		     bool *per_cpu)
{
	uint32_t id, i;

	for (id = btf__type_cnt(btf) - 1; id >= first; id--) {
		const struct btf_type *section = btf__type_by_id(btf, id);
		const struct btf_var_secinfo *v = btf_var_secinfos(section);

		if (!btf_is_datasec(section))
			continue;
		for (i = 0; i < btf_vlen(section); i++) {
			const struct btf_type *var = btf__type_by_id(btf, v[i].type);

			if (!var || !btf_is_var(var) ||
			    strcmp(btf__name_by_offset(btf, var->name_off), name))
				continue;
			t->btf = btf;
			t->type = var->type;
			t->size = v[i].size;
			*per_cpu = !strcmp(btf__name_by_offset(btf, section->name_off),
					   ".data..percpu");
			return true;
		}
	}
	return false;
}

/* The one symbol that is called @name. */
static int symbol_find(struct access *a, const char *name, const struct symbol **found)
{
	const struct kallsyms *k = &a->k->symbols;
	size_t i, n = 0;

	for (i = 0; i < k->n; i++) {
		if (strcmp(k->symbols[i].name, name))
			continue;
		*found = &k->symbols[i];
		n++;
	}
	if (n == 1)
		return 0;
	return n ? access_fail(a, -ENOTUNIQ, "kernel %s has %zu symbols of that name",
			       a->k->release, n)
		 : access_fail(a, -ENOENT, "kernel %s has no such symbol", a->k->release);
}

/* From a symbol to the next one that is not at the same place. */
static uint64_t room_of(const struct kallsyms *k, const struct symbol *s)
{
	const struct symbol *next = s;

	while (next < k->symbols + k->n && next->address == s->address)
		next++;
	return next < k->symbols + k->n ? next->address - s->address : 0;
}

static bool between(struct access *a, uint64_t address, const char *begin, const char *end)
{
	uint64_t first = kallsyms_find(&a->k->symbols, begin);

	return first && address >= first && address < kallsyms_find(&a->k->symbols, end);
}

/* By its place: the letters of symbols call whole sections of data text in some builds. */
static const char *constant_reason(struct access *a, uint64_t address)
{
	if (between(a, address, "_stext", "_etext"))
		return "is code, which is not written to";
	if (between(a, address, "__start_rodata", "__end_rodata"))
		return "is a constant of the kernel";
	return NULL;
}

/* A struct, union, enum or typedef, the module's own before the kernel's; or 0. */
static uint32_t type_find(const struct access *a, const char *name)
{
	uint32_t id = a->module ? btf__type_cnt(a->module) : 0;

	while (id-- > btf__type_cnt(a->k->types.btf)) {
		const struct btf_type *type = btf__type_by_id(a->module, id);

		if ((btf_is_composite(type) || btf_is_any_enum(type) || btf_is_typedef(type)) &&
		    !strcmp(btf__name_by_offset(a->module, type->name_off), name))
			return id;
	}
	return types_find(&a->k->types, name);
}

/* A type that the caller gives, TYPE or TYPE.MEMBER. */
static int typed_walk(struct access *a, struct target *t)
{
	struct access of_type = {.s = a->s, .k = a->k, .step = 1, .why = a->why};
	const char *name;
	int64_t size;
	int err = jsonpath_parse(a->type, &of_type.path, NULL, a->why);

	if (err)
		return err;
	name = of_type.path.steps[0].name;
	t->btf = a->module ? a->module : a->k->types.btf;
	t->type = type_find(a, name);
	size = t->type ? btf__resolve_size(t->btf, t->type) : 0;
	t->size = size > 0 && size <= UINT32_MAX ? size : 0;
	err = t->size ? access_walk(&of_type, t)
		      : access_fail(a, -ENOENT,
				    "kernel %s has no type '%s': expected u8, u16, u32, u64, s8 to "
				    "s64, bool, or a struct, union, enum or typedef",
				    a->k->release, name);
	jsonpath_free(&of_type.path);
	return err;
}

int access_walk_symbol(struct access *a, struct target *t, uint64_t room)
{
	uint64_t begin = t->address;
	int err;

	if (a->type) {
		err = typed_walk(a, t);
	} else {
		if (!t->type)
			t->size = room;
		if (!t->type && room != 1 && room != 2 && room != 4 && room != 8)
			return access_fail(a, -EINVAL,
					   "what it holds is not known: expected a type behind it, "
					   "such as :u32");
		err = access_walk(a, t);
	}
	if (!err && room && t->address - begin + t->size > room)
		return access_fail(a, -ERANGE, "expected a type of at most %" PRIu64 " bytes",
				   room);
	return err;
}

/* "cpu[N]" of a per-CPU variable. */
static int cpu_take(struct access *a, struct target *t)
{
	const struct jsonpath_step *name = access_step(a, JSONPATH_NAME);
	const struct jsonpath_step *cpu = name ? access_step(a, JSONPATH_INDEX) : NULL;

	if (!cpu || strcmp(name->name, "cpu") || cpu->index >= a->k->n_cpus)
		return access_fail(a, -EINVAL,
				   "is there for each CPU: expected .cpu[0] to .cpu[%u] "
				   "behind its name",
				   a->k->n_cpus - 1);
	t->address = kernel_per_cpu(a->k, t->address, cpu->index);
	return 0;
}

int root_kernel(struct access *a, struct target *t)
{
	const struct jsonpath_step *name = access_step(a, JSONPATH_NAME);
	const struct symbol *symbol = NULL;
	bool per_cpu = false;
	int err;

	if (!name)
		return access_fail(a, -EINVAL, "expected the name of a kernel variable");
	err = symbol_find(a, name->name, &symbol);
	if (err)
		return err;
	t->address = symbol->address;
	t->constant = constant_reason(a, symbol->address);
	if (!a->type)
		access_variable(a->k->types.btf, 1, name->name, t, &per_cpu);
	if (per_cpu)
		err = cpu_take(a, t);
	return err ? err : access_walk_symbol(a, t, per_cpu ? 0 : room_of(&a->k->symbols, symbol));
}
