// SPDX-License-Identifier: GPL-2.0
#include "snapshot_paths.h"

#include <string.h>

#include "cleanup.h"
#include "diag.h"

static void add(struct jsonpath *way, const struct jsonpath_step *s)
{
	struct jsonpath_step *copy = &way->steps[way->n_steps++];

	*copy = *s;
	copy->name = s->name ? xstrdup(s->name) : NULL;
	copy->value = s->value ? xstrdup(s->value) : NULL;
}

static void add_name(struct jsonpath *way, const char *name)
{
	add(way, &(struct jsonpath_step){.kind = JSONPATH_NAME, .name = (char *)name});
}

/* The entry of key @s->index, by its position's number. */
static void add_key(struct jsonpath *way, const struct jsonpath_step *s)
{
	_cleanup_free_ char *number = xasprintf("%zu", s->index);

	add(way, &(struct jsonpath_step){.kind = JSONPATH_KEY,
					 .name = "key",
					 .value = number,
					 .is_number = true,
					 .number = s->index});
}

/* A way with room for all steps of @p and two more. */
static void begin(struct jsonpath *way, const struct jsonpath *p)
{
	*way = (struct jsonpath){.text = xstrdup(p->text),
				 .steps = xcalloc(p->n_steps + 2, sizeof(*way->steps))};
}

static bool starts_with(const struct jsonpath *p, const char *name)
{
	return p->steps[0].kind == JSONPATH_NAME && !strcmp(p->steps[0].name, name);
}

size_t snapshot_paths(const struct jsonpath *p, struct jsonpath ways[SNAPSHOT_PATHS_MAX])
{
	struct jsonpath *way = ways;
	size_t rest = 0, i;

	if (starts_with(p, "var") && p->n_steps > 1) {
		begin(way, p);
		add_name(way, "map");
		add(way, &(struct jsonpath_step){.kind = JSONPATH_ANY});
		add_name(way, "vars");
		rest = 1;
	} else if (starts_with(p, "map") && p->n_steps > 2) {
		begin(way, p);
		add(way, &p->steps[0]);
		add(way, &p->steps[1]);
		add_name(way, p->steps[2].kind == JSONPATH_NAME ? "vars" : "entries");
		rest = 2;
		if (p->steps[2].kind == JSONPATH_INDEX)
			add_key(way, &p->steps[rest++]);
	}
	for (i = rest; rest && i < p->n_steps; i++)
		add(way, &p->steps[i]);
	way += rest > 0;
	begin(way, p);
	for (i = 0; i < p->n_steps; i++)
		add(way, &p->steps[i]);
	return way - ways + 1;
}
