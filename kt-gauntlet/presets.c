// SPDX-License-Identifier: GPL-2.0
#include "presets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "exits.h"
#include "options.h"

/* From the smallest machine with a cache boundary to the largest that schedulers are used on. */
static const struct {
	const char *name, *topology;
} table[] = {
	/* clang-format off */
	{"tiny-1llc", "1n1l4c1t"},
	{"tiny-2llc", "1n2l2c1t"},
	{"odd-3llc", "1n3l3c1t"},
	{"odd-5llc", "1n5l3c1t"},
	{"odd-7llc", "1n7l2c1t"},
	{"smt-2llc", "1n2l2c2t"},
	{"smt-3llc", "1n3l2c2t"},
	{"medium-4llc", "1n4l4c2t"},
	{"medium-8llc", "1n8l4c2t"},
	{"large-4llc", "1n4l16c2t"},
	{"large-8llc", "1n8l8c2t"},
	{"near-max-llc", "1n15l8c2t"},
	{"max-cpu", "1n14l9c2t"},
	{"medium-4llc-nosmt", "1n4l8c1t"},
	{"medium-8llc-nosmt", "1n8l8c1t"},
	{"large-4llc-nosmt", "1n4l32c1t"},
	{"large-8llc-nosmt", "1n8l16c1t"},
	{"near-max-llc-nosmt", "1n15l16c1t"},
	{"max-cpu-nosmt", "1n14l18c1t"},
	{"numa2-4llc", "2n4l4c1t"},
	{"numa2-8llc", "2n8l8c2t"},
	{"numa2-8llc-nosmt", "2n8l16c1t"},
	{"numa4-8llc", "4n8l4c1t"},
	{"numa4-12llc", "4n12l8c2t"},
	/* clang-format on */
};

static void row_append(struct presets *all, const char *name, const struct topology *t, bool named)
{
	all->rows = xrealloc(all->rows, (all->n + 1) * sizeof(*all->rows));
	all->rows[all->n++] = (struct preset){.name = name, .topology = *t, .named = named};
}

void presets_init(struct presets *all)
{
	struct topology t;
	const char *why;
	size_t i;

	*all = (struct presets){0};
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		if (topology_parse(table[i].topology, &t, &why))
			die(EXIT_INTERNAL, "preset %s: %s", table[i].name, why);
		row_append(all, table[i].name, &t, false);
	}
}

void presets_free(struct presets *all)
{
	free(all->rows);
	*all = (struct presets){0};
}

static struct preset *row_find(struct presets *all, const char *name)
{
	size_t i;

	for (i = 0; i < all->n; i++) {
		if (!strcmp(all->rows[i].name, name))
			return &all->rows[i];
	}
	return NULL;
}

int presets_name(struct presets *all, const char *name, const char **near)
{
	_cleanup_free_ const char **names = NULL;
	struct preset *row = row_find(all, name);
	size_t n = 0, i;

	if (row) {
		row->named = true;
		return 0;
	}
	for (i = 0; i < all->n; i++)
		ptrlist_add(&names, &n, all->rows[i].name);
	*near = nearest_name(name, names);
	return -ENOENT;
}

void presets_keep_named(struct presets *all)
{
	size_t kept = 0, i;

	for (i = 0; i < all->n; i++) {
		if (all->rows[i].named)
			all->rows[kept++] = all->rows[i];
	}
	if (kept)
		all->n = kept;
}

int presets_add(struct presets *all, const char *text, const char **why)
{
	struct topology t;

	if (topology_parse(text, &t, why))
		return -EINVAL;
	if (row_find(all, text))
		return -EEXIST;
	row_append(all, text, &t, true);
	return 0;
}
