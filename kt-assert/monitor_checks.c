// SPDX-License-Identifier: GPL-2.0
#include "monitor_checks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "monitor.h"

enum { IMBALANCE, DEPTH, STALL, FALLBACK, KEEP_LAST, WATCHES_N };

static const char *const watch_names[WATCHES_N] = {
	[IMBALANCE] = "max-imbalance-ratio", [DEPTH] = "max-local-dsq-depth",
	[STALL] = "fail-on-stall",	     [FALLBACK] = "max-fallback-rate",
	[KEEP_LAST] = "max-keep-last-rate",
};

/* Samples in a row that violate a check. */
struct streak {
	size_t n;
	int64_t since_ns;
	double worst;
};

/* One check at work: a streak for each CPU, or the first one for all. */
struct watch {
	const struct check *check; /* NULL: off */
	struct result *result;
	double threshold;
	bool asked;
	size_t usable; /* samples with the check's values */
	struct streak *streaks;
	size_t n_streaks;
};

struct watcher {
	struct monitor *monitor;
	struct watch watches[WATCHES_N];
	size_t sustained;
	/* The sample before, if there is one. */
	struct monitor_cpu *cpus;
	size_t n_cpus;
	struct monitor_events events;
	int64_t t_ns;
	bool scheduled; /* a sample so far was of a scheduler */
};

static struct subject watch_subject(const struct watch *w, size_t at)
{
	const char *name = w->check->name;
	bool of_cpu = !strcmp(name, watch_names[DEPTH]) || !strcmp(name, watch_names[STALL]);

	return (struct subject){.cgroup = -1, .is_cpu = of_cpu, .cpu = at};
}

/* The finding of a streak that was long enough. */
static void streak_tell(const struct watcher *ws, const struct watch *w, size_t at)
{
	const struct streak *s = &w->streaks[at];
	_cleanup_free_ char *lasted =
		xasprintf("for %zu samples from +%.0fms", s->n,
			  (double)(s->since_ns - ws->monitor->first_ns) / 1e6);
	struct subject who = watch_subject(w, at);
	char value[VALUE_TEXT];

	value_text(value, s->worst, w->threshold, FAILS_ABOVE, rate_decimals(s->worst));
	if (w == &ws->watches[IMBALANCE])
		result_add(w->result, VERDICT_FAIL, who, s->worst,
			   "imbalanced runqueues: ratio=%s %s (threshold %.15g)", value, lasted,
			   w->threshold);
	else if (w == &ws->watches[DEPTH])
		result_add(w->result, VERDICT_FAIL, who, s->worst,
			   "cpu%zu local queue: depth=%.0f %s (threshold %.15g)", at, s->worst,
			   lasted, w->threshold);
	else if (w == &ws->watches[STALL])
		result_add(w->result, VERDICT_FAIL, who, s->n,
			   "cpu%zu stalled: its clock stood still with %.0f runnable %s "
			   "(threshold %zu samples)",
			   at, s->worst, lasted, ws->sustained);
	else
		result_add(
			w->result, VERDICT_FAIL, who, s->worst, "%s: %s/s %s (threshold %.15g/s)",
			w == &ws->watches[FALLBACK] ? "select_cpu_fallback" : "dispatch_keep_last",
			value, lasted, w->threshold);
}

static void streak_end(const struct watcher *ws, const struct watch *w, size_t at)
{
	if (w->streaks[at].n >= ws->sustained)
		streak_tell(ws, w, at);
	w->streaks[at].n = 0;
}

/* Take the sample's value at CPU @at, NAN: none; a violation began at @since_ns at the earliest. */
static void watch_value(const struct watcher *ws, struct watch *w, size_t at, double value,
			bool violates, int64_t since_ns)
{
	struct streak *s = &w->streaks[at];
	bool stall = w == &ws->watches[STALL];

	if (!violates || isnan(value))
		streak_end(ws, w, at);
	if (isnan(value))
		return;
	if (violates) {
		s->worst = s->n ? fmax(s->worst, value) : value;
		s->since_ns = s->n ? s->since_ns : since_ns;
		s->n++;
	}
	result_measured(w->result, FAILS_ABOVE, watch_subject(w, at), stall ? s->n : value);
}

/* Make room for @n CPUs' streaks, and end those of CPUs that are no more. */
static void watch_fit(const struct watcher *ws, struct watch *w, size_t n)
{
	size_t at;

	for (at = n; at < w->n_streaks; at++)
		streak_end(ws, w, at);
	if (n <= w->n_streaks)
		return;
	w->streaks = xrealloc(w->streaks, n * sizeof(*w->streaks));
	memset(w->streaks + w->n_streaks, 0, (n - w->n_streaks) * sizeof(*w->streaks));
	w->n_streaks = n;
}

/* max / max(1, min) of the CPUs' nr_running, NAN unless all have one. */
static double imbalance(const struct monitor_sample *s)
{
	int64_t min = INT64_MAX, max = 0;
	size_t i;

	for (i = 0; i < s->n_cpus; i++) {
		int64_t n = s->cpus[i].nr_running;

		if (n == BIND_NONE)
			return NAN;
		min = n < min ? n : min;
		max = n > max ? n : max;
	}
	return s->n_cpus ? (double)max / (min > 1 ? min : 1) : NAN;
}

static void take_imbalance(struct watcher *ws, const struct monitor_sample *s)
{
	struct watch *w = &ws->watches[IMBALANCE];
	double ratio = imbalance(s);

	ws->monitor->max_imbalance = fmax(ws->monitor->max_imbalance, ratio);
	if (!w->check)
		return;
	w->usable += !isnan(ratio);
	watch_value(ws, w, 0, ratio, ratio > w->threshold, s->t_ns);
}

static void take_depths(struct watcher *ws, const struct monitor_sample *s)
{
	struct watch *w = &ws->watches[DEPTH];
	bool usable = false;
	size_t i;

	for (i = 0; i < s->n_cpus; i++) {
		int64_t depth = s->cpus[i].local_dsq_depth;

		usable |= depth != BIND_NONE;
		if (depth > ws->monitor->max_depth)
			ws->monitor->max_depth = depth;
		if (w->check)
			watch_value(ws, w, i, depth == BIND_NONE ? NAN : depth,
				    depth > w->threshold, s->t_ns);
	}
	w->usable += usable;
}

/*
 * A clock that reads the same twice is a stall where a task was runnable both times: an idle CPU
 * has no tick to update it, and a preempted vCPU does not run at all.
 */
static void take_clocks(struct watcher *ws, const struct monitor_sample *s)
{
	struct watch *w = &ws->watches[STALL];
	bool usable = false, stalled = false;
	size_t i;

	for (i = 0; i < s->n_cpus; i++) {
		const struct monitor_cpu *now = &s->cpus[i];
		const struct monitor_cpu *before = i < ws->n_cpus ? &ws->cpus[i] : NULL;
		bool known = before && now->rq_clock != BIND_NONE &&
			     before->rq_clock != BIND_NONE && now->nr_running != BIND_NONE &&
			     before->nr_running != BIND_NONE;
		bool still = known && now->rq_clock == before->rq_clock && now->nr_running > 0 &&
			     before->nr_running > 0 && !now->preempted && !before->preempted;

		usable |= known;
		stalled |= still;
		if (w->check)
			watch_value(ws, w, i, known ? now->nr_running : NAN, still, ws->t_ns);
	}
	w->usable += usable;
	ws->monitor->stalls += stalled;
}

/* A count that falls is of another scheduler: nothing is known of that interval. */
static void take_events(struct watcher *ws, struct watch *w, int64_t before, int64_t now,
			int64_t t_ns, struct event_rate *sum)
{
	double rate = NAN;

	if (ws->monitor->samples && before != BIND_NONE && now >= before) {
		rate = (now - before) / ((t_ns - ws->t_ns) / 1e9);
		sum->count += now - before;
		sum->ns += t_ns - ws->t_ns;
		w->usable++;
	}
	if (w->check)
		watch_value(ws, w, 0, rate, rate > w->threshold, ws->t_ns);
}

/* What is added to the results from now on is of this watcher's time. */
static void watcher_enter(struct watcher *ws)
{
	size_t i;

	for (i = 0; i < WATCHES_N; i++) {
		if (ws->watches[i].result)
			ws->watches[i].result->scope = ws->monitor->scope;
	}
}

static void watcher_take(struct watcher *ws, const struct monitor_sample *s)
{
	struct monitor *m = ws->monitor;
	size_t i;

	if (!m->samples)
		m->first_ns = s->t_ns;
	if (s->n_cpus > m->cpus)
		m->cpus = s->n_cpus;
	for (i = 0; i < WATCHES_N; i++)
		watch_fit(ws, &ws->watches[i], i == DEPTH || i == STALL ? s->n_cpus : 1);
	take_imbalance(ws, s);
	take_depths(ws, s);
	take_clocks(ws, s);
	take_events(ws, &ws->watches[FALLBACK], ws->events.select_cpu_fallback,
		    s->events.select_cpu_fallback, s->t_ns, &m->fallback);
	take_events(ws, &ws->watches[KEEP_LAST], ws->events.dispatch_keep_last,
		    s->events.dispatch_keep_last, s->t_ns, &m->keep_last);
	ws->cpus = xrealloc(ws->cpus, (s->n_cpus + 1) * sizeof(*ws->cpus));
	if (s->n_cpus)
		memcpy(ws->cpus, s->cpus, s->n_cpus * sizeof(*ws->cpus));
	ws->n_cpus = s->n_cpus;
	ws->events = s->events;
	ws->scheduled |= s->events.select_cpu_fallback != BIND_NONE;
	m->last_ns = ws->t_ns = s->t_ns;
	m->samples++;
}

/* No more samples: end the streaks, and say what was not measured. */
static void watch_end(const struct watcher *ws, const struct watch *w)
{
	bool of_events = w >= &ws->watches[FALLBACK];
	size_t at;

	if (!w->check)
		return;
	for (at = 0; at < w->n_streaks; at++)
		streak_end(ws, w, at);
	if (w->usable || (of_events && !ws->scheduled && ws->monitor->samples && !w->asked))
		return;
	result_add(w->result, VERDICT_INCONCLUSIVE, (struct subject){.cgroup = -1}, NAN,
		   "%s not measured: none of %zu samples has what it compares", w->check->name,
		   ws->monitor->samples);
}

static void watcher_init(struct watcher *ws, const struct policy *p, struct monitor *m,
			 struct result *results)
{
	size_t i;

	*ws = (struct watcher){.monitor = m};
	*m = (struct monitor){
		.scope = m->scope,
		.from_ns = m->from_ns,
		.to_ns = m->to_ns,
		.max_imbalance = NAN,
		.max_depth = BIND_NONE,
	};
	ws->sustained = policy_setting(p, check_find("sustained-samples", '-'))->threshold;
	for (i = 0; i < WATCHES_N; i++) {
		const struct check *c = check_find(watch_names[i], '-');

		if (!policy_on(p, c))
			continue;
		ws->watches[i].check = c;
		ws->watches[i].result = &results[c - checks];
		ws->watches[i].threshold = policy_setting(p, c)->threshold;
		ws->watches[i].asked = policy_asked(p, c);
	}
}

static void watcher_end(struct watcher *ws)
{
	size_t i;

	watcher_enter(ws);
	for (i = 0; i < WATCHES_N; i++) {
		watch_end(ws, &ws->watches[i]);
		free(ws->watches[i].streaks);
	}
	free(ws->cpus);
}

struct watchers {
	struct watcher *v;
	size_t n;
};

static void take_sample(void *ctx, const struct monitor_sample *s)
{
	const struct watchers *all = ctx;
	size_t i;

	for (i = 0; i < all->n; i++) {
		struct watcher *ws = &all->v[i];

		if (s->t_ns < ws->monitor->from_ns || s->t_ns >= ws->monitor->to_ns)
			continue;
		if (all->n > 1 || !ws->monitor->samples)
			watcher_enter(ws);
		watcher_take(ws, s);
	}
}

int monitor_judge(int fd, const struct policy *p, struct monitor *m, size_t n,
		  struct result *results, char **message)
{
	_cleanup_free_ struct watcher *v = xcalloc(n, sizeof(*v));
	struct watchers all = {v, n};
	size_t i;
	int err;

	for (i = 0; i < n; i++)
		watcher_init(&v[i], p, &m[i], results);
	err = monitor_read(fd, take_sample, &all, message);
	for (i = 0; i < n; i++)
		watcher_end(&v[i]);
	return err;
}

double event_rate(const struct event_rate *r)
{
	return r->ns ? r->count / (r->ns / 1e9) : NAN;
}
