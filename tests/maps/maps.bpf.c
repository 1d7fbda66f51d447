/* SPDX-License-Identifier: GPL-2.0 */
/* Maps of every type that kt-snapshot reads, and the programs that what is in them needs. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "maps.h"

char LICENSE[] SEC("license") = "GPL";

#define MAP(name, kind, entries, key_type, value_type, flags) \
	struct {                                              \
		__uint(type, kind);                           \
		__uint(max_entries, entries);                 \
		__uint(map_flags, flags);                     \
		__type(key, key_type);                        \
		__type(value, value_type);                    \
	} name SEC(".maps")

MAP(a_array, BPF_MAP_TYPE_ARRAY, N_EVERYTHING, __u32, struct everything, 0);
MAP(a_percpu_array, BPF_MAP_TYPE_PERCPU_ARRAY, N_POINTS, __u32, struct point, 0);
MAP(a_hash, BPF_MAP_TYPE_HASH, 4096, struct hash_key, struct hash_value, 0);
MAP(a_loose_hash, BPF_MAP_TYPE_HASH, 128, __s32, enum color, BPF_F_NO_PREALLOC);
MAP(a_percpu_hash, BPF_MAP_TYPE_PERCPU_HASH, 64, __u64, __s32, 0);
MAP(a_lru_hash, BPF_MAP_TYPE_LRU_HASH, 1024, __u32, __s64, 0);
MAP(a_lru_percpu, BPF_MAP_TYPE_LRU_PERCPU_HASH, 1024, __u16, struct point, 0);
MAP(a_task_storage, BPF_MAP_TYPE_TASK_STORAGE, 0, int, struct point, BPF_F_NO_PREALLOC);
MAP(a_cgrp_storage, MAP_CGRP_STORAGE, 0, int, struct point, BPF_F_NO_PREALLOC);
MAP(a_inode_storage, BPF_MAP_TYPE_INODE_STORAGE, 0, int, struct point, BPF_F_NO_PREALLOC);
MAP(a_sk_storage, BPF_MAP_TYPE_SK_STORAGE, 0, int, struct point, BPF_F_NO_PREALLOC);
MAP(big, BPF_MAP_TYPE_ARRAY, 1, __u32, struct page_of_numbers, BPF_F_MMAPABLE);

struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_STORAGE);
	__type(key, struct bpf_cgroup_storage_key);
	__type(value, struct point);
} a_cg_storage SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE);
	__type(key, struct bpf_cgroup_storage_key);
	__type(value, struct point);
} a_percpu_cg SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} an_inner SEC(".maps"), other_inner SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} an_array_of SEC(".maps") = {.values = {[1] = &an_inner, [3] = &other_inner}};

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 8);
	__type(key, __u64);
	__array(values, struct inner);
} a_hash_of SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} a_ringbuf SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} a_user_ringbuf SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 8);
	__type(value, __s32);
} a_queue SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, 8);
	__type(value, __s32);
} a_stack SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 8);
	__type(value, __u32);
} a_bloom SEC(".maps");

__u64 runs;
struct node nodes[N_NODES];
__s64 minus_one = -1;
enum color favourite = COLOR_BLUE;
const volatile char motto[] = "read only";
const volatile __u64 most = ~0ULL;
struct everything extra SEC(".data.extra") = {.minus = -5, .name = "extra"};
static volatile __u32 hidden = 23;

/* Closes the ring of nodes, has the array's first value point to itself, fills the ring buffer. */
SEC("syscall")
int fill_what_only_a_program_can(void *ctx)
{
	struct everything *e;
	__u32 i = 0;

	e = bpf_map_lookup_elem(&a_array, &i);
	if (!e)
		return 1;
	e->self = e;
	nodes[0].next = &nodes[1];
	nodes[1].next = &nodes[2];
	nodes[2].next = &nodes[0];
	nodes[1].self = &nodes[1];
	nodes[0].n = 10;
	nodes[1].n = 11;
	nodes[2].n = 12;
	if (!runs) {
		bpf_ringbuf_output(&a_ringbuf, &minus_one, sizeof(minus_one), 0);
		bpf_ringbuf_output(&a_ringbuf, &minus_one, sizeof(minus_one), 0);
	}
	runs += hidden - 22;
	return 0;
}

SEC("cgroup_skb/egress")
int count_bytes(struct __sk_buff *skb)
{
	struct point *p = bpf_get_local_storage(&a_cg_storage, 0);
	struct point *q = bpf_get_local_storage(&a_percpu_cg, 0);

	p->x++;
	q->x++;
	return 1;
}

/* Maps that no program uses are made as well; this one refers to the variables. */
SEC("syscall")
int use_all(void *ctx)
{
	return motto[0] + most + favourite + extra.minus;
}
