// SPDX-License-Identifier: GPL-2.0
#include "bpf_prog.h"

#include <stdlib.h>

#include "bpf_idr.h"
#include "cleanup.h"
#include "diag.h"

static bool name_read(struct bpf *b, uint64_t prog, struct bpf_prog_id *to)
{
	const struct bpf_layout *l = &b->layout;
	int64_t aux, id;

	if (kernel_field_number(b->k, &l->prog.aux, prog, &aux) ||
	    kernel_field_number(b->k, &l->aux.id, aux, &id) || !field_is_there(&l->aux.name) ||
	    memory_string(&b->k->memory, aux + l->aux.name.offset, to->name, sizeof(to->name)) < 0)
		return false;
	to->id = id;
	return true;
}

void bpf_progs_read(struct bpf *b)
{
	uint64_t idr = kallsyms_find(&b->k->symbols, "prog_idr");
	_cleanup_free_ uint64_t *objects = NULL;
	const char *why;
	size_t n = 0, i;

	if (b->progs || !idr)
		return;
	objects = bpf_idr_read(b->k, &b->layout, idr, &n, &why);
	b->progs = xcalloc(n + 1, sizeof(*b->progs));
	for (i = 0; i < n; i++) {
		if (name_read(b, objects[i], &b->progs[b->n_progs]))
			b->n_progs++;
	}
}

const char *bpf_prog_name(const struct bpf *b, uint64_t id)
{
	size_t i;

	for (i = 0; i < b->n_progs; i++) {
		if (b->progs[i].id == id)
			return b->progs[i].name;
	}
	return NULL;
}

void bpf_progs_forget(struct bpf *b)
{
	free(take_ptr(b->progs));
	b->n_progs = 0;
}
