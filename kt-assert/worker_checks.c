// SPDX-License-Identifier: GPL-2.0
/* The checks of what workers did, by worker and by cgroup. */
#include <math.h>
#include <stdlib.h>

#include "check_functions.h"
#include "cleanup.h"
#include "diag.h"

/* 16.1 - 1.1 is 15.000000000000002 in doubles: no spread beyond 15. */
#define SPREAD_NOISE 1e-9

static struct subject worker_subject(const struct worker *w)
{
	return (struct subject){.cgroup = w->cgroup, .is_worker = true, .tid = w->tid};
}

struct subject cgroup_subject(const struct cgroup *cg)
{
	return (struct subject){.cgroup = cg->index};
}

void judge_spread(const struct check *c, const struct cgroup *cg, double threshold,
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
		check_unmeasured(r, c, who, "%zu of %zu workers have no off_cpu_pct", cg->null_off,
				 cg->workers);
}

void judge_starved(const struct check *c, const struct worker *w,
		   double threshold __attribute__((unused)), struct result *r)
{
	struct subject who = worker_subject(w);
	_cleanup_free_ char *name = NULL;

	if (w->work_units == BIND_NONE) {
		check_unmeasured(r, c, who, "no work_units");
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

void judge_gap(const struct check *c, const struct worker *w, double threshold, struct result *r)
{
	struct subject who = worker_subject(w);
	_cleanup_free_ char *name = NULL, *cpu = NULL, *at = NULL;
	double gap_ms = w->max_gap_ns / 1e6;
	char gap[VALUE_TEXT];

	if (w->max_gap_ns == BIND_NONE) {
		check_unmeasured(r, c, who, "no max_gap_ns");
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

void judge_isolation(const struct check *c, const struct worker *w,
		     double threshold __attribute__((unused)), struct result *r)
{
	struct subject who = worker_subject(w);
	_cleanup_free_ char *name = NULL, *times = NULL;

	if (!w->confined)
		return;
	if (w->isolation_violations != BIND_NONE)
		result_measured(r, c->fails, who, w->isolation_violations);
	if (!w->outside && w->isolation_violations == BIND_NONE)
		check_unmeasured(r, c, who, "no isolation_violations");
	if (!w->outside)
		return;
	name = subject_text(&who);
	times = known_text(w->isolation_violations);
	result_add(r, VERDICT_FAIL, who,
		   w->isolation_violations == BIND_NONE ? NAN : w->isolation_violations,
		   "%s left its cpuset at %s checkpoints: ran on cpus %s (cpuset %s)", name, times,
		   w->cpus_used ? w->cpus_used : "?", w->cpus_allowed ? w->cpus_allowed : "?");
}

void judge_throughput_cv(const struct check *c, const struct cgroup *cg, double threshold,
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
	else if (cg->as_written && isnan(cg->throughput_cv))
		check_unmeasured(r, c, who, "the stats have no throughput_cv of it");
	else if (cg->as_written)
		return;
	else if (cg->null_rates)
		check_unmeasured(r, c, who, "%zu of %zu workers have no work_units or cpu_ns",
				 cg->null_rates, cg->workers);
	else if (cg->rates < 2)
		check_unmeasured(r, c, who, "%zu of %zu workers have CPU time, expected two",
				 cg->rates, cg->workers);
	else if (isnan(cg->throughput_cv))
		check_unmeasured(r, c, who, "no worker did any work");
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
		check_unmeasured(r, c, who, "%s", null_why);
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

void judge_work_rate(const struct check *c, const struct worker *w, double threshold,
		     struct result *r)
{
	judge_rate(c, w, worker_rate(w), "no CPU time or work_units", "work_rate", "cpu-s",
		   threshold, r);
}

void judge_iteration_rate(const struct check *c, const struct worker *w, double threshold,
			  struct result *r)
{
	double rate = NAN;

	if (w->wall_ns > 0 && w->iterations != BIND_NONE)
		rate = w->iterations / (w->wall_ns / 1e9);
	judge_rate(c, w, rate, "no wall_ns or iterations", "iteration_rate", "s", threshold, r);
}

void judge_migration_ratio(const struct check *c, const struct cgroup *cg, double threshold,
			   struct result *r)
{
	struct subject who = cgroup_subject(cg);
	double ratio = (double)cg->migrations / cg->iterations;
	char text[VALUE_TEXT];

	if (cg->null_migrations || cg->null_iterations) {
		check_unmeasured(r, c, who, "a worker has no migrations or iterations");
		return;
	}
	if (!cg->iterations) {
		check_unmeasured(r, c, who, "no iterations");
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

void judge_wake_p99(const struct check *c, const struct cgroup *cg, double threshold,
		    struct result *r)
{
	struct subject who = cgroup_subject(cg);

	if (cg->wake.count == BIND_NONE)
		return;
	if (!cg->wake.count || cg->wake.p99_ns == BIND_NONE) {
		check_unmeasured(r, c, who, "no wake-up was timed");
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

void judge_wake_cv(const struct check *c, const struct cgroup *cg, double threshold,
		   struct result *r)
{
	struct subject who = cgroup_subject(cg);
	char text[VALUE_TEXT];

	if (cg->wake.count == BIND_NONE)
		return;
	if (!cg->wake.count || isnan(cg->wake.cv)) {
		check_unmeasured(r, c, who, "no wake-up was timed");
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
