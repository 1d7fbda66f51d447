// SPDX-License-Identifier: GPL-2.0
#include "scx_dsq.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "btf_render.h"
#include "cleanup.h"
#include "diag.h"
#include "scx.h"

#define TABLES_MAX  4 /* one, and those that it is growing into (include/linux/rhashtable.h) */
#define BUCKETS_MAX (1u << 20)

int scx_dsqs_init(struct scx_dsqs *d, struct kernel *k, json_t *list)
{
	const struct {
		const char *type, *path;
		struct field *to;
		bool needed;
	} members[] = {
		{"scx_dispatch_q", "nr", &d->nr, true},
		{"scx_dispatch_q", "list", &d->head, true},
		{"scx_dsq_list_node", "flags", &d->node_flags, true},
		{"task_struct", "scx.dsq_list", &d->node, true},
		{"scx_dispatch_q", "id", &d->id},
		{"scx_dispatch_q", "hash_node", &d->hash_node},
		{"task_struct", "scx.slice", &d->slice},
		{"task_struct", "scx.dsq_vtime", &d->vtime},
		{"task_struct", "pid", &d->pid},
		{"task_struct", "comm", &d->comm},
	};
	size_t i;

	*d = (struct scx_dsqs){.kernel = k, .list = list};
	for (i = 0; i < ARRAY_SIZE(members); i++) {
		if (!types_field(&k->types, members[i].type, members[i].path, members[i].to))
			continue;
		if (members[i].needed)
			return -ENOENT;
		*members[i].to = (struct field){};
	}
	return 0;
}

static json_t *task_json(struct scx_dsqs *d, uint64_t task)
{
	const struct {
		const char *key;
		const struct field *f;
	} numbers[] = {{"pid", &d->pid}, {"slice_ns", &d->slice}, {"vtime", &d->vtime}};
	json_t *o = json_object();
	char comm[17];
	int64_t value;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (!kernel_field_number(d->kernel, numbers[i].f, task, &value))
			json_object_set_new(o, numbers[i].key,
					    i ? u64_json(value) : json_integer(value));
	}
	if (d->comm.size &&
	    memory_string(&d->kernel->memory, task + d->comm.offset, comm, sizeof(comm)) >= 0)
		json_object_set_new(o, "comm", scx_text(comm));
	return o;
}

/* The list's nodes are tasks, or iterators' places in it (SCX_DSQ_LNODE_ITER_CURSOR, bit 0). */
static void add_tasks(struct scx_dsqs *d, json_t *o, uint64_t va, int64_t nr)
{
	struct memory *m = &d->kernel->memory;
	uint64_t head = va + d->head.offset, node;
	json_t *tasks = json_array();
	bool broken = memory_u64(m, head, &node) != 0;
	size_t steps = 0, n = 0;
	uint32_t flags;

	while (!broken && node != head && n < SCX_MAX_DSQ_TASKS && d->n_tasks < SCX_MAX_TASKS) {
		broken = ++steps > 2 * SCX_MAX_DSQ_TASKS ||
			 memory_u32(m, node + d->node_flags.offset, &flags);
		if (!broken && !(flags & 1)) {
			json_array_append_new(tasks, task_json(d, node - d->node.offset));
			d->n_tasks++;
			n++;
		}
		broken = broken || memory_u64(m, node, &node);
	}
	json_object_set_new(o, "tasks", tasks);
	if (broken)
		json_object_set_new(o, "broken", json_true());
	else if (node != head && nr > (int64_t)n)
		json_object_set_new(o, "left_out", json_integer(nr - n));
}

int scx_dsqs_add(struct scx_dsqs *d, const char *type, const char *where, uint32_t number,
		 uint64_t va)
{
	int64_t nr, id = 0;
	json_t *o;

	if (json_array_size(d->list) >= SCX_MAX_DSQS) {
		d->full = true;
		return 0;
	}
	if (kernel_field_number(d->kernel, &d->nr, va, &nr) ||
	    (!where && kernel_field_number(d->kernel, &d->id, va, &id)))
		return -EFAULT;
	o = json_object();
	json_object_set_new(o, "type", json_string(type));
	json_object_set_new(o, where ? where : "id", where ? json_integer(number) : u64_json(id));
	json_object_set_new(o, "nr", json_integer(nr));
	add_tasks(d, o, va, nr);
	json_array_append_new(d->list, o);
	return 0;
}

struct found {
	int64_t id;
	uint64_t va;
};

struct founds {
	struct found *v;
	size_t n;
};

static int compare(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* One bucket: its lowest bit is a lock, and so is the last one's the mark of the end. */
static int read_bucket(struct scx_dsqs *d, uint64_t entry, struct founds *f)
{
	for (entry &= ~1ULL; entry && !(entry & 1);) {
		struct found *at = &f->v[f->n];

		if (f->n == SCX_MAX_DSQS) {
			d->full = true;
			return 0;
		}
		at->va = entry - d->hash_node.offset;
		if (kernel_field_number(d->kernel, &d->id, at->va, &at->id) ||
		    memory_u64(&d->kernel->memory, entry, &entry))
			return -EFAULT;
		f->n++;
	}
	return 0;
}

/* The struct bucket_table at @va. */
static int read_table(struct scx_dsqs *d, uint64_t va, struct founds *f)
{
	struct kernel *k = d->kernel;
	int64_t size, nest;
	struct field buckets;
	uint64_t bucket;
	int64_t i;
	int err;

	if (types_field(&k->types, "bucket_table", "buckets", &buckets))
		return -ENOENT;
	err = kernel_number(k, "bucket_table", "size", va, &size);
	if (!err)
		err = kernel_number(k, "bucket_table", "nest", va, &nest);
	if (err)
		return err;
	if (nest || size > BUCKETS_MAX)
		return -ENOTSUP;
	for (i = 0; i < size; i++) {
		if (memory_u64(&k->memory, va + buckets.offset + i * 8, &bucket) ||
		    read_bucket(d, bucket, f))
			return -EFAULT;
	}
	return 0;
}

int scx_dsqs_add_table(struct scx_dsqs *d, uint64_t va)
{
	_cleanup_free_ struct found *v = xcalloc(SCX_MAX_DSQS, sizeof(*v));
	struct founds f = {v};
	int64_t table;
	int err = 0;
	size_t i;

	if (!d->id.size || !d->hash_node.size)
		return -ENOENT;
	err = kernel_number(d->kernel, "rhashtable", "tbl", va, &table);

	for (i = 0; !err && table && i < TABLES_MAX; i++) {
		err = read_table(d, table, &f);
		if (kernel_number(d->kernel, "bucket_table", "future_tbl", table, &table))
			break;
	}
	qsort(f.v, f.n, sizeof(*f.v), compare);
	for (i = 0; i < f.n; i++) {
		if (scx_dsqs_add(d, "user", NULL, 0, f.v[i].va))
			return -EFAULT;
	}
	return err;
}
