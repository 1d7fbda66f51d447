// SPDX-License-Identifier: GPL-2.0
/* The table of work types, their parameters' grammar, and the loops that families share. */
#include "work.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "names.h"
#include "options.h"
#include "quantity.h"

static const struct work_type *const families[] = {
	work_cpu_types,	   work_core_types,	work_burst_types,    work_cache_types,
	work_wakeup_types, work_ring_types,	work_fan_types,	     work_epoll_types,
	work_timer_types,  work_net_types,	work_task_types,     work_affinity_types,
	work_cgroup_types, work_memory_types,	work_lock_types,     work_signal_types,
	work_io_types,	   work_sequence_types, work_schbench_types, work_taobench_types,
	work_exec_types,
};

#define CHECK_NS 20000

const struct work_type *work_type_at(size_t i)
{
	size_t f;

	for (f = 0; f < ARRAY_SIZE(families); f++) {
		const struct work_type *t;

		for (t = families[f]; t->name; t++) {
			if (!i--)
				return t;
		}
	}
	return NULL;
}

static const struct work_type *work_type_find(const char *name, char **why)
{
	_cleanup_free_ const char **names = NULL;
	const struct work_type *t;
	size_t n = 0, i;

	for (i = 0; (t = work_type_at(i)); i++) {
		if (!strcmp(t->name, name))
			return t;
		ptrlist_add(&names, &n, t->name);
	}
	*why = unknown_name("work type", name, names);
	return NULL;
}

static int value_parse(const struct work_param *p, const char *text, uint64_t *value)
{
	int64_t count;
	int ret;

	switch (p->kind) {
	case PARAM_DURATION:
		ret = duration_parse(text, value);
		break;
	case PARAM_SIZE:
		ret = size_parse(text, value);
		break;
	case PARAM_CHOICE:
		for (*value = 0; p->choices[*value]; ++*value) {
			if (!strcmp(p->choices[*value], text))
				return 0;
		}
		return -EINVAL;
	default:
		ret = number_parse(text, 0, INT64_MAX, &count);
		*value = count;
	}
	if (ret)
		return ret;
	return *value < p->min || *value > p->max ? -ERANGE : 0;
}

char *work_param_format(const struct work_param *p, uint64_t value)
{
	static const struct {
		const char *suffix;
		uint64_t factor;
	} units[][3] = {
		[PARAM_COUNT] = {{"", 1}, {"", 1}, {"", 1}},
		[PARAM_DURATION] = {{"s", NSEC_PER_SEC}, {"ms", NSEC_PER_MSEC}, {"us", 1000}},
		[PARAM_SIZE] = {{"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}},
	};
	size_t i;

	if (p->kind == PARAM_CHOICE)
		return xstrdup(p->choices[value]);
	for (i = 0; i < 3; i++) {
		if (value && value % units[p->kind][i].factor == 0)
			return xasprintf("%" PRIu64 "%s", value / units[p->kind][i].factor,
					 units[p->kind][i].suffix);
	}
	return xasprintf("%" PRIu64 "%s", value, p->kind == PARAM_DURATION ? "ns" : "");
}

/* "a, b or c" */
static char *choices_expected(const char *const *choices)
{
	char *text = xstrdup(choices[0]);
	size_t i;

	for (i = 1; choices[i]; i++) {
		_cleanup_free_ char *before = text;

		text = xasprintf("%s%s%s", before, choices[i + 1] ? ", " : " or ", choices[i]);
	}
	return text;
}

char *work_param_expected(const struct work_param *p)
{
	static const char *const what[] = {
		[PARAM_COUNT] = "a number",
		[PARAM_DURATION] = "a duration",
		[PARAM_SIZE] = "a size",
	};
	_cleanup_free_ char *min = NULL, *max = NULL;

	if (p->kind == PARAM_CHOICE)
		return choices_expected(p->choices);
	min = work_param_format(p, p->min);
	max = work_param_format(p, p->max);
	return xasprintf("%s from %s to %s", what[p->kind], min, max);
}

static int param_find(const struct work_type *t, const char *name, char **why)
{
	const char *names[WORK_PARAMS_MAX + 1] = {};
	_cleanup_free_ char *what = NULL;
	int i;

	for (i = 0; i < WORK_PARAMS_MAX && t->params[i].name; i++) {
		if (!strcmp(t->params[i].name, name))
			return i;
		names[i] = t->params[i].name;
	}
	if (!names[0]) {
		*why = xasprintf("work type '%s' takes no parameters, but got '%s'", t->name, name);
		return -EINVAL;
	}
	what = xasprintf("%s parameter", t->name);
	*why = unknown_name(what, name, names);
	return -EINVAL;
}

/* One "k=v"; @given has a bit for each parameter that was there before. */
static int param_parse(struct work_spec *spec, char *word, unsigned int *given, char **why)
{
	char *equals = strchr(word, '=');
	const struct work_param *p;
	uint64_t value;
	int i;

	if (equals)
		*equals = '\0';
	i = param_find(spec->type, word, why);
	if (i < 0)
		return i;
	p = &spec->type->params[i];
	if (*given & 1U << i && !spec->type->ordered) {
		*why = xasprintf("%s parameter '%s' is given twice", spec->type->name, p->name);
		return -EINVAL;
	}
	*given |= 1U << i;
	if (!equals || value_parse(p, equals + 1, &value)) {
		_cleanup_free_ char *expected = work_param_expected(p);

		*why = xasprintf("%s parameter %s='%s': expected %s", spec->type->name, p->name,
				 equals ? equals + 1 : "", expected);
		return -EINVAL;
	}
	spec->values[i] = value;
	if (!spec->type->ordered)
		return 0;
	if (spec->n_phases == WORK_PHASES_MAX) {
		*why = xasprintf("%s: expected at most %d phases", spec->type->name,
				 WORK_PHASES_MAX);
		return -EINVAL;
	}
	spec->phases[spec->n_phases++] = (struct work_phase){.param = i, .value = value};
	return 0;
}

int work_spec_parse(const char *text, struct work_spec *spec, char **why)
{
	_cleanup_free_ char *copy = xstrdup(text);
	char *params = strchr(copy, ':'), *word;
	unsigned int given = 0;
	int i, ret;

	*spec = (struct work_spec){};
	if (params)
		*params++ = '\0';
	spec->type = work_type_find(copy, why);
	if (!spec->type)
		return -EINVAL;
	for (i = 0; i < WORK_PARAMS_MAX; i++)
		spec->values[i] = spec->type->params[i].preset;
	while (!spec->type->command && params && (word = strsep(&params, ","))) {
		ret = param_parse(spec, word, &given, why);
		if (ret)
			return ret;
	}
	if (spec->type->ordered && !spec->n_phases) {
		*why = xasprintf("%s: expected phases, for example "
				 "sequence:spin=100ms,yield=20ms",
				 spec->type->name);
		return -EINVAL;
	}
	spec->group = spec->type->group > 1 ? spec->type->group : 1;
	spec->shared_size = spec->type->shared_size;
	spec->fds = spec->type->fds;
	spec->text = xstrdup(text);
	if (spec->type->complete) {
		ret = spec->type->complete(spec, why);
		if (ret)
			return ret;
	}
	return 0;
}

void work_spec_free(struct work_spec *spec)
{
	free(spec->text);
	*spec = (struct work_spec){};
}

uint64_t work_calibrate(void)
{
	uint64_t best = UINT64_MAX, units = 32;
	int i;

	/* The shortest of several: what is longer was interrupted or ran cold. */
	for (i = 0; i < 16; i++) {
		uint64_t begin = clock_now(), ns;

		work_spin(units);
		ns = clock_now() - begin;
		if (ns < best)
			best = ns;
	}
	units = best ? CHECK_NS * units / best : 1024;
	return units < 1 ? 1 : units > 1024 ? 1024 : units;
}

bool work_spin_checked(struct worker *w, uint64_t units)
{
	bool more = true;

	while (units && more) {
		uint64_t n = units < w->units_per_check ? units : w->units_per_check;

		work_spin(n);
		units -= n;
		more = worker_checkpoint(w, n);
	}
	return more;
}

bool work_spin_turns_open(struct worker *w, uint64_t turns)
{
	uint64_t most = w->units_per_check * WORK_SPIN_TURNS;

	for (; turns > most; turns -= most) {
		work_spin_turns(most);
		if (!worker_checkpoint(w, 0))
			return false;
	}
	work_spin_turns(turns);
	return true;
}

bool work_spin_turns_checked(struct worker *w, uint64_t turns)
{
	return work_spin_turns_open(w, turns) && worker_checkpoint(w, 0);
}
