// SPDX-License-Identifier: GPL-2.0
#include "trend.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "trend_state.h"

static const struct subject whole = {.cgroup = -1};

char *number_text(long double v)
{
	if (v == truncl(v) && fabsl(v) < 0x1p64L)
		return xasprintf("%.0Lf", v == 0 ? 0.0L : v);
	return xasprintf("%.15Lg", v);
}

char *ms_text(int64_t ns)
{
	char *text = xasprintf("%lld.%06lld", (long long)(ns / 1000000), (long long)(ns % 1000000));
	size_t n = strlen(text);

	while (text[n - 1] == '0')
		text[--n] = '\0';
	if (text[n - 1] == '.')
		text[--n] = '\0';
	return text;
}

char *sample_text(const struct sample *at)
{
	_cleanup_free_ char *ms = ms_text(at->since_ns);

	if (at->file)
		return xasprintf("sample %llu (%s) at +%sms", (unsigned long long)at->number,
				 at->file, ms);
	return xasprintf("sample %llu at +%sms", (unsigned long long)at->number, ms);
}

char *held_text(const struct trend *t)
{
	_cleanup_free_ char *at = NULL;

	if (!t->held.number)
		return xstrdup("");
	at = sample_text(&t->held);
	return xasprintf(", last held in %s", at);
}

char *field_text(const struct jsonpath *path, const struct field *v)
{
	_cleanup_free_ char *prefix = NULL;

	switch (v->kind) {
	case FIELD_MISSING:
		prefix = jsonpath_prefix(path, v->steps);
		return v->steps ? xasprintf("no such field (found %s)", prefix)
				: xstrdup("no such field");
	case FIELD_NULL:
		return xstrdup("null");
	case FIELD_TRUE:
		return xstrdup("true");
	case FIELD_FALSE:
		return xstrdup("false");
	case FIELD_NUMBER:
		return number_text(v->number);
	case FIELD_STRING:
		return xasprintf("\"%.*s\"", (int)(v->len < 60 ? v->len : 60), v->text);
	case FIELD_OBJECT:
		return xstrdup("an object");
	case FIELD_ARRAY:
		return xstrdup("an array");
	}
	return xstrdup("?");
}

bool trend_full(struct trend *t)
{
	if (t->result.counts[VERDICT_FAIL] < FINDINGS_MAX)
		return false;
	result_add(&t->result, VERDICT_FAIL, whole, NAN, "%s", "");
	return true;
}

static void note(struct trend *t, enum verdict v, long double value, const char *joint,
		 const char *fmt, va_list ap)
{
	_cleanup_free_ char *what = NULL;

	if (vasprintf(&what, fmt, ap) < 0)
		what = xstrdup("out of memory");
	result_add(&t->result, v, whole, value, "%s %s%s%s%s %s", t->type->name, t->field[0].text,
		   t->type->two_fields ? " / " : "", t->type->two_fields ? t->field[1].text : "",
		   joint, what);
}

void trend_fail(struct trend *t, long double value, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(t, VERDICT_FAIL, value, ":", fmt, ap);
	va_end(ap);
}

void trend_unmeasured(struct trend *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(t, VERDICT_INCONCLUSIVE, NAN, " not measured:", fmt, ap);
	va_end(ap);
}

static void trend_free(struct trend *t)
{
	jsonpath_free(&t->field[0]);
	jsonpath_free(&t->field[1]);
	free(t->text);
	free(t);
}

/* One of the fields at the start of *@text; moves it beyond the colon that follows. */
static int take_path(struct jsonpath *p, char **text, char **why)
{
	const char *end;
	int err = jsonpath_parse(*text, p, &end, why);

	if (!err)
		*text = (char *)end + (*end == ':');
	return err;
}

int trends_add(struct trends *ts, const struct trend_type *type, const char *text, char **why)
{
	struct trend *t = xcalloc(1, sizeof(*t));
	const char *wrong;
	char *rest;
	int err;

	t->type = type;
	t->text = xstrdup(text);
	t->low = -INFINITY;
	t->high = INFINITY;
	rest = t->text;
	err = take_path(&t->field[0], &rest, why);
	if (!err && type->two_fields)
		err = take_path(&t->field[1], &rest, why);
	if (!err) {
		wrong = type->parse(t, rest);
		if (wrong) {
			*why = xasprintf("expected %s (%s), found '%s'", type->arg, wrong, text);
			err = -EINVAL;
		}
	}
	if (err)
		trend_free(t);
	else
		ptrlist_add(&ts->v, &ts->n, t);
	return err;
}

void trends_free(struct trends *ts)
{
	size_t i;

	for (i = 0; i < ts->n; i++)
		trend_free(ts->v[i]);
	free(ts->v);
	memset(ts, 0, sizeof(*ts));
}

/* All patterns over one series. */
struct watch {
	struct trend *trends; /* copies, with the state of this series */
	size_t n;
	const struct jsonpath **paths; /* each once */
	size_t n_paths;
	struct trend_report *report;
};

static size_t path_position(struct watch *w, const struct jsonpath *p)
{
	size_t i;

	for (i = 0; i < w->n_paths; i++) {
		if (!strcmp(w->paths[i]->text, p->text))
			return i;
	}
	ptrlist_add(&w->paths, &w->n_paths, p);
	return i;
}

static void watch_open(struct watch *w, const struct trends *ts)
{
	size_t i;

	w->n = ts->n;
	w->trends = xcalloc(ts->n, sizeof(*w->trends));
	for (i = 0; i < ts->n; i++) {
		struct trend *t = &w->trends[i];

		*t = *ts->v[i];
		result_init(&t->result);
		t->path[0] = path_position(w, &t->field[0]);
		if (t->type->two_fields)
			t->path[1] = path_position(w, &t->field[1]);
	}
}

/* A sample in which the field @i of the pattern cannot be used. */
static void take_gap(struct trend *t, size_t i, const struct field *v)
{
	_cleanup_free_ char *what = NULL, *at = NULL, *held = NULL;

	t->streak = 0;
	if (t->type->needs_field && trend_full(t))
		return;
	if (!t->type->needs_field && t->gaps++)
		return;
	what = field_text(&t->field[i], v);
	at = sample_text(&t->now);
	if (t->type->needs_field) {
		held = held_text(t);
		trend_fail(t, NAN, "%s in %s%s", what, at, held);
	} else if (t->type->two_fields) {
		t->first_gap = xasprintf("%s in %s: %s", t->field[i].text, at, what);
	} else {
		t->first_gap = xasprintf("%s: %s", at, what);
	}
}

static bool usable(const struct trend *t, const struct field *v)
{
	return t->type->any_kind ? v->kind != FIELD_MISSING : v->kind == FIELD_NUMBER;
}

static void trend_take(struct trend *t, const struct sample *at, const struct field *found)
{
	const struct field *v = &found[t->path[0]];
	const struct field *second = t->type->two_fields ? &found[t->path[1]] : NULL;

	t->now = *at;
	if (!usable(t, v)) {
		take_gap(t, 0, v);
		return;
	}
	if (second && !usable(t, second)) {
		take_gap(t, 1, second);
		return;
	}
	t->second = second ? second->number : 0;
	t->type->take(t, at, v);
	t->last = (struct point){v->number, *at};
	if (!t->samples++)
		t->first = t->last;
}

static void take_sample(void *ctx, const struct sample *at, const struct field *found)
{
	struct watch *w = ctx;
	size_t i;

	w->report->samples = at->number;
	w->report->duration_ns = at->since_ns;
	for (i = 0; i < w->n; i++)
		trend_take(&w->trends[i], at, found);
}

static void trend_end(struct trend *t)
{
	if (t->samples >= t->type->enough && t->type->end)
		t->type->end(t);
	else if (t->samples < t->type->enough && t->result.verdict != VERDICT_FAIL)
		trend_unmeasured(t, "%zu samples with the field (expected at least %zu)%s%s",
				 t->samples, t->type->enough,
				 t->first_gap ? ", the first without: " : "",
				 t->first_gap ? t->first_gap : "");
	if (t->result.verdict == VERDICT_SKIP)
		t->result.verdict = VERDICT_PASS;
}

static void watch_close(struct watch *w)
{
	struct trend_report *report = w->report;
	size_t i;

	report->n = w->n;
	report->results = xcalloc(w->n, sizeof(*report->results));
	for (i = 0; i < w->n; i++) {
		struct trend *t = &w->trends[i];

		report->results[i] = (struct trend_result){
			.type = t->type,
			.text = t->text,
			.result = t->result,
			.samples = t->samples,
			.gaps = t->gaps,
			.first_gap = t->first_gap,
		};
	}
	free(w->trends);
	free(w->paths);
}

int trends_judge(const struct trends *ts, char *const *operands, size_t n,
		 struct trend_report *report, char **message)
{
	struct watch w = {.report = report};
	struct series_input *series;
	int err = series_open(operands, n, &series, message);
	size_t i;

	memset(report, 0, sizeof(*report));
	watch_open(&w, ts);
	if (!err)
		err = series_read(series, w.paths, w.n_paths, take_sample, &w, message);
	for (i = 0; !err && i < w.n; i++)
		trend_end(&w.trends[i]);
	report->files = series_files(series);
	watch_close(&w);
	series_close(series);
	return err;
}

void trends_lack(const struct trends *ts, const char *why, struct trend_report *report)
{
	struct watch w = {.report = report};
	size_t i;

	memset(report, 0, sizeof(*report));
	watch_open(&w, ts);
	for (i = 0; i < w.n; i++)
		trend_unmeasured(&w.trends[i], "%s", why);
	watch_close(&w);
}

void trend_report_free(struct trend_report *report)
{
	size_t i;

	for (i = 0; i < report->n; i++) {
		result_free(&report->results[i].result);
		free(report->results[i].first_gap);
	}
	free(report->results);
	memset(report, 0, sizeof(*report));
}

enum verdict trend_report_verdict(const struct trend_report *report)
{
	enum verdict v = VERDICT_SKIP;
	size_t i;

	for (i = 0; i < report->n; i++) {
		if (report->results[i].result.verdict > v)
			v = report->results[i].result.verdict;
	}
	return v;
}
