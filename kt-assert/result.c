// SPDX-License-Identifier: GPL-2.0
#include "result.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bind.h"
#include "cleanup.h"
#include "diag.h"

const char *verdict_name(enum verdict v)
{
	static const char *const names[] = {
		[VERDICT_SKIP] = "skip",
		[VERDICT_PASS] = "pass",
		[VERDICT_INCONCLUSIVE] = "inconclusive",
		[VERDICT_FAIL] = "fail",
	};

	return names[v];
}

char *subject_text(const struct subject *who)
{
	if (who->is_worker && who->tid == BIND_NONE)
		return xstrdup("tid ?");
	if (who->is_worker)
		return xasprintf("tid %lld", (long long)who->tid);
	if (who->cgroup >= 0)
		return xasprintf("cg%ld", who->cgroup);
	if (who->is_cpu)
		return xasprintf("cpu%zu", who->cpu);
	return xstrdup("run");
}

void result_init(struct result *r)
{
	memset(r, 0, sizeof(*r));
	r->value = NAN;
	r->who.cgroup = -1;
}

void result_free(struct result *r)
{
	size_t i;

	for (i = 0; i < r->n_findings; i++)
		free(r->findings[i].text);
	free(r->findings);
	result_init(r);
}

static bool is_worse(enum direction fails, double value, double than)
{
	return fails == FAILS_BELOW || fails == FAILS_ZERO ? value < than : value > than;
}

void result_measured(struct result *r, enum direction fails, struct subject who, double value)
{
	r->judged = true;
	if (r->verdict < VERDICT_PASS)
		r->verdict = VERDICT_PASS;
	if (!isnan(r->value) && !is_worse(fails, value, r->value))
		return;
	r->value = value;
	r->who = who;
	r->step = r->scope.step;
}

size_t result_omitted(const struct result *r, enum verdict v)
{
	return r->counts[v] > FINDINGS_MAX ? r->counts[v] - FINDINGS_MAX : 0;
}

void result_add(struct result *r, enum verdict v, struct subject who, double value, const char *fmt,
		...)
{
	_cleanup_free_ char *line = NULL;
	struct finding *f;
	va_list ap;

	r->judged = true;
	if (r->verdict < v)
		r->verdict = v;
	if (r->counts[v]++ >= FINDINGS_MAX)
		return;
	if (r->n_findings == r->max_findings) {
		r->max_findings = r->max_findings ? 2 * r->max_findings : 4;
		r->findings = xrealloc(r->findings, r->max_findings * sizeof(*r->findings));
	}
	f = &r->findings[r->n_findings++];
	f->verdict = v;
	f->who = who;
	f->value = value;
	f->step = r->scope.step;
	va_start(ap, fmt);
	if (vasprintf(&line, fmt, ap) < 0)
		line = xstrdup("out of memory");
	va_end(ap);
	f->text = r->scope.suffix ? xasprintf("%s%s", line, r->scope.suffix) : take_ptr(line);
}
