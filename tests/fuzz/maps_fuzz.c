// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target for the walk over BPF maps: a guest's memory that is the input, repeated, behind
 * page tables that map all of it; structures whose members lie close together, so that the input
 * easily makes them. Nothing may crash, read beyond the memory or go round. tests/fuzz/run builds
 * and runs it.
 */
#include <bpf/libbpf.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bpf_chase.h"
#include "bpf_idr.h"
#include "bpf_map.h"
#include "bpf_prog.h"

#define SIZE  (64 * 1024) /* of the memory; the tables are behind it */
#define TABLE SIZE
#define PAGE  4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int silent(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level;
	(void)fmt;
	(void)args;
	return 0;
}

static uint64_t *entry(uint8_t *memory, size_t table, size_t index)
{
	return (uint64_t *)(memory + TABLE + table * PAGE) + index;
}

/* Four levels, each with one table, whose first entries map the memory from address 0 on. */
static void tables_make(uint8_t *memory)
{
	size_t level, page;

	for (level = 0; level < 3; level++)
		*entry(memory, level, 0) = (TABLE + (level + 1) * PAGE) | 1;
	for (page = 0; page < SIZE / PAGE; page++)
		*entry(memory, 3, page) = page * PAGE | 1;
}

#define FIELD(member, at, bytes) \
	(l->member = (struct field){.offset = at, .size = bytes, .type = 1})

/* A layout in which everything is close by, and numbers that stand for sizes are short. */
static void layout_make(struct bpf_layout *l)
{
	FIELD(idr.xa_head, 0, 8);
	FIELD(xa_node.shift, 0, 1);
	FIELD(xa_node.slots, 8, 512);
	FIELD(map.type, 0, 1);
	FIELD(map.key_size, 1, 1);
	FIELD(map.value_size, 2, 1);
	FIELD(map.max_entries, 3, 2);
	FIELD(map.id, 5, 1);
	FIELD(map.key_type, 6, 1);
	FIELD(map.value_type, 7, 1);
	FIELD(map.btf, 8, 8);
	FIELD(btf.id, 0, 4);
	FIELD(btf.data, 8, 8);
	FIELD(btf.data_size, 4, 2);
	FIELD(array.value, 16, 0);
	FIELD(hash.buckets, 16, 8);
	FIELD(hash.n_buckets, 24, 1);
	FIELD(hash.next, 0, 8);
	FIELD(hash.key, 8, 0);
	FIELD(hash.head, 0, 8);
	FIELD(storage.buckets, 16, 8);
	FIELD(storage.bucket_log, 24, 1);
	FIELD(storage.list, 0, 8);
	FIELD(storage.node_next, 0, 8);
	FIELD(storage.owner_storage, 8, 8);
	FIELD(storage.data, 16, 0);
	FIELD(storage.owner, 8, 8);
	FIELD(task.pid, 0, 4);
	FIELD(task.comm, 8, 16);
	FIELD(cgroup.kn, 0, 8);
	FIELD(cgroup.id, 0, 8);
	FIELD(cgroup.name, 8, 8);
	FIELD(cgroup.parent, 16, 8);
	FIELD(cgroup_storage.list, 16, 8);
	FIELD(cgroup_storage.next, 16, 8);
	FIELD(cgroup_storage.list_map, 0, 8);
	FIELD(cgroup_storage.buf, 8, 8);
	FIELD(cgroup_storage.data, 0, 0);
	FIELD(cgroup_storage.cgroup_id, 16, 8);
	FIELD(inode.i_ino, 0, 8);
	FIELD(ring.rb, 16, 8);
	FIELD(ring.mask, 0, 8);
	FIELD(ring.consumer_pos, 0, 8);
	FIELD(ring.producer_pos, 8, 8);
	FIELD(arena.kern_vm, 16, 8);
	FIELD(arena.addr, 0, 8);
	FIELD(arena.user_vm_start, 24, 8);
	FIELD(ops.uvalue, 16, 8);
	FIELD(ops.kvalue, 24, 0);
	FIELD(queue.elements, 24, 0);
	FIELD(queue.head, 16, 1);
	FIELD(queue.tail, 17, 1);
	FIELD(queue.size, 18, 1);
	l->hash.bucket_size = l->storage.bucket_size = 16;
	l->ops.common_size = 8;
}

/* No types and no symbols of its own. */
static void kernel_make(struct kernel *k)
{
	static const uint64_t offsets[2] = {0, 64};
	static struct symbol_slot none;
	struct btf *empty = btf__new_empty();
	uint32_t size;
	const void *raw = btf__raw_data(empty, &size);
	char *why;

	if (types_parse(&k->types, raw, size, &why))
		abort();
	btf__free(empty);
	k->symbols.by_name = &none;
	k->symbols.n_slots = 1;
	k->n_cpus = 2;
	k->per_cpu_offset = (uint64_t *)offsets;
}

static void walk(struct kernel *k, struct bpf *b)
{
	size_t n, i, budget = 50000;
	const char *why;
	uint64_t *objects = bpf_idr_read(k, &b->layout, 8, &n, &why);
	struct map_copy *maps = calloc(n + 1, sizeof(*maps));
	struct bpf_chase *chase;

	n = n < 64 ? n : 64;
	for (i = 0; i < n; i++) {
		if (!map_head_read(b, objects[i], &maps[i]))
			map_contents_read(b, &maps[i]);
	}
	chase = bpf_chase_maps(b, maps, n, 2);
	for (i = 0; i < n; i++) {
		map_sort(&maps[i]);
		json_decref(map_json(b, &maps[i], chase, &budget));
		map_copy_free(&maps[i]);
	}
	bpf_chase_free(chase);
	free(maps);
	free(objects);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t *memory;
	static struct kernel k;
	static struct bpf b;
	size_t at;

	if (!memory) {
		libbpf_set_print(silent);
		memory = calloc(1, SIZE + 4 * PAGE);
		tables_make(memory);
		kernel_make(&k);
		bpf_pool_open(&b.pool);
		layout_make(&b.layout);
		b.k = &k;
		k.ram.ranges[0] = (struct ram_range){.size = SIZE + 4 * PAGE, .data = memory};
		k.ram.n_ranges = 1;
		k.memory = (struct memory){.ram = &k.ram, .root = TABLE};
	}
	if (!size)
		return 0;
	for (at = 0; at < SIZE; at += size)
		memcpy(memory + at, data, size < SIZE - at ? size : SIZE - at);
	memory_flush(&k.memory);
	bpf_pool_reset(&b.pool);
	bpf_btf_cache_begin(&b.btfs);
	bpf_progs_forget(&b);
	walk(&k, &b);
	return 0;
}
