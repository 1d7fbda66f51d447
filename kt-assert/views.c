// SPDX-License-Identifier: GPL-2.0
#include "views.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "options.h"
#include "step_times.h"
#include "text.h"

/* "its steps are warmup, load", or "it has no steps". */
static char *known_steps(const struct stats *s)
{
	char *text = NULL;
	FILE *f = text_stream(&text);
	size_t i;

	for (i = 0; i < s->step_names.n; i++)
		fprintf(f, "%s%s", i ? ", " : "its steps are ", s->step_names.v[i]);
	if (!s->step_names.n)
		fputs("it has no steps", f);
	fclose(f);
	return text;
}

static int step_missing(struct judgement *j, char **message)
{
	_cleanup_free_ char *known = known_steps(&j->stats);
	const char *const *names = (const char *const *)j->stats.step_names.v;
	const char *step = j->options->step;
	const char *near = names ? nearest_name(step, names) : NULL;

	if (strcmp(j->stats.exit, "completed") || !run_ended_well(&j->run)) {
		result_add(&j->completed, VERDICT_INCONCLUSIVE, (struct subject){.cgroup = -1}, NAN,
			   "step '%s' was not reached: %s", step, known);
		return 0;
	}
	if (near)
		*message = xasprintf("%s: unknown step '%s': did you mean '%s'? (%s)", j->source,
				     step, near, known);
	else
		*message = xasprintf("%s: unknown step '%s': %s", j->source, step, known);
	return -ESRCH;
}

static bool name_is_common(const struct stats *s, const char *name)
{
	size_t n = 0, i;

	for (i = 0; i < s->n_steps; i++)
		n += !strcmp(s->steps[i].step, name);
	return n > 1;
}

static void view_of_step(struct judgement *j, size_t i)
{
	const struct measured *m = &j->stats.steps[i];
	struct view *v = &j->views[i];

	v->of = m;
	if (name_is_common(&j->stats, m->step))
		v->suffix = xasprintf(" in step %s (number %zu)", m->step, m->position);
	else if (j->n_views > 1)
		v->suffix = xasprintf(" in step %s", m->step);
	v->scope = (struct scope){.step = m->step, .suffix = v->suffix};
}

static bool view_time(struct monitor *m, const struct step_times *times, const struct measured *of)
{
	const struct step_time *t = of->position <= times->n ? &times->v[of->position - 1] : NULL;

	if (!t || strcmp(t->name, of->step))
		return false;
	m->from_ns = t->from_ns;
	m->to_ns = t->to_ns;
	return true;
}

static void find_times(struct judgement *j)
{
	_cleanup_(step_times_free) struct step_times times = {NULL};
	size_t i;

	if (j->run.dir)
		step_times_read(j->run.dir, &times);
	j->timed = true;
	for (i = 0; i < j->n_views; i++)
		j->timed &= view_time(&j->monitors[i], &times, j->views[i].of);
}

int views_make(struct judgement *j, char **message)
{
	const char *step = j->options->step;
	bool by_step = step && j->has_stats && (j->stats.n_steps || strcmp(step, STEP_EACH));
	size_t i;

	j->n_views = by_step ? j->stats.n_steps : 1;
	j->views = xcalloc(j->n_views + 1, sizeof(*j->views));
	j->monitors = xcalloc(j->n_views + 1, sizeof(*j->monitors));
	if (by_step && !j->n_views)
		return step_missing(j, message);
	for (i = 0; by_step && i < j->n_views; i++)
		view_of_step(j, i);
	if (!by_step) {
		j->views[0].of = j->has_stats ? &j->stats.run : NULL;
		j->monitors[0].to_ns = INT64_MAX;
		j->timed = true;
	}
	for (i = 0; i < j->n_views; i++)
		j->monitors[i].scope = j->views[i].scope;
	if (by_step)
		find_times(j);
	return 0;
}

void views_free(struct judgement *j)
{
	size_t i;

	for (i = 0; i < j->n_views; i++)
		free(j->views[i].suffix);
	free(j->views);
	free(j->monitors);
	j->views = NULL;
	j->monitors = NULL;
	j->n_views = 0;
}
