// SPDX-License-Identifier: GPL-2.0
/*
 * Variables of loaded modules: their symbols are in struct module's own table
 * (kernel/module/kallsyms.c), their types in BTF upon the kernel's (struct btf_module,
 * kernel/bpf/btf.c).
 */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "access_roots.h"
#include "bpf.h"
#include "cleanup.h"
#include "diag.h"

#define MODULES_MAX    4096
#define SYMBOLS_MAX    (1u << 20)
#define NAME_MAX_BYTES 512

/* What is called on each of a list; it returns whether it was the one. */
typedef bool is_sought(struct access *a, uint64_t object, const void *what);

/* The struct @type, on the list that begins at symbol @head, that is sought; or 0. */
static uint64_t list_find(struct access *a, const char *head, const char *type, is_sought *is,
			  const void *what)
{
	uint64_t first = kallsyms_find(&a->k->symbols, head), at;
	struct field link;
	int i;

	if (!first || types_field(&a->k->types, type, "list", &link) ||
	    memory_u64(&a->k->memory, first, &at))
		return 0;
	for (i = 0; at != first && i < MODULES_MAX; i++) {
		if (is(a, at - link.offset, what))
			return at - link.offset;
		if (memory_u64(&a->k->memory, at, &at))
			return 0;
	}
	return 0;
}

static bool is_called(struct access *a, uint64_t module, const void *what)
{
	char name[64];
	struct field f;

	return !types_field(&a->k->types, "module", "name", &f) &&
	       memory_string(&a->k->memory, module + f.offset, name, sizeof(name)) > 0 &&
	       !strcmp(name, what);
}

static bool is_of_module(struct access *a, uint64_t btf_module, const void *what)
{
	int64_t module;

	return !kernel_number(a->k, "btf_module", "module", btf_module, &module) &&
	       (uint64_t)module == *(const uint64_t *)what;
}

/* The module's types; without any it has none of its own. */
static void types_read(struct access *a, uint64_t module)
{
	uint64_t at = list_find(a, "btf_modules", "btf_module", is_of_module, &module);
	struct bpf *b = bpf_of(a->k);
	struct bpf_btf *btf;
	int64_t address;

	if (!at || !b || kernel_number(a->k, "btf_module", "btf", at, &address))
		return;
	btf = bpf_btf_get(&b->btfs, a->k, &b->layout, address);
	if (btf)
		a->module = bpf_btf_types(btf, a->k);
}

static int btf_copy(struct kernel *k, const char *name, void **data, uint32_t *size, char **why)
{
	struct access a = {.k = k};
	uint64_t module = list_find(&a, "modules", "module", is_called, name), at;
	int64_t btf, from, n;

	at = module ? list_find(&a, "btf_modules", "btf_module", is_of_module, &module) : 0;
	if (!at) {
		*why = xasprintf(module ? "module '%s' has no types of its own"
					: "no module '%s' is loaded",
				 name);
		return -ENOENT;
	}
	if (kernel_number(k, "btf_module", "btf", at, &btf) ||
	    kernel_number(k, "btf", "data", btf, &from) ||
	    kernel_number(k, "btf", "data_size", btf, &n) || n <= 0 || n > BPF_BTF_MAX_BYTES) {
		*why = xasprintf("kernel %s has no struct btf as expected", k->release);
		return -EFAULT;
	}
	*data = xmalloc(n);
	*size = n;
	if (!memory_read(&k->memory, from, *data, n))
		return 0;
	free(take_ptr(*data));
	*why = xasprintf("the types of module '%s' are not in memory", name);
	return -EFAULT;
}

int module_btf(struct session *s, const char *name, void **data, uint32_t *size, char **why)
{
	char *thaw_why = NULL;
	int err = vm_freeze(&s->vm, why);

	if (err)
		return err;
	memory_flush(&s->kernel.memory);
	err = btf_copy(&s->kernel, name, data, size, why);
	vm_thaw(&s->vm, &thaw_why);
	free(thaw_why);
	return err;
}

/* Find symbol @name in the module's table. Returns 0 or a negative errno with the message made. */
static int symbol_find(struct access *a, uint64_t module, const char *name, Elf64_Sym *symbol,
		       char *kind)
{
	struct memory *m = &a->k->memory;
	_cleanup_free_ Elf64_Sym *all = NULL;
	int64_t table, symbols, n, strings, kinds, i;
	char text[NAME_MAX_BYTES];

	if (kernel_number(a->k, "module", "kallsyms", module, &table) ||
	    kernel_number(a->k, "mod_kallsyms", "symtab", table, &symbols) ||
	    kernel_number(a->k, "mod_kallsyms", "num_symtab", table, &n) ||
	    kernel_number(a->k, "mod_kallsyms", "strtab", table, &strings) ||
	    kernel_number(a->k, "mod_kallsyms", "typetab", table, &kinds))
		return access_fail(a, -ENOENT, "kernel %s has no struct mod_kallsyms as expected",
				   a->k->release);
	if (n <= 0 || n > SYMBOLS_MAX)
		return access_fail(a, -ENOENT, "the module has no symbols");
	all = xcalloc(n, sizeof(*all));
	if (memory_read(m, symbols, all, n * sizeof(*all)))
		return access_fail(a, -EFAULT, "the module's symbols are not in memory");
	for (i = 1; i < n; i++) {
		if (memory_string(m, strings + all[i].st_name, text, sizeof(text)) < 0 ||
		    strcmp(text, name))
			continue;
		*symbol = all[i];
		return memory_read(m, kinds + i, kind, 1);
	}
	return access_fail(a, -ENOENT, "the module has no such symbol");
}

int root_module(struct access *a, struct target *t)
{
	const struct jsonpath_step *name = access_step(a, JSONPATH_NAME), *variable;
	bool per_cpu = false;
	Elf64_Sym symbol;
	uint64_t module;
	char kind = 0;
	int err;

	module = name ? list_find(a, "modules", "module", is_called, name->name) : 0;
	if (!module)
		return access_fail(a, -ENOENT, "no such module is loaded");
	variable = access_step(a, JSONPATH_NAME);
	if (!variable)
		return access_fail(a, -EINVAL, "expected the name of a variable behind it");
	err = symbol_find(a, module, variable->name, &symbol, &kind);
	if (err)
		return err;
	types_read(a, module);
	t->address = symbol.st_value;
	t->constant = kind == 't'   ? "is code, which is not written to"
		      : kind == 'r' ? "is a constant of the module"
				    : NULL;
	if (!a->type && a->module)
		access_variable(a->module, btf__type_cnt(a->k->types.btf), variable->name, t,
				&per_cpu);
	if (per_cpu)
		return access_fail(a, -ENOTSUP, "is there for each CPU, which is not read");
	return access_walk_symbol(a, t, symbol.st_size);
}
