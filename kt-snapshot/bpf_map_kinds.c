// SPDX-License-Identifier: GPL-2.0
/* The kinds of maps whose contents are read (enum bpf_map_type in include/uapi/linux/bpf.h). */
#include "bpf_map.h"
#include "cleanup.h"

enum {
	TYPE_HASH = 1,
	TYPE_ARRAY = 2,
	TYPE_PERCPU_HASH = 5,
	TYPE_PERCPU_ARRAY = 6,
	TYPE_LRU_HASH = 9,
	TYPE_LRU_PERCPU_HASH = 10,
	TYPE_ARRAY_OF_MAPS = 12,
	TYPE_HASH_OF_MAPS = 13,
	TYPE_CGROUP_STORAGE = 19,
	TYPE_PERCPU_CGROUP_STORAGE = 21,
	TYPE_QUEUE = 22,
	TYPE_STACK = 23,
	TYPE_SK_STORAGE = 24,
	TYPE_STRUCT_OPS = 26,
	TYPE_RINGBUF = 27,
	TYPE_INODE_STORAGE = 28,
	TYPE_TASK_STORAGE = 29,
	TYPE_USER_RINGBUF = 31,
	TYPE_CGRP_STORAGE = 32,
	TYPE_ARENA = 33,
};

#define HASH(number, read)                                                  \
	{                                                                   \
		.type = number, .collect = read, .compare = map_key_compare \
	}
#define STORAGE(number, read, shown)                                                        \
	{                                                                                   \
		.type = number, .collect = read, .key = shown, .compare = map_owner_compare \
	}

const struct bpf_map_kind bpf_map_kinds[] = {
	{.type = TYPE_ARRAY, .collect = map_array_collect, .key = map_index_key},
	{.type = TYPE_PERCPU_ARRAY, .collect = map_percpu_array_collect, .key = map_index_key},
	{.type = TYPE_ARRAY_OF_MAPS,
	 .collect = map_array_of_maps_collect,
	 .key = map_number_key,
	 .value = map_id_value},
	HASH(TYPE_HASH, map_hash_collect),
	HASH(TYPE_LRU_HASH, map_hash_collect),
	HASH(TYPE_PERCPU_HASH, map_percpu_hash_collect),
	HASH(TYPE_LRU_PERCPU_HASH, map_percpu_hash_collect),
	{.type = TYPE_HASH_OF_MAPS,
	 .collect = map_hash_of_maps_collect,
	 .value = map_id_value,
	 .compare = map_key_compare},
	STORAGE(TYPE_TASK_STORAGE, map_task_storage_collect, map_task_key),
	STORAGE(TYPE_CGRP_STORAGE, map_cgrp_storage_collect, map_cgrp_key),
	STORAGE(TYPE_INODE_STORAGE, map_inode_storage_collect, map_inode_key),
	STORAGE(TYPE_SK_STORAGE, map_sk_storage_collect, map_sk_key),
	STORAGE(TYPE_CGROUP_STORAGE, map_cgroup_storage_collect, map_cgroup_storage_key),
	STORAGE(TYPE_PERCPU_CGROUP_STORAGE, map_percpu_cgroup_storage_collect,
		map_cgroup_storage_key),
	{.type = TYPE_QUEUE, .collect = map_queue_collect, .key = map_index_key},
	{.type = TYPE_STACK, .collect = map_stack_collect, .key = map_index_key},
	{.type = TYPE_RINGBUF, .collect = map_ringbuf_collect, .show = map_ringbuf_show},
	{.type = TYPE_USER_RINGBUF, .collect = map_ringbuf_collect, .show = map_ringbuf_show},
	{.type = TYPE_ARENA, .collect = map_arena_collect, .show = map_arena_show},
	{.type = TYPE_STRUCT_OPS,
	 .collect = map_struct_ops_collect,
	 .key = map_index_key,
	 .value = map_struct_ops_value},
};

const size_t bpf_map_n_kinds = ARRAY_SIZE(bpf_map_kinds);
