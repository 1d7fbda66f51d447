/* SPDX-License-Identifier: GPL-2.0 */
/* Where the members of the kernel's BPF structures lie; looked up by name once a session. */
#ifndef KT_SNAPSHOT_BPF_LAYOUT_H
#define KT_SNAPSHOT_BPF_LAYOUT_H

#include "types.h"

/* A member that this kernel has not got has type 0. */
struct bpf_layout {
	struct {
		struct field xa_head;
	} idr;
	struct {
		struct field shift, slots;
	} xa_node;
	struct {
		struct field type, key_size, value_size, max_entries, flags, extra, id, btf,
			key_type, value_type, kernel_type, name, frozen;
	} map;
	struct {
		struct field id, data, data_size, base, kernel;
	} btf;
	struct {
		struct field value;
	} array;
	struct {
		struct field buckets, n_buckets, next, key, head;
		uint32_t bucket_size;
	} hash;
	struct {
		struct field buckets, bucket_log, list, node_next, owner_storage, data, owner;
		uint32_t bucket_size;
	} storage;
	struct {
		struct field pid, tgid, comm;
	} task;
	struct {
		struct field kn, id, name, parent, parent_old;
	} cgroup;
	struct {
		struct field list, next, list_map, buf, data, cgroup_id, attach_type;
	} cgroup_storage;
	struct {
		struct field i_ino;
	} inode;
	struct {
		struct field rb, mask, consumer_pos, producer_pos, pending_pos, overwrite;
	} ring;
	struct {
		struct field kern_vm, addr, user_vm_start, scratch_page;
		uint32_t page_size; /* of struct page */
	} arena;
	struct {
		struct field uvalue, kvalue, btf;
		uint32_t common_size;
	} ops;
	struct {
		struct field elements, head, tail, size;
	} queue;
	struct {
		struct field type, len, jited, jited_len, gpl_compatible, tag, stats, aux;
	} prog;
	struct {
		struct field id, name, verified_insns, load_time, used_maps, used_map_cnt, btf,
			func_info, func, func_cnt;
	} aux;
	struct {
		struct field cnt, nsecs, misses;
	} stats;
};

void bpf_layout_read(struct bpf_layout *l, const struct types *t);

static inline bool field_is_there(const struct field *f)
{
	return f->type;
}

/* The name of @f, which is of @l: "bpf_map.id". */
const char *bpf_layout_name(const struct bpf_layout *l, const struct field *f);

/*
 * The name of the first member that lacks among the @n at @fields, all of @l; NULL: all are there.
 */
const char *bpf_layout_missing(const struct bpf_layout *l, const struct field *const *fields,
			       size_t n);

#endif
