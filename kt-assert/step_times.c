// SPDX-License-Identifier: GPL-2.0
#include "step_times.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"

static void step_begins(struct step_times *t, const char *name, int64_t t_ns)
{
	if (t->n == t->max) {
		t->max = t->max ? 2 * t->max : 8;
		t->v = xrealloc(t->v, t->max * sizeof(*t->v));
	}
	t->v[t->n++] = (struct step_time){xstrdup(name), t_ns, INT64_MAX};
}

static void take_event(struct step_times *t, const char *line)
{
	json_auto_t *event = json_loads(line, 0, NULL);
	const char *what = json_string_value(json_object_get(event, "event"));
	const char *step = json_string_value(json_object_get(event, "step"));
	const json_t *t_ns = json_object_get(event, "t_ns");

	if (!what || !step || !json_is_integer(t_ns))
		return;
	if (!strcmp(what, "step-start"))
		step_begins(t, step, json_integer_value(t_ns));
	else if (!strcmp(what, "step-end") && t->n && !strcmp(t->v[t->n - 1].name, step))
		t->v[t->n - 1].to_ns = json_integer_value(t_ns);
}

void step_times_read(const char *dir, struct step_times *t)
{
	_cleanup_free_ char *path = xasprintf("%s/events.jsonl", dir);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	*t = (struct step_times){NULL};
	while (f && getline(&line, &size, f) >= 0)
		take_event(t, line);
}

void step_times_free(struct step_times *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		free(t->v[i].name);
	free(t->v);
	*t = (struct step_times){NULL};
}
