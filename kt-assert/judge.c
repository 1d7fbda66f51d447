// SPDX-License-Identifier: GPL-2.0
#include "judge.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "source.h"
#include "views.h"

static const struct subject whole_run = {.cgroup = -1};

/* The scenario's name; a run without stats goes by its directory's. */
static char *run_name(const struct judgement *j)
{
	_cleanup_free_ char *path = xstrdup(j->source);
	size_t n = strlen(path);

	if (j->has_stats)
		return xstrdup(j->stats.scenario);
	while (n > 1 && path[n - 1] == '/')
		path[--n] = '\0';
	return xstrdup(n > 1 ? basename(path) : path);
}

static void judge_completion(struct judgement *j)
{
	struct result *r = &j->completed;
	const struct stats *s = &j->stats;
	size_t i;

	if (!j->has_stats)
		return;
	for (i = 0; i < s->errors.n; i++)
		result_add(r, VERDICT_FAIL, whole_run, NAN, "error: %s", s->errors.v[i]);
	if (strcmp(s->exit, "completed"))
		result_add(r, VERDICT_FAIL, whole_run, NAN,
			   "the workload ended '%s' (expected completed)", s->exit);
	for (i = 0; i < s->run.n_workers; i++) {
		const struct worker *w = &s->run.workers[i];
		struct subject who = {.cgroup = w->cgroup, .is_worker = true, .tid = w->tid};
		_cleanup_free_ char *name = NULL;

		if (!w->exit)
			continue;
		name = subject_text(&who);
		result_add(r, VERDICT_FAIL, who, NAN, "%s ended '%s' (expected completed)", name,
			   w->exit);
	}
	if (!s->run.n_workers)
		result_add(r, VERDICT_INCONCLUSIVE, whole_run, NAN,
			   "no workers in the stats: nothing was measured");
	if (r->verdict == VERDICT_SKIP)
		r->verdict = VERDICT_PASS;
}

static void judge_check(struct judgement *j, const struct check *c)
{
	struct result *r = &j->results[c - checks];
	bool any = false;
	size_t i;

	if (!j->has_stats || !j->stats.run.n_workers || !j->n_views) {
		r->verdict = VERDICT_INCONCLUSIVE;
		return;
	}
	for (i = 0; i < j->n_views; i++) {
		r->scope = j->views[i].scope;
		any |= check_judge(c, j->views[i].of, policy_setting(&j->policy, c)->threshold, r);
	}
	if (j->n_views > 1)
		r->scope = (struct scope){NULL};
	if (!any)
		check_nothing(c, r);
}

static void judge_checks(struct judgement *j)
{
	size_t i;

	for (i = 0; i < checks_n; i++) {
		if (checks[i].input == CHECK_STATS && policy_on(&j->policy, &checks[i]))
			judge_check(j, &checks[i]);
	}
}

bool judgement_checks(const struct judgement *j, const struct check *c)
{
	if (c->input == CHECK_PARAMETER || !policy_on(&j->policy, c))
		return false;
	return c->input != CHECK_MONITOR || j->monitor_given || policy_asked(&j->policy, c);
}

static void lack_monitor(struct judgement *j, const char *why)
{
	size_t i;

	for (i = 0; i < checks_n; i++) {
		if (checks[i].input == CHECK_MONITOR && judgement_checks(j, &checks[i]))
			result_add(&j->results[i], VERDICT_INCONCLUSIVE, whole_run, NAN,
				   "%s not measured: %s", checks[i].name, why);
	}
}

/*
 * As with stats, what cannot be read is an error only after a good end, and what is cut short is
 * none.
 */
static int judge_monitor(struct judgement *j, char **message)
{
	_cleanup_free_ char *found = j->run.dir ? xasprintf("%s/monitor.jsonl", j->run.dir) : NULL;
	const char *path = j->options->monitor ? j->options->monitor : found;
	_cleanup_free_ char *why = NULL;
	_cleanup_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	int err;

	if (path && fd < 0 && (errno != ENOENT || j->options->monitor))
		return source_unreadable(path, message);
	if (fd < 0) {
		lack_monitor(j, "no monitor data");
		return 0;
	}
	j->monitor_given = true;
	if (!j->n_views)
		return 0;
	if (!j->timed) {
		lack_monitor(j, "when the step was is not in events.jsonl");
		return 0;
	}
	j->has_monitor = true;
	err = monitor_judge(fd, &j->policy, j->monitors, j->n_views, j->results, &why);
	if (err && err != -ENODATA && run_ended_well(&j->run)) {
		*message = xasprintf("%s: %s", path, why);
		return err;
	}
	if (err) {
		j->partial |= run_ended_well(&j->run);
		result_add(&j->completed, VERDICT_INCONCLUSIVE, whole_run, NAN,
			   "monitor data cut short: %s: %s", path, why);
	}
	return 0;
}

/* The patterns over the run's snapshots: what cannot be read is an error only after a good end. */
static int judge_trends(struct judgement *j, char **message)
{
	_cleanup_free_ char *dir = j->run.dir ? xasprintf("%s/snapshots", j->run.dir) : NULL;
	const struct trends *trends = j->options->trends;
	_cleanup_free_ char *why = NULL;
	int err;

	if (!trends->n)
		return 0;
	if (!dir || access(dir, F_OK)) {
		trends_lack(trends, "no series (expected RUNDIR/snapshots, or --series)",
			    &j->trends);
		return 0;
	}
	err = trends_judge(trends, &dir, 1, &j->trends, &why);
	if (err && run_ended_well(&j->run)) {
		*message = take_ptr(why);
		return err;
	}
	if (err) {
		trend_report_free(&j->trends);
		trends_lack(trends, why, &j->trends);
	}
	return 0;
}

static void fold(struct judgement *j)
{
	enum verdict trends = trend_report_verdict(&j->trends);
	bool any_on = j->trends.n;
	size_t i;

	j->observed = j->completed.verdict > trends ? j->completed.verdict : trends;
	for (i = 0; i < checks_n; i++) {
		any_on |= judgement_checks(j, &checks[i]);
		if (j->results[i].verdict > j->observed)
			j->observed = j->results[i].verdict;
	}
	if (!any_on && j->observed == VERDICT_PASS)
		j->observed = VERDICT_SKIP;
}

enum verdict judge_expected(const struct judge_options *o, enum verdict observed)
{
	switch (observed) {
	case VERDICT_FAIL:
		return o->expect_fail ? VERDICT_PASS : VERDICT_FAIL;
	case VERDICT_PASS:
		return o->expect_fail ? VERDICT_FAIL : VERDICT_PASS;
	case VERDICT_INCONCLUSIVE:
		return o->allow_inconclusive ? VERDICT_PASS : VERDICT_INCONCLUSIVE;
	case VERDICT_SKIP:
		return o->no_skip ? VERDICT_FAIL : VERDICT_SKIP;
	}
	return observed;
}

/* The same for a run, whose failure must be the one that was expected. */
static enum verdict judge_expectations(struct judgement *j)
{
	const struct judge_options *o = j->options;

	/* What is there of it may fail otherwise than the whole would. */
	if (j->observed == VERDICT_FAIL && o->expect_fail && j->partial)
		return judge_expected(o, VERDICT_INCONCLUSIVE);
	j->wrong_error = j->observed == VERDICT_FAIL && o->expect_error.text &&
			 !pattern_found(&o->expect_error, j->run.exit_message);
	return j->wrong_error ? VERDICT_FAIL : judge_expected(o, j->observed);
}

/* A series by itself: there is no run, and no check of one is on. */
static int series_make(struct judgement *j, char **message)
{
	const struct judge_options *o = j->options;
	size_t i;
	int err;

	for (i = 0; i < checks_n; i++)
		j->policy.set[i].on = false;
	j->name = run_name(j);
	err = trends_judge(o->trends, o->series, o->n_series, &j->trends, message);
	if (err)
		return err;
	fold(j);
	j->verdict = judge_expectations(j);
	return 0;
}

int judgement_make(struct judgement *j, const char *source, const struct judge_options *o,
		   char **message)
{
	size_t i;
	int err;

	memset(j, 0, sizeof(*j));
	j->source = xstrdup(source);
	j->options = o;
	j->run.status = BIND_NONE;
	j->run.wall_ns = BIND_NONE;
	policy_copy(&j->policy, o->policy);
	result_init(&j->completed);
	for (i = 0; i < checks_n; i++)
		result_init(&j->results[i]);
	if (o->series)
		return series_make(j, message);
	err = source_read(j, message);
	if (err)
		return err;
	if (o->relax == RELAX_ALWAYS)
		j->relaxed = "--relaxed";
	else if (o->relax == RELAX_AUTO && j->run.emulated)
		j->relaxed = "run.json says emulated";
	else if (o->relax == RELAX_AUTO && j->run.oversubscribed)
		j->relaxed = "run.json says oversubscribed";
	if (j->relaxed)
		policy_relax(&j->policy, j->relaxed);
	j->name = run_name(j);
	judge_completion(j);
	err = views_make(j, message);
	if (err)
		return err;
	judge_checks(j);
	err = judge_monitor(j, message);
	if (!err)
		err = judge_trends(j, message);
	if (err)
		return err;
	fold(j);
	j->verdict = judge_expectations(j);
	return 0;
}

void judgement_free(struct judgement *j)
{
	size_t i;

	free(j->source);
	free(j->name);
	views_free(j);
	stats_free(&j->stats);
	run_free(&j->run);
	policy_free(&j->policy);
	result_free(&j->completed);
	trend_report_free(&j->trends);
	for (i = 0; i < checks_n; i++)
		result_free(&j->results[i]);
	memset(j, 0, sizeof(*j));
}

bool judgement_by_step(const struct judgement *j)
{
	return !j->n_views || j->views[0].scope.step;
}

const char *judgement_sched(const struct judgement *j)
{
	return j->has_stats && j->stats.sched ? j->stats.sched : j->run.sched_name;
}

const char *judgement_topology(const struct judgement *j)
{
	return j->has_stats && j->stats.topology ? j->stats.topology : j->run.topology;
}
