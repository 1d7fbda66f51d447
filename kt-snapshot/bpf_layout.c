// SPDX-License-Identifier: GPL-2.0
#include "bpf_layout.h"

#include <stddef.h>

#include "cleanup.h"

#define ROW(member, type, path)                                                \
	{                                                                      \
		offsetof(struct bpf_layout, member), type, path, type "." path \
	}

static const struct {
	size_t offset; /* of the struct field in struct bpf_layout */
	const char *type, *path, *name;
} rows[] = {
	ROW(idr.xa_head, "idr", "idr_rt.xa_head"),
	ROW(xa_node.shift, "xa_node", "shift"),
	ROW(xa_node.slots, "xa_node", "slots"),
	ROW(map.type, "bpf_map", "map_type"),
	ROW(map.key_size, "bpf_map", "key_size"),
	ROW(map.value_size, "bpf_map", "value_size"),
	ROW(map.max_entries, "bpf_map", "max_entries"),
	ROW(map.flags, "bpf_map", "map_flags"),
	ROW(map.extra, "bpf_map", "map_extra"),
	ROW(map.id, "bpf_map", "id"),
	ROW(map.btf, "bpf_map", "btf"),
	ROW(map.key_type, "bpf_map", "btf_key_type_id"),
	ROW(map.value_type, "bpf_map", "btf_value_type_id"),
	ROW(map.kernel_type, "bpf_map", "btf_vmlinux_value_type_id"),
	ROW(map.name, "bpf_map", "name"),
	ROW(map.frozen, "bpf_map", "frozen"),
	ROW(btf.id, "btf", "id"),
	ROW(btf.data, "btf", "data"),
	ROW(btf.data_size, "btf", "data_size"),
	ROW(btf.base, "btf", "base_btf"),
	ROW(btf.kernel, "btf", "kernel_btf"),
	ROW(array.value, "bpf_array", "value"),
	ROW(hash.buckets, "bpf_htab", "buckets"),
	ROW(hash.n_buckets, "bpf_htab", "n_buckets"),
	ROW(hash.head, "bucket", "head.first"),
	ROW(hash.next, "htab_elem", "hash_node.next"),
	ROW(hash.key, "htab_elem", "key"),
	ROW(storage.buckets, "bpf_local_storage_map", "buckets"),
	ROW(storage.bucket_log, "bpf_local_storage_map", "bucket_log"),
	ROW(storage.list, "bpf_local_storage_map_bucket", "list.first"),
	ROW(storage.node_next, "bpf_local_storage_elem", "map_node.next"),
	ROW(storage.owner_storage, "bpf_local_storage_elem", "local_storage"),
	ROW(storage.data, "bpf_local_storage_elem", "sdata.data"),
	ROW(storage.owner, "bpf_local_storage", "owner"),
	ROW(task.pid, "task_struct", "pid"),
	ROW(task.tgid, "task_struct", "tgid"),
	ROW(task.comm, "task_struct", "comm"),
	ROW(cgroup.kn, "cgroup", "kn"),
	ROW(cgroup.id, "kernfs_node", "id"),
	ROW(cgroup.name, "kernfs_node", "name"),
	ROW(cgroup.parent, "kernfs_node", "__parent"),
	ROW(cgroup.parent_old, "kernfs_node", "parent"),
	ROW(cgroup_storage.list, "bpf_cgroup_storage_map", "list"),
	ROW(cgroup_storage.next, "bpf_cgroup_storage_map", "list.next"),
	ROW(cgroup_storage.list_map, "bpf_cgroup_storage", "list_map"),
	ROW(cgroup_storage.buf, "bpf_cgroup_storage", "buf"),
	ROW(cgroup_storage.data, "bpf_storage_buffer", "data"),
	ROW(cgroup_storage.cgroup_id, "bpf_cgroup_storage", "key.cgroup_inode_id"),
	ROW(cgroup_storage.attach_type, "bpf_cgroup_storage", "key.attach_type"),
	ROW(inode.i_ino, "inode", "i_ino"),
	ROW(ring.rb, "bpf_ringbuf_map", "rb"),
	ROW(ring.mask, "bpf_ringbuf", "mask"),
	ROW(ring.consumer_pos, "bpf_ringbuf", "consumer_pos"),
	ROW(ring.producer_pos, "bpf_ringbuf", "producer_pos"),
	ROW(ring.pending_pos, "bpf_ringbuf", "pending_pos"),
	ROW(ring.overwrite, "bpf_ringbuf", "overwrite_mode"),
	ROW(arena.kern_vm, "bpf_arena", "kern_vm"),
	ROW(arena.addr, "vm_struct", "addr"),
	ROW(arena.user_vm_start, "bpf_arena", "user_vm_start"),
	ROW(arena.scratch_page, "bpf_arena", "scratch_page"),
	ROW(ops.uvalue, "bpf_struct_ops_map", "uvalue"),
	ROW(ops.kvalue, "bpf_struct_ops_map", "kvalue"),
	ROW(ops.btf, "bpf_struct_ops_map", "btf"),
	ROW(queue.elements, "bpf_queue_stack", "elements"),
	ROW(queue.head, "bpf_queue_stack", "head"),
	ROW(queue.tail, "bpf_queue_stack", "tail"),
	ROW(queue.size, "bpf_queue_stack", "size"),
	ROW(prog.type, "bpf_prog", "type"),
	ROW(prog.len, "bpf_prog", "len"),
	ROW(prog.jited, "bpf_prog", "jited"),
	ROW(prog.jited_len, "bpf_prog", "jited_len"),
	ROW(prog.gpl_compatible, "bpf_prog", "gpl_compatible"),
	ROW(prog.tag, "bpf_prog", "tag"),
	ROW(prog.stats, "bpf_prog", "stats"),
	ROW(prog.aux, "bpf_prog", "aux"),
	ROW(aux.id, "bpf_prog_aux", "id"),
	ROW(aux.name, "bpf_prog_aux", "name"),
	ROW(aux.verified_insns, "bpf_prog_aux", "verified_insns"),
	ROW(aux.load_time, "bpf_prog_aux", "load_time"),
	ROW(aux.used_maps, "bpf_prog_aux", "used_maps"),
	ROW(aux.used_map_cnt, "bpf_prog_aux", "used_map_cnt"),
	ROW(aux.btf, "bpf_prog_aux", "btf"),
	ROW(aux.func_info, "bpf_prog_aux", "func_info"),
	ROW(aux.func, "bpf_prog_aux", "func"),
	ROW(aux.func_cnt, "bpf_prog_aux", "func_cnt"),
	ROW(stats.cnt, "bpf_prog_stats", "cnt"),
	ROW(stats.nsecs, "bpf_prog_stats", "nsecs"),
	ROW(stats.misses, "bpf_prog_stats", "misses"),
};

void bpf_layout_read(struct bpf_layout *l, const struct types *t)
{
	size_t i;

	*l = (struct bpf_layout){};
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct field *f = (struct field *)((char *)l + rows[i].offset);

		if (types_field(t, rows[i].type, rows[i].path, f))
			*f = (struct field){};
	}
	l->hash.bucket_size = types_size(t, "bucket");
	l->arena.page_size = types_size(t, "page");
	l->ops.common_size = types_size(t, "bpf_struct_ops_common_value");
	l->storage.bucket_size = types_size(t, "bpf_local_storage_map_bucket");
}

const char *bpf_layout_name(const struct bpf_layout *l, const struct field *f)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].offset == (size_t)((const char *)f - (const char *)l))
			return rows[i].name;
	}
	return "?";
}

const char *bpf_layout_missing(const struct bpf_layout *l, const struct field *const *fields,
			       size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!field_is_there(fields[i]))
			return bpf_layout_name(l, fields[i]);
	}
	return NULL;
}
