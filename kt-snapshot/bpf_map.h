/* SPDX-License-Identifier: GPL-2.0 */
/*
 * BPF maps: copied while the guest stands still, shown afterwards. A kind of map is a row in
 * bpf_map_kinds; what has none is listed without contents.
 */
#ifndef KT_SNAPSHOT_BPF_MAP_H
#define KT_SNAPSHOT_BPF_MAP_H

#include <jansson.h>

#include "bpf.h"
#include "btf_render.h"

#define BPF_MAP_MAX_KEY	    4096	/* bytes; the kernel's own limits are lower */
#define BPF_MAP_MAX_ENTRIES (1u << 24)	/* of one map */
#define BPF_MAP_MAX_BUCKETS (1u << 24)	/* of one hash table */
#define BPF_MAP_MAX_VALUES  (16u << 20) /* JSON values of all maps; an object counts as eight */

struct bpf_chase;
struct bpf_map_kind;

struct map_copy {
	uint64_t address; /* struct bpf_map */
	uint32_t id, type, key_size, value_size, max_entries, flags;
	uint64_t extra;
	bool frozen;
	char name[17];
	uint32_t key_type, value_type, kernel_type; /* BTF ids, 0: none; the last in @kernel_btf */
	struct bpf_btf *btf, *kernel_btf;
	const struct bpf_map_kind *kind; /* or NULL */

	/* Contents: @n records of @record_size bytes in the pool. */
	uint8_t *records;
	size_t n, record_size;
	uint32_t value_at;	   /* bytes from a record's beginning; the key is before it */
	uint32_t n_values, stride; /* one, or one for each CPU; bytes from one to the next */
	bool per_cpu, has_pending;
	bool in_place;	     /* records lie in the guest as here, from the array's beginning */
	const char *missing; /* the member that this kernel lacks for reading it */
	char *truncated;     /* why contents are not complete; malloc'ed */
	uint64_t numbers[4]; /* what a kind has besides, or instead */
};

/* What showing needs: one document's budget, and the types in use. */
struct map_view {
	struct bpf *b;
	const struct map_copy *m;
	struct btf_render render; /* of the map's own types */
};

struct bpf_map_kind {
	uint32_t type;
	void (*collect)(struct bpf *b, struct map_copy *m);
	/* Of a record; NULL: by BTF. */
	json_t *(*key)(struct map_view *v, const uint8_t *record);
	json_t *(*value)(struct map_view *v, const uint8_t *value);
	/* The order of two records; NULL: as they were found. */
	int (*compare)(const void *a, const void *b, void *m);
	/* Members of its own in @o, instead of entries. */
	void (*show)(struct map_view *v, json_t *o);
};

extern const struct bpf_map_kind bpf_map_kinds[];
extern const size_t bpf_map_n_kinds;

/* What the rows refer to, by the file that knows it: bpf_map_array.c, */
void map_array_collect(struct bpf *b, struct map_copy *m);
void map_percpu_array_collect(struct bpf *b, struct map_copy *m);
void map_array_of_maps_collect(struct bpf *b, struct map_copy *m);
json_t *map_index_key(struct map_view *v, const uint8_t *record);
json_t *map_number_key(struct map_view *v, const uint8_t *record);
json_t *map_id_value(struct map_view *v, const uint8_t *value);
/* bpf_map_hash.c, */
void map_hash_collect(struct bpf *b, struct map_copy *m);
void map_percpu_hash_collect(struct bpf *b, struct map_copy *m);
void map_hash_of_maps_collect(struct bpf *b, struct map_copy *m);
int map_key_compare(const void *a, const void *b, void *m);
/* bpf_map_storage.c, */
void map_task_storage_collect(struct bpf *b, struct map_copy *m);
void map_cgrp_storage_collect(struct bpf *b, struct map_copy *m);
void map_inode_storage_collect(struct bpf *b, struct map_copy *m);
void map_sk_storage_collect(struct bpf *b, struct map_copy *m);
void map_cgroup_storage_collect(struct bpf *b, struct map_copy *m);
void map_percpu_cgroup_storage_collect(struct bpf *b, struct map_copy *m);
json_t *map_task_key(struct map_view *v, const uint8_t *record);
json_t *map_cgrp_key(struct map_view *v, const uint8_t *record);
json_t *map_cgroup_storage_key(struct map_view *v, const uint8_t *record);
json_t *map_inode_key(struct map_view *v, const uint8_t *record);
json_t *map_sk_key(struct map_view *v, const uint8_t *record);
int map_owner_compare(const void *a, const void *b, void *m);
/* and bpf_map_other.c. */
void map_ringbuf_collect(struct bpf *b, struct map_copy *m);
void map_ringbuf_show(struct map_view *v, json_t *o);
void map_arena_collect(struct bpf *b, struct map_copy *m);
void map_arena_show(struct map_view *v, json_t *o);
void map_queue_collect(struct bpf *b, struct map_copy *m);
void map_stack_collect(struct bpf *b, struct map_copy *m);
void map_struct_ops_collect(struct bpf *b, struct map_copy *m);
json_t *map_struct_ops_value(struct map_view *v, const uint8_t *value);

/*
 * Read the head of the map at @address into @m. Returns 0, -EFAULT, or -EBADMSG when it cannot be
 * one.
 */
int map_head_read(struct bpf *b, uint64_t address, struct map_copy *m);

/* Read its contents, by its kind. */
void map_contents_read(struct bpf *b, struct map_copy *m);
void map_copy_free(struct map_copy *m);

/* Say why contents are not complete; the first reason stays. */
void map_truncated(struct map_copy *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Room for one more record, or NULL with @m->truncated set. */
uint8_t *map_record_add(struct bpf *b, struct map_copy *m);

/*
 * Read a number of @m's structure, with a member that this kernel lacks noted. Whether it is there.
 */
bool map_number(struct bpf *b, struct map_copy *m, const struct field *f, uint64_t address,
		uint64_t *value);

/* Whether all @n fields are there; the first one that lacks is noted in @m. */
bool map_needs(struct bpf *b, struct map_copy *m, const struct field *const *fields, size_t n);

/* @stride bytes of each CPU's copy of what @pointer points to, to @to. Whether they are there. */
bool map_cpus_read(struct bpf *b, uint8_t *to, uint32_t stride, uint64_t pointer);

/* The id of the map at @address as a 64-bit number to @to. Whether it is there. */
bool map_inner_id(struct bpf *b, uint64_t address, uint8_t *to);

/* Values lie at multiples of 8 bytes. */
static inline uint32_t map_round_up(uint32_t size)
{
	return (size + 7) & ~7u;
}

/* Put the records into their order. */
void map_sort(struct map_copy *m);

/* "BPF_MAP_TYPE_HASH" after "BPF_MAP_TYPE_" as "hash"; the caller frees. */
char *lower_after(const char *name, const char *prefix);

/* As bpftool names them; the caller frees. */
char *map_type_name(const struct kernel *k, uint32_t type);

/*
 * The map as a member of the document; *@budget falls by the values in it. @chase has what pointers
 * lead to, or is NULL. A new reference.
 */
json_t *map_json(struct bpf *b, const struct map_copy *m, struct bpf_chase *chase, size_t *budget);

#endif
