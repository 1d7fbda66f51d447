// SPDX-License-Identifier: GPL-2.0
/*
 * Values that belong to a task, a cgroup, an inode or a socket (kernel/bpf/bpf_local_storage.c),
 * and the older storage of cgroups (kernel/bpf/local_storage.c). What a value belongs to is its
 * key.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf_chain.h"
#include "bpf_map.h"
#include "cleanup.h"

#define PATH_DEPTH 64

/* The key in a record: sorted by the first number, then by the second. */
struct owner {
	uint64_t id,
		other;	/* pid and tgid; the cgroup's and type; inode's; the address of the rest */
	char text[256]; /* comm, path */
};

typedef bool owner_read(struct bpf *b, uint64_t object, struct owner *o);

struct storage {
	struct bpf *b;
	struct map_copy *m;
	owner_read *owner;
};

static bool is_end(uint64_t pointer)
{
	return !pointer;
}

static bool number(struct bpf *b, const struct field *f, uint64_t address, uint64_t *value)
{
	int64_t n = 0;

	if (!field_is_there(f) || kernel_field_number(b->k, f, address, &n))
		return false;
	*value = n;
	return true;
}

static bool task_read(struct bpf *b, uint64_t task, struct owner *o)
{
	const struct bpf_layout *l = &b->layout;

	if (!field_is_there(&l->task.comm) ||
	    memory_string(&b->k->memory, task + l->task.comm.offset, o->text, 17) < 0)
		o->text[0] = '\0';
	number(b, &l->task.tgid, task, &o->other);
	return number(b, &l->task.pid, task, &o->id);
}

/* The path of a cgroup, from its kernfs node upwards; names end the buffer and grow to its front.
 */
static void path_read(struct bpf *b, uint64_t node, char *text, size_t size)
{
	const struct bpf_layout *l = &b->layout;
	const struct field *up =
		field_is_there(&l->cgroup.parent) ? &l->cgroup.parent : &l->cgroup.parent_old;
	size_t at = size - 1;
	int depth;

	text[at] = '\0';
	for (depth = 0; depth < PATH_DEPTH; depth++) {
		uint64_t parent, name;
		char part[256];
		int len;

		if (!number(b, up, node, &parent) || !parent)
			break;
		if (!number(b, &l->cgroup.name, node, &name))
			break;
		len = memory_string(&b->k->memory, name, part, sizeof(part));
		if (len < 0 || (size_t)len + 1 > at)
			break;
		at -= len;
		memcpy(text + at, part, len);
		text[--at] = '/';
		node = parent;
	}
	if (!text[at])
		text[--at] = '/';
	memmove(text, text + at, size - at);
}

static bool cgroup_read(struct bpf *b, uint64_t cgroup, struct owner *o)
{
	const struct bpf_layout *l = &b->layout;
	uint64_t node;

	if (!number(b, &l->cgroup.kn, cgroup, &node) || !number(b, &l->cgroup.id, node, &o->id))
		return false;
	path_read(b, node, o->text, sizeof(o->text));
	return true;
}

static bool inode_read(struct bpf *b, uint64_t inode, struct owner *o)
{
	o->other = inode;
	return number(b, &b->layout.inode.i_ino, inode, &o->id);
}

static bool address_read(struct bpf *b, uint64_t object, struct owner *o)
{
	(void)b;
	o->id = object;
	return true;
}

/* One element: whose it is, and its value. Those without an owner are about to go. */
static int element_add(void *context, uint64_t element)
{
	const struct storage *s = context;
	const struct bpf_layout *l = &s->b->layout;
	struct map_copy *m = s->m;
	struct owner owner = {};
	uint64_t of, object;
	uint8_t *to;

	if (!number(s->b, &l->storage.owner_storage, element, &of) || !of ||
	    !number(s->b, &l->storage.owner, of, &object) || !object)
		return 0;
	to = map_record_add(s->b, m);
	if (!to)
		return -1;
	if (s->owner(s->b, object, &owner) &&
	    !memory_read(&s->b->k->memory, element + l->storage.data.offset, to + m->value_at,
			 m->value_size)) {
		memcpy(to, &owner, sizeof(owner));
		return 0;
	}
	m->n--;
	map_truncated(m, "an entry or what it belongs to is not in memory");
	return 0;
}

/* @of: what an owner is known by. */
static void storage_collect(struct bpf *b, struct map_copy *m, owner_read *owner,
			    const struct field *const *of, size_t n_of)
{
	const struct bpf_layout *l = &b->layout;
	const struct field *const needed[] = {&l->storage.buckets,	 &l->storage.bucket_log,
					      &l->storage.list,		 &l->storage.node_next,
					      &l->storage.owner_storage, &l->storage.data,
					      &l->storage.owner};
	struct storage s = {b, m, owner};
	struct chain_rules rules = {
		.next = l->storage.node_next.offset,
		.is_end = is_end,
		.each = element_add,
		.context = &s,
	};
	_cleanup_free_ uint8_t *buckets = NULL;
	uint64_t at, log, first;
	size_t i;

	m->value_at = sizeof(struct owner);
	m->record_size = m->value_at + map_round_up(m->value_size);
	if (!map_needs(b, m, needed, ARRAY_SIZE(needed)) || !map_needs(b, m, of, n_of) ||
	    !map_number(b, m, &l->storage.buckets, m->address, &at) ||
	    !map_number(b, m, &l->storage.bucket_log, m->address, &log))
		return;
	buckets = map_buckets_read(b, m, at, log < 32 ? 1ULL << log : 0, l->storage.bucket_size);
	for (i = 0; buckets && i < 1ULL << log; i++) {
		memcpy(&first, buckets + i * l->storage.bucket_size + l->storage.list.offset,
		       sizeof(first));
		if (first && chain_walk(b, m, first, &rules))
			return;
	}
}

void map_task_storage_collect(struct bpf *b, struct map_copy *m)
{
	const struct field *const of[] = {&b->layout.task.pid};

	storage_collect(b, m, task_read, of, ARRAY_SIZE(of));
}

void map_cgrp_storage_collect(struct bpf *b, struct map_copy *m)
{
	const struct field *const of[] = {&b->layout.cgroup.kn, &b->layout.cgroup.id};

	storage_collect(b, m, cgroup_read, of, ARRAY_SIZE(of));
}

void map_inode_storage_collect(struct bpf *b, struct map_copy *m)
{
	const struct field *const of[] = {&b->layout.inode.i_ino};

	storage_collect(b, m, inode_read, of, ARRAY_SIZE(of));
}

void map_sk_storage_collect(struct bpf *b, struct map_copy *m)
{
	storage_collect(b, m, address_read, NULL, 0);
}

/* The older kind: a list through all of them, whose elements know the cgroup's id. */
static int cgroup_element_add(void *context, uint64_t link)
{
	const struct storage *s = context;
	const struct bpf_layout *l = &s->b->layout;
	struct map_copy *m = s->m;
	uint64_t element = link - l->cgroup_storage.list_map.offset, values;
	struct owner owner = {};
	uint8_t *to;
	bool ok;

	to = map_record_add(s->b, m);
	if (!to)
		return -1;
	ok = number(s->b, &l->cgroup_storage.cgroup_id, element, &owner.id) &&
	     number(s->b, &l->cgroup_storage.buf, element, &values);
	number(s->b, &l->cgroup_storage.attach_type, element, &owner.other);
	memcpy(to, &owner, sizeof(owner));
	if (ok && m->per_cpu)
		ok = map_cpus_read(s->b, to + m->value_at, m->stride, values);
	else if (ok)
		ok = !memory_read(&s->b->k->memory, values + l->cgroup_storage.data.offset,
				  to + m->value_at, m->value_size);
	if (ok)
		return 0;
	m->n--;
	map_truncated(m, "an entry is not in memory");
	return 0;
}

void map_cgroup_storage_collect(struct bpf *b, struct map_copy *m)
{
	const struct bpf_layout *l = &b->layout;
	const struct field *const needed[] = {
		&l->cgroup_storage.list, &l->cgroup_storage.next, &l->cgroup_storage.list_map,
		&l->cgroup_storage.buf,	 &l->cgroup_storage.data, &l->cgroup_storage.cgroup_id,
	};
	struct storage s = {b, m, NULL};
	uint64_t first, head = m->address + l->cgroup_storage.list.offset;
	struct chain_rules rules = {
		.is_end = is_end,
		.round = head,
		.each = cgroup_element_add,
		.context = &s,
	};

	m->stride = map_round_up(m->value_size);
	m->n_values = m->per_cpu ? b->k->n_cpus : 1;
	m->value_at = sizeof(struct owner);
	m->record_size = m->value_at + (size_t)m->stride * m->n_values;
	if (!map_needs(b, m, needed, ARRAY_SIZE(needed)) ||
	    !map_number(b, m, &l->cgroup_storage.next, m->address, &first) || first == head)
		return;
	chain_walk(b, m, first, &rules);
}

void map_percpu_cgroup_storage_collect(struct bpf *b, struct map_copy *m)
{
	m->per_cpu = true;
	map_cgroup_storage_collect(b, m);
}

json_t *map_task_key(struct map_view *v, const uint8_t *record)
{
	const struct owner *o = (const struct owner *)record;
	json_t *key = json_object();

	(void)v;
	json_object_set_new(key, "pid", json_integer(o->id));
	json_object_set_new(key, "tgid", json_integer(o->other));
	json_object_set_new(key, "comm", text_json(o->text, sizeof(o->text)));
	return key;
}

json_t *map_cgrp_key(struct map_view *v, const uint8_t *record)
{
	const struct owner *o = (const struct owner *)record;
	json_t *key = json_object();

	(void)v;
	json_object_set_new(key, "cgroup_id", u64_json(o->id));
	json_object_set_new(key, "path", text_json(o->text, sizeof(o->text)));
	return key;
}

json_t *map_cgroup_storage_key(struct map_view *v, const uint8_t *record)
{
	const struct owner *o = (const struct owner *)record;
	json_t *key = json_object();

	(void)v;
	json_object_set_new(key, "cgroup_id", u64_json(o->id));
	json_object_set_new(key, "attach_type", json_integer(o->other));
	return key;
}

json_t *map_inode_key(struct map_view *v, const uint8_t *record)
{
	const struct owner *o = (const struct owner *)record;
	json_t *key = json_object();

	(void)v;
	json_object_set_new(key, "inode", u64_json(o->id));
	json_object_set_new(key, "address", hex_json(o->other));
	return key;
}

json_t *map_sk_key(struct map_view *v, const uint8_t *record)
{
	const struct owner *o = (const struct owner *)record;
	json_t *key = json_object();

	(void)v;
	json_object_set_new(key, "address", hex_json(o->id));
	return key;
}

int map_owner_compare(const void *a, const void *b, void *m)
{
	const struct owner *x = a, *y = b;

	(void)m;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->other < y->other ? -1 : x->other > y->other;
}
