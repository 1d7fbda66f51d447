// SPDX-License-Identifier: GPL-2.0
#include "checks.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_functions.h"
#include "cleanup.h"
#include "diag.h"

const char *value_text(char text[VALUE_TEXT], double value, double threshold, enum direction fails,
		       int decimals)
{
	int max = decimals + 9;

	for (; decimals < max; decimals++) {
		double shown;

		snprintf(text, VALUE_TEXT, "%.*f", decimals, value);
		shown = strtod(text, NULL);
		if (fails == FAILS_ABOVE ? shown > threshold : shown < threshold)
			return text;
	}
	snprintf(text, VALUE_TEXT, "%.17g", value);
	return text;
}

int rate_decimals(double value)
{
	if (value >= 100)
		return 0;
	if (value >= 0.1 || value < 1e-9)
		return 2;
	return 1 - (int)floor(log10(value));
}

void check_unmeasured(struct result *r, const struct check *c, struct subject who, const char *fmt,
		      ...)
{
	_cleanup_free_ char *name = subject_text(&who);
	_cleanup_free_ char *why = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&why, fmt, ap) < 0)
		why = xstrdup("out of memory");
	va_end(ap);
	result_add(r, VERDICT_INCONCLUSIVE, who, NAN, "%s: %s not measured: %s", name, c->name,
		   why);
}

static const struct subject whole_run = {.cgroup = -1};

bool check_judge(const struct check *c, const struct measured *m, double threshold,
		 struct result *r)
{
	size_t i;

	if (c->judge_worker && !m->has_workers) {
		check_unmeasured(r, c, whole_run, "the stats have no workers of step '%s'",
				 m->step);
		return true;
	}
	r->judged = false;
	for (i = 0; c->judge_worker && i < m->n_workers; i++)
		c->judge_worker(c, &m->workers[i], threshold, r);
	for (i = 0; c->judge_cgroup && i < m->n_cgroups; i++) {
		if (m->cgroups[i].workers)
			c->judge_cgroup(c, &m->cgroups[i], threshold, r);
	}
	return r->judged;
}

void check_nothing(const struct check *c, struct result *r)
{
	check_unmeasured(r, c, whole_run, "%s", c->nothing ? c->nothing : "no workers");
}

const char *direction_name(enum direction d)
{
	static const char *const names[] = {
		[FAILS_ABOVE] = "above", [FAILS_BELOW] = "below", [FAILS_ZERO] = "zero",
		[FAILS_ANY] = "any",	 [FAILS_NEVER] = "-",
	};

	return names[d];
}

char *check_key(const struct check *c, char separator)
{
	char *key = xstrdup(c->name), *p;

	for (p = key; *p; p++) {
		if (*p == '-')
			*p = separator;
	}
	return key;
}

const struct check *check_find(const char *name, char separator)
{
	size_t i;

	for (i = 0; i < checks_n; i++) {
		_cleanup_free_ char *key = check_key(&checks[i], separator);

		if (!strcmp(key, name))
			return &checks[i];
	}
	return NULL;
}

int check_name_width(void)
{
	size_t width = 0, i;

	for (i = 0; i < checks_n; i++) {
		if (strlen(checks[i].name) > width)
			width = strlen(checks[i].name);
	}
	return width;
}
