// SPDX-License-Identifier: GPL-2.0
#include "checks.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"

/* 16.1 - 1.1 is 15.000000000000002 in doubles: no spread beyond 15. */
#define SPREAD_NOISE 1e-9

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

static struct subject worker_subject(const struct worker *w)
{
	return (struct subject){.cgroup = w->cgroup, .is_worker = true, .tid = w->tid};
}

static struct subject cgroup_subject(const struct cgroup *cg)
{
	return (struct subject){.cgroup = cg->index};
}

__attribute__((format(printf, 4, 5))) static void
unmeasured(struct result *r, const struct check *c, struct subject who, const char *fmt, ...)
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

static void judge_spread(const struct check *c, const struct cgroup *cg, double threshold,
			 struct result *r)
{
	struct subject who = cgroup_subject(cg);
	char spread[VALUE_TEXT];

	if (!isnan(cg->spread_pct))
		result_measured(r, c->fails, who, cg->spread_pct);
	if (cg->spread_pct > threshold + SPREAD_NOISE)
		result_add(r, VERDICT_FAIL, who, cg->spread_pct,
			   "unfair cgroup: spread=%s%% (%.0f-%.0f%%) %zu workers on %zu "
			   "cpus (threshold %.12g%%)",
			   value_text(spread, cg->spread_pct, threshold, c->fails, 0),
			   round(cg->off_min) + 0.0, round(cg->off_max) + 0.0, cg->workers,
			   cg->cpus, threshold);
	else if (cg->null_off)
		unmeasured(r, c, who, "%zu of %zu workers have no off_cpu_pct", cg->null_off,
			   cg->workers);
}

static void judge_starved(const struct check *c, const struct worker *w,
			  double threshold __attribute__((unused)), struct result *r)
{
	struct subject who = worker_subject(w);
	_cleanup_free_ char *name = NULL;

	if (w->work_units == BIND_NONE) {
		unmeasured(r, c, who, "no work_units");
		return;
	}
	result_measured(r, c->fails, who, w->work_units);
	if (w->work_units)
		return;
	name = subject_text(&who);
	result_add(r, VERDICT_FAIL, who, 0, "%s starved (0 work units)", name);
}

/* A number that may be unknown, for reports. */
static char *known_text(int64_t v)
{
	return v == BIND_NONE ? xstrdup("?") : xasprintf("%lld", (long long)v);
}

static void judge_gap(const struct check *c, const struct worker *w, double threshold,
		      struct result *r)
{
	struct subject who = worker_subject(w);
	_cleanup_free_ char *name = NULL, *cpu = NULL, *at = NULL;
	double gap_ms = w->max_gap_ns / 1e6;
	char gap[VALUE_TEXT];

	if (w->max_gap_ns == BIND_NONE) {
		unmeasured(r, c, who, "no max_gap_ns");
		return;
	}
	result_measured(r, c->fails, who, gap_ms);
	if (gap_ms <= threshold)
		return;
	name = subject_text(&who);
	cpu = known_text(w->max_gap_cpu);
	at = known_text(w->max_gap_at_ns == BIND_NONE ? BIND_NONE : w->max_gap_at_ns / 1000000);
	result_add(r, VERDICT_FAIL, who, gap_ms,
		   "%s stuck %sms on cpu%s at +%sms (threshold %.0fms)", name,
		   value_text(gap, gap_ms, threshold, c->fails, 0), cpu, at, threshold);
}

static void judge_isolation(const struct check *c, const struct worker *w,
			    double threshold __attribute__((unused)), struct result *r)
{
	struct subject who = worker_subject(w);
	_cleanup_free_ char *name = NULL, *times = NULL;

	if (!w->confined)
		return;
	if (w->isolation_violations != BIND_NONE)
		result_measured(r, c->fails, who, w->isolation_violations);
	if (!w->outside && w->isolation_violations == BIND_NONE)
		unmeasured(r, c, who, "no isolation_violations");
	if (!w->outside)
		return;
	name = subject_text(&who);
	times = known_text(w->isolation_violations);
	result_add(r, VERDICT_FAIL, who,
		   w->isolation_violations == BIND_NONE ? NAN : w->isolation_violations,
		   "%s left its cpuset at %s checkpoints: ran on cpus %s (cpuset %s)", name, times,
		   w->cpus_used ? w->cpus_used : "?", w->cpus_allowed ? w->cpus_allowed : "?");
}

static void judge_throughput_cv(const struct check *c, const struct cgroup *cg, double threshold,
				struct result *r)
{
	struct subject who = cgroup_subject(cg);
	char cv[VALUE_TEXT];

	if (cg->workers < 2)
		return;
	if (!isnan(cg->throughput_cv))
		result_measured(r, c->fails, who, cg->throughput_cv);
	if (cg->throughput_cv > threshold)
		result_add(
			r, VERDICT_FAIL, who, cg->throughput_cv,
			"cg%ld uneven: throughput_cv=%s %zu workers on %zu cpus (threshold %.12g)",
			who.cgroup, value_text(cv, cg->throughput_cv, threshold, c->fails, 2),
			cg->workers, cg->cpus, threshold);
	else if (cg->null_rates)
		unmeasured(r, c, who, "%zu of %zu workers have no work_units or cpu_ns",
			   cg->null_rates, cg->workers);
	else if (cg->rates < 2)
		unmeasured(r, c, who, "%zu of %zu workers have CPU time, expected two", cg->rates,
			   cg->workers);
	else if (isnan(cg->throughput_cv))
		unmeasured(r, c, who, "no worker did any work");
}

/* Common to the two rates per worker: "tid 7 slow: @what=0.40/@per (threshold 1/@per)". */
static void judge_rate(const struct check *c, const struct worker *w, double rate,
		       const char *null_why, const char *what, const char *per, double threshold,
		       struct result *r)
{
	struct subject who = worker_subject(w);
	_cleanup_free_ char *name = NULL;
	char text[VALUE_TEXT];

	if (isnan(rate)) {
		unmeasured(r, c, who, "%s", null_why);
		return;
	}
	result_measured(r, c->fails, who, rate);
	if (rate >= threshold)
		return;
	name = subject_text(&who);
	result_add(r, VERDICT_FAIL, who, rate, "%s slow: %s=%s/%s (threshold %.12g/%s)", name, what,
		   value_text(text, rate, threshold, c->fails, rate_decimals(rate)), per, threshold,
		   per);
}

static void judge_work_rate(const struct check *c, const struct worker *w, double threshold,
			    struct result *r)
{
	judge_rate(c, w, worker_rate(w), "no CPU time or work_units", "work_rate", "cpu-s",
		   threshold, r);
}

static void judge_iteration_rate(const struct check *c, const struct worker *w, double threshold,
				 struct result *r)
{
	double rate = NAN;

	if (w->wall_ns > 0 && w->iterations != BIND_NONE)
		rate = w->iterations / (w->wall_ns / 1e9);
	judge_rate(c, w, rate, "no wall_ns or iterations", "iteration_rate", "s", threshold, r);
}

static void judge_migration_ratio(const struct check *c, const struct cgroup *cg, double threshold,
				  struct result *r)
{
	struct subject who = cgroup_subject(cg);
	double ratio = (double)cg->migrations / cg->iterations;
	char text[VALUE_TEXT];

	if (cg->null_migrations || cg->null_iterations) {
		unmeasured(r, c, who, "a worker has no migrations or iterations");
		return;
	}
	if (!cg->iterations) {
		unmeasured(r, c, who, "no iterations");
		return;
	}
	result_measured(r, c->fails, who, ratio);
	if (ratio > threshold)
		result_add(r, VERDICT_FAIL, who, ratio,
			   "cg%ld unsettled: migration_ratio=%s %lld migrations in %lld "
			   "iterations (threshold %.12g)",
			   who.cgroup,
			   value_text(text, ratio, threshold, c->fails, rate_decimals(ratio)),
			   (long long)cg->migrations, (long long)cg->iterations, threshold);
}

static void judge_wake_p99(const struct check *c, const struct cgroup *cg, double threshold,
			   struct result *r)
{
	struct subject who = cgroup_subject(cg);

	if (cg->wake.count == BIND_NONE)
		return;
	if (!cg->wake.count || cg->wake.p99_ns == BIND_NONE) {
		unmeasured(r, c, who, "no wake-up was timed");
		return;
	}
	result_measured(r, c->fails, who, cg->wake.p99_ns);
	if (cg->wake.p99_ns > threshold)
		result_add(r, VERDICT_FAIL, who, cg->wake.p99_ns,
			   "cg%ld late: p99_wake_latency=%lldns over %lld wakes (threshold "
			   "%.0fns)",
			   who.cgroup, (long long)cg->wake.p99_ns, (long long)cg->wake.count,
			   threshold);
}

static void judge_wake_cv(const struct check *c, const struct cgroup *cg, double threshold,
			  struct result *r)
{
	struct subject who = cgroup_subject(cg);
	char text[VALUE_TEXT];

	if (cg->wake.count == BIND_NONE)
		return;
	if (!cg->wake.count || isnan(cg->wake.cv)) {
		unmeasured(r, c, who, "no wake-up was timed");
		return;
	}
	result_measured(r, c->fails, who, cg->wake.cv);
	if (cg->wake.cv > threshold)
		result_add(r, VERDICT_FAIL, who, cg->wake.cv,
			   "cg%ld erratic: wake_latency_cv=%s over %lld wakes (threshold "
			   "%.12g)",
			   who.cgroup,
			   value_text(text, cg->wake.cv, threshold, c->fails,
				      rate_decimals(cg->wake.cv)),
			   (long long)cg->wake.count, threshold);
}

/* In the order in which a report lists their findings. */
const struct check checks[CHECKS_N] = {
	{
		.name = "max-spread-pct",
		.arg = "P",
		.unit = "%",
		.help = "in one cgroup, max(off_cpu_pct) - min(off_cpu_pct) above P fails",
		.kind = VALUE_PERCENT,
		.fails = FAILS_ABOVE,
		.on = true,
		.with_starved = true,
		.threshold = 15,
		.relaxed = 35,
		.judge_cgroup = judge_spread,
	},
	{
		.name = "not-starved",
		.unit = "work units",
		.help = "a worker with no work units fails; off also turns the\n"
			"defaults of max-spread-pct and max-gap-ms off",
		.kind = VALUE_SWITCH,
		.fails = FAILS_ZERO,
		.on = true,
		.judge_worker = judge_starved,
	},
	{
		.name = "max-gap-ms",
		.arg = "N",
		.unit = "ms",
		.help = "a worker's longest gap above N fails",
		.kind = VALUE_WHOLE,
		.fails = FAILS_ABOVE,
		.on = true,
		.with_starved = true,
		.threshold = 2000,
		.relaxed = 3000,
		.judge_worker = judge_gap,
	},
	{
		.name = "isolation",
		.unit = "checkpoints",
		.help = "a worker that ran outside its cgroup's cpuset fails",
		.kind = VALUE_SWITCH,
		.fails = FAILS_ANY,
		.judge_worker = judge_isolation,
		.nothing = "no worker was confined to a cpuset",
	},
	{
		.name = "max-throughput-cv",
		.arg = "X",
		.unit = "-",
		.help = "variation of work_units / cpu_ns over a cgroup's workers\n"
			"above X fails",
		.kind = VALUE_REAL,
		.fails = FAILS_ABOVE,
		.judge_cgroup = judge_throughput_cv,
		.nothing = "no cgroup has two workers",
	},
	{
		.name = "min-work-rate",
		.arg = "X",
		.unit = "1/cpu-s",
		.help = "a worker's work units per CPU second below X fail",
		.kind = VALUE_REAL,
		.fails = FAILS_BELOW,
		.judge_worker = judge_work_rate,
	},
	{
		.name = "min-iteration-rate",
		.arg = "X",
		.unit = "1/s",
		.help = "a worker's iterations per wall second below X fail",
		.kind = VALUE_REAL,
		.fails = FAILS_BELOW,
		.judge_worker = judge_iteration_rate,
	},
	{
		.name = "max-migration-ratio",
		.arg = "X",
		.unit = "-",
		.help = "a cgroup's migrations per iteration above X fail",
		.kind = VALUE_REAL,
		.fails = FAILS_ABOVE,
		.judge_cgroup = judge_migration_ratio,
	},
	{
		.name = "max-p99-wake-latency-ns",
		.arg = "N",
		.unit = "ns",
		.help = "a cgroup's 99th percentile of wake latencies above N fails",
		.kind = VALUE_WHOLE,
		.fails = FAILS_ABOVE,
		.judge_cgroup = judge_wake_p99,
		.nothing = "no cgroup has wake latencies",
	},
	{
		.name = "max-wake-latency-cv",
		.arg = "X",
		.unit = "-",
		.help = "a cgroup's variation of wake latencies above X fails",
		.kind = VALUE_REAL,
		.fails = FAILS_ABOVE,
		.judge_cgroup = judge_wake_cv,
		.nothing = "no cgroup has wake latencies",
	},
	{
		.name = "max-imbalance-ratio",
		.arg = "X",
		.unit = "-",
		.help = "monitor: longest runqueue over shortest above X fails",
		.kind = VALUE_REAL,
		.input = CHECK_MONITOR,
		.fails = FAILS_ABOVE,
		.on = true,
		.threshold = 4,
	},
	{
		.name = "max-local-dsq-depth",
		.arg = "N",
		.unit = "tasks",
		.help = "monitor: a CPU's local dispatch queue above N fails",
		.kind = VALUE_WHOLE,
		.input = CHECK_MONITOR,
		.fails = FAILS_ABOVE,
		.on = true,
		.threshold = 50,
	},
	{
		.name = "fail-on-stall",
		.unit = "samples",
		.help = "monitor: a runqueue's clock that stands still fails",
		.kind = VALUE_SWITCH,
		.input = CHECK_MONITOR,
		.fails = FAILS_ANY,
		.on = true,
	},
	{
		.name = "max-fallback-rate",
		.arg = "X",
		.unit = "1/s",
		.help = "monitor: select_cpu_fallback events above X fail",
		.kind = VALUE_REAL,
		.input = CHECK_MONITOR,
		.fails = FAILS_ABOVE,
		.on = true,
		.threshold = 200,
	},
	{
		.name = "max-keep-last-rate",
		.arg = "X",
		.unit = "1/s",
		.help = "monitor: dispatch_keep_last events above X fail",
		.kind = VALUE_REAL,
		.input = CHECK_MONITOR,
		.fails = FAILS_ABOVE,
		.on = true,
		.threshold = 100,
	},
	{
		.name = "sustained-samples",
		.arg = "N",
		.unit = "samples",
		.help = "monitor: what does not last N samples in a row is no\n"
			"violation",
		.kind = VALUE_COUNT,
		.input = CHECK_PARAMETER,
		.fails = FAILS_NEVER,
		.on = true,
		.threshold = 5,
	},
};

void check_judge(const struct check *c, const struct stats *s, double threshold, struct result *r)
{
	struct subject run = {.cgroup = -1};
	size_t i;

	for (i = 0; c->judge_worker && i < s->n_workers; i++)
		c->judge_worker(c, &s->workers[i], threshold, r);
	for (i = 0; c->judge_cgroup && i < s->n_cgroups; i++) {
		if (s->cgroups[i].workers)
			c->judge_cgroup(c, &s->cgroups[i], threshold, r);
	}
	if (r->verdict == VERDICT_SKIP)
		unmeasured(r, c, run, "%s", c->nothing ? c->nothing : "no workers");
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

	for (i = 0; i < CHECKS_N; i++) {
		_cleanup_free_ char *key = check_key(&checks[i], separator);

		if (!strcmp(key, name))
			return &checks[i];
	}
	return NULL;
}
