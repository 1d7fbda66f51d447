// SPDX-License-Identifier: GPL-2.0
#include "code.h"

#include <stdio.h>

#define BPF_MAX_PROGRAMS 8192

/* The list of BPF programs' symbols (kernel/bpf/core.c), for those that the kernel's miss. */
static bool bpf_name(struct kernel *k, uint64_t ip, char name[CODE_NAME_SIZE], uint64_t *start)
{
	uint64_t head = kallsyms_find(&k->symbols, "bpf_kallsyms"), node;
	struct field link, text;
	int64_t end;
	int i;

	if (!head || types_field(&k->types, "bpf_ksym", "lnode", &link) ||
	    types_field(&k->types, "bpf_ksym", "name", &text) ||
	    memory_u64(&k->memory, head, &node))
		return false;
	for (i = 0; node != head && i < BPF_MAX_PROGRAMS; i++) {
		uint64_t sym = node - link.offset;

		if (kernel_number(k, "bpf_ksym", "start", sym, (int64_t *)start) ||
		    kernel_number(k, "bpf_ksym", "end", sym, &end) ||
		    memory_u64(&k->memory, node, &node))
			return false;
		if (ip >= *start && ip < (uint64_t)end)
			return memory_string(&k->memory, sym + text.offset, name, CODE_NAME_SIZE) >
			       0;
	}
	return false;
}

static bool within(const struct kernel *k, uint64_t ip, const char *from, const char *to)
{
	uint64_t start = kallsyms_find(&k->symbols, from), end = kallsyms_find(&k->symbols, to);

	return start && ip >= start && ip < end;
}

bool code_is_kernel(const struct kernel *k, uint64_t ip)
{
	return within(k, ip, "_stext", "_etext") || within(k, ip, "_sinittext", "_einittext");
}

bool code_name(struct kernel *k, uint64_t ip, bool exact, char name[CODE_NAME_SIZE],
	       uint64_t *offset)
{
	uint64_t at = exact ? ip : ip - 1, start;
	const struct symbol *s;

	if (code_is_kernel(k, at)) {
		s = kallsyms_at(&k->symbols, at);
		if (!s)
			return false;
		snprintf(name, CODE_NAME_SIZE, "%s", s->name);
		*offset = ip - s->address;
		return true;
	}
	if (!bpf_name(k, at, name, &start))
		return false;
	*offset = ip - start;
	return true;
}
