// SPDX-License-Identifier: GPL-2.0
/* Maps that are neither arrays nor hash tables: ring buffers, arenas, queues, struct_ops. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf_map.h"
#include "bpf_prog.h"
#include "cleanup.h"
#include "diag.h"

#define PAGE_SHIFT 12

/* kernel/bpf/ringbuf.c: where its consumer and its producers are, not what is in it. */
enum { RING_CONSUMER, RING_PRODUCER, RING_PENDING, RING_MASK };

void map_ringbuf_collect(struct bpf *b, struct map_copy *m)
{
	const struct bpf_layout *l = &b->layout;
	const struct {
		const struct field *f;
		int to;
	} wanted[] = {
		{&l->ring.mask, RING_MASK},
		{&l->ring.consumer_pos, RING_CONSUMER},
		{&l->ring.producer_pos, RING_PRODUCER},
	};
	uint64_t rb;
	int64_t pending;
	size_t i;

	if (!map_number(b, m, &l->ring.rb, m->address, &rb))
		return;
	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		if (!map_number(b, m, wanted[i].f, rb, &m->numbers[wanted[i].to]))
			return;
	}
	m->n = 1;
	m->has_pending = field_is_there(&l->ring.pending_pos) &&
			 !kernel_field_number(b->k, &l->ring.pending_pos, rb, &pending);
	if (m->has_pending)
		m->numbers[RING_PENDING] = pending;
}

void map_ringbuf_show(struct map_view *v, json_t *o)
{
	const uint64_t *n = v->m->numbers;

	if (!v->m->n)
		return;
	json_object_set_new(o, "consumer_pos", u64_json(n[RING_CONSUMER]));
	json_object_set_new(o, "producer_pos", u64_json(n[RING_PRODUCER]));
	if (v->m->has_pending)
		json_object_set_new(o, "pending_pos", u64_json(n[RING_PENDING]));
	json_object_set_new(o, "mask", u64_json(n[RING_MASK]));
}

/*
 * kernel/bpf/arena.c: the kernel's mapping of an arena begins half a guard behind its area, and
 * holds page n where the lower half of the user's address of it points.
 */
#define ARENA_GUARD	(64 * 1024)
#define ARENA_MAX_PAGES (1u << 20) /* 4 GiB, which is all that an arena can have */

/*
 * The physical address of the page that stands for one that is not there (7.2 and later); 0: none.
 */
static uint64_t scratch_page(struct bpf *b, const struct map_copy *m)
{
	const struct bpf_layout *l = &b->layout;
	uint64_t base_at, base;
	int64_t page;

	if (!field_is_there(&l->arena.scratch_page) || !l->arena.page_size)
		return 0;
	base_at = kallsyms_find(&b->k->symbols, "vmemmap_base");
	if (!base_at || memory_u64(&b->k->memory, base_at, &base) ||
	    kernel_field_number(b->k, &l->arena.scratch_page, m->address, &page) ||
	    (uint64_t)page < base)
		return 0;
	return ((uint64_t)page - base) / l->arena.page_size << PAGE_SHIFT;
}

/* Records are runs of pages: first and last number, 4 bytes each. */
static bool page_add(struct bpf *b, struct map_copy *m, uint32_t page)
{
	uint32_t run[2] = {page, page};
	uint8_t *to;

	m->numbers[0]++;
	if (m->n) {
		to = m->records + (m->n - 1) * m->record_size;
		memcpy(run, to, sizeof(run));
		if (run[1] + 1 == page) {
			run[1] = page;
			memcpy(to, run, sizeof(run));
			return true;
		}
		run[0] = run[1] = page;
	}
	to = map_record_add(b, m);
	if (to)
		memcpy(to, run, sizeof(run));
	return to;
}

void map_arena_collect(struct bpf *b, struct map_copy *m)
{
	const struct bpf_layout *l = &b->layout;
	uint64_t vm, base, user, scratch = scratch_page(b, m), page;
	uint64_t n = m->max_entries > ARENA_MAX_PAGES ? ARENA_MAX_PAGES : m->max_entries;

	m->record_size = 2 * sizeof(uint32_t);
	if (!map_number(b, m, &l->arena.kern_vm, m->address, &vm) ||
	    !map_number(b, m, &l->arena.addr, vm, &base) ||
	    !map_number(b, m, &l->arena.user_vm_start, m->address, &user))
		return;
	base += ARENA_GUARD / 2;
	m->numbers[1] = user;
	for (page = 0; page < n;) {
		uint32_t low = user + (page << PAGE_SHIFT);
		uint64_t address, span;
		int err = memory_find(&b->k->memory, base + low, &address, &span);

		if (!err && address != scratch && !page_add(b, m, page))
			return;
		/* A hole never reaches beyond where the lower half of the address turns to 0. */
		page += err && span < (1ULL << 32) - low ? span >> PAGE_SHIFT : 1;
	}
}

void map_arena_show(struct map_view *v, json_t *o)
{
	const struct map_copy *m = v->m;
	_cleanup_free_ char *text = NULL;
	size_t size = 0, i;
	FILE *f = open_memstream(&text, &size);

	for (i = 0; f && i < m->n; i++) {
		uint32_t run[2];

		memcpy(run, m->records + i * m->record_size, sizeof(run));
		fprintf(f, run[0] == run[1] ? "%s%u" : "%s%u-%u", i ? "," : "", run[0], run[1]);
	}
	if (f)
		fclose(f);
	json_object_set_new(o, "user_vm_start", hex_json(m->numbers[1]));
	json_object_set_new(o, "n_pages", u64_json(m->numbers[0]));
	json_object_set_new(o, "pages", json_string(text ? text : ""));
}

/* kernel/bpf/queue_stack_maps.c: a ring with one slot that stays free. */
static void queue_read(struct bpf *b, struct map_copy *m, bool is_stack)
{
	const struct bpf_layout *l = &b->layout;
	const struct field *const needed[] = {&l->queue.elements, &l->queue.head, &l->queue.tail,
					      &l->queue.size};
	uint64_t head, tail, size, at;

	m->record_size = m->value_size;
	if (!map_needs(b, m, needed, ARRAY_SIZE(needed)) ||
	    !map_number(b, m, &l->queue.head, m->address, &head) ||
	    !map_number(b, m, &l->queue.tail, m->address, &tail) ||
	    !map_number(b, m, &l->queue.size, m->address, &size))
		return;
	if (head >= size || tail >= size || !m->value_size) {
		map_truncated(m, "its ends lie outside of it");
		return;
	}
	while (head != tail) {
		uint8_t *to = map_record_add(b, m);

		if (!to)
			return;
		if (is_stack)
			head = head ? head - 1 : size - 1;
		at = m->address + l->queue.elements.offset +
		     (is_stack ? head : tail) * m->value_size;
		if (memory_read(&b->k->memory, at, to, m->value_size)) {
			m->n--;
			map_truncated(m, "entry %zu is not in memory", m->n);
			return;
		}
		if (!is_stack)
			tail = tail + 1 < size ? tail + 1 : 0;
	}
}

void map_queue_collect(struct bpf *b, struct map_copy *m)
{
	queue_read(b, m, false);
}

void map_stack_collect(struct bpf *b, struct map_copy *m)
{
	queue_read(b, m, true);
}

/*
 * kernel/bpf/bpf_struct_ops.c: the value as it was given, with programs by their ids, and the state
 * as the kernel has it.
 */
void map_struct_ops_collect(struct bpf *b, struct map_copy *m)
{
	const struct bpf_layout *l = &b->layout;
	const struct field *const needed[] = {&l->ops.uvalue, &l->ops.kvalue};
	size_t common = l->ops.common_size < m->value_size ? l->ops.common_size : m->value_size;
	struct memory *mem = &b->k->memory;
	uint64_t given;
	int64_t types;
	uint8_t *to;

	m->record_size = m->value_size;
	if (!m->value_size || !map_needs(b, m, needed, ARRAY_SIZE(needed)) ||
	    !map_number(b, m, &l->ops.uvalue, m->address, &given))
		return;
	to = map_record_add(b, m);
	if (!to)
		return;
	if (memory_read(mem, given, to, m->value_size) ||
	    memory_read(mem, m->address + l->ops.kvalue.offset, to, common)) {
		m->n--;
		map_truncated(m, "its value is not in memory");
		return;
	}
	if (field_is_there(&l->ops.btf) &&
	    !kernel_field_number(b->k, &l->ops.btf, m->address, &types))
		m->kernel_btf = bpf_btf_get(&b->btfs, b->k, l, types);
	bpf_progs_read(b);
}

/* A pointer to a function holds the id of the program that was given for it. */
static json_t *ops_pointer(struct btf_render *r, uint32_t pointer, uint64_t value)
{
	const struct btf_type *t = btf__type_by_id(r->btf, pointer);
	const struct btf_type *to = btf_plain_type(r->btf, t->type, NULL);
	const char *name = bpf_prog_name(r->context, value);
	json_t *o;

	if (!to || !btf_is_func_proto(to) || value > UINT32_MAX)
		return NULL;
	o = json_object();
	json_object_set_new(o, "prog_id", json_integer(value));
	if (name)
		json_object_set_new(o, "name", text_json(name, SIZE_MAX));
	return o;
}

json_t *map_struct_ops_value(struct map_view *v, const uint8_t *value)
{
	const struct map_copy *m = v->m;
	struct kernel *k = v->b->k;
	struct btf_render r = {
		.btf = m->kernel_btf ? bpf_btf_types(m->kernel_btf, k) : k->types.btf,
		.budget = v->render.budget,
		.pointer = ops_pointer,
		.context = v->b,
	};
	json_t *o;

	if (!r.btf || !m->kernel_type)
		return bytes_json(value, m->value_size);
	o = btf_render(&r, m->kernel_type, value, m->value_size);
	v->render.budget = r.budget;
	v->render.why = r.why;
	return o;
}
