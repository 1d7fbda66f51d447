// SPDX-License-Identifier: GPL-2.0
#include "walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "quantity.h"

#define SHARDS_MAX 1000000

int shard_parse(const char *text, struct shard *s)
{
	const char *slash = strchr(text, '/');
	_cleanup_free_ char *part = slash ? xstrndup(text, slash - text) : NULL;
	int64_t i, n;

	if (!slash || number_parse(slash + 1, 1, SHARDS_MAX, &n) || number_parse(part, 1, n, &i))
		return -EINVAL;
	*s = (struct shard){i, n};
	return 0;
}

/* FNV-1a (draft-eastlake-fnv), and MurmurHash3's finalizer to spread it over all bits. */
static uint64_t name_hash(const char *name)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001b3;
	h = (h ^ (h >> 33)) * 0xff51afd7ed558ccd;
	h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53;
	return h ^ (h >> 33);
}

bool shard_has(const struct shard *s, const char *name)
{
	return !s->of || name_hash(name) % s->of == s->part - 1;
}

struct visitor {
	struct walk *walk;
	void (*visit)(void *context, const struct variant *v);
	void *context;
	char *name;
	bool named; /* names decide */
};

static void variant_visit(struct visitor *to, const struct variant *v)
{
	struct walk *w = to->walk;

	if (to->named) {
		matrix_name(w->m, v, to->name);
		if (!matrix_wants(w->m, v, to->name))
			return;
	}
	w->selected++;
	if (to->named && !shard_has(w->shard, to->name))
		return;
	w->visited++;
	to->visit(to->context, v);
}

void variants_walk(struct walk *w, void (*visit)(void *context, const struct variant *v),
		   void *context)
{
	_cleanup_free_ char *name = xmalloc(matrix_name_size(w->m));
	struct visitor to = {w, visit, context, name, w->m->globs || w->shard->of};
	size_t reps = w->m->dims[DIM_REP].n, i;
	struct variant v = {0};

	w->selected = w->visited = 0;
	if (!w->picks) {
		do
			variant_visit(&to, &v);
		while (matrix_next(w->m, &v));
		return;
	}
	for (i = 0; i < w->picks->n; i++) {
		matrix_decode(w->m, w->picks->index[i], &v);
		for (v.at[DIM_REP] = 0; v.at[DIM_REP] < reps; v.at[DIM_REP]++)
			variant_visit(&to, &v);
	}
}
