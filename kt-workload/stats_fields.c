// SPDX-License-Identifier: GPL-2.0
#include "stats_fields.h"

#include <errno.h>
#include <math.h>

#include "cleanup.h"
#include "diag.h"

void set_int(json_t *o, const char *key, uint64_t value)
{
	json_object_set_new(o, key, json_integer(value));
}

/* Four decimals: beyond that there is no meaning, and the text stays short. */
void set_real(json_t *o, const char *key, double value)
{
	json_object_set_new(o, key, json_real(round(value * 1e4) / 1e4));
}

void set_text(json_t *o, const char *key, const char *value)
{
	json_object_set_new(o, key, value ? json_string(value) : json_null());
}

void set_null(json_t *o, const char *key)
{
	json_object_set_new(o, key, json_null());
}

void set_cpus(json_t *o, const char *key, const struct cpuset *cpus)
{
	_cleanup_free_ char *list = cpus ? cpuset_format(cpus) : NULL;

	set_text(o, key, list);
}

void set_latency(json_t *o, const char *key, const struct histogram *h)
{
	static const struct {
		const char *key;
		double p;
	} percentiles[] = {
		{"p50_ns", 0.5},
		{"p90_ns", 0.9},
		{"p99_ns", 0.99},
		{"p999_ns", 0.999},
	};
	json_t *w;
	size_t i;

	if (!h->count) {
		set_null(o, key);
		return;
	}
	w = json_object();
	set_int(w, "count", h->count);
	set_int(w, "min_ns", h->min);
	set_int(w, "mean_ns", histogram_mean(h));
	for (i = 0; i < ARRAY_SIZE(percentiles); i++)
		set_int(w, percentiles[i].key, histogram_percentile(h, percentiles[i].p));
	set_int(w, "max_ns", h->max);
	set_real(w, "cv", histogram_cv(h));
	json_object_set_new(o, key, w);
}

/* {"name": value}; the key is there only where the work type has figures of its own. */
void set_metrics(json_t *o, const struct metric *metrics)
{
	json_t *all = json_object();
	size_t i;

	for (i = 0; i < METRICS_MAX && metrics[i].name; i++) {
		const struct metric *m = &metrics[i];

		set_real(all, m->name, m->of ? m->amount / m->of : m->amount);
	}
	if (i)
		json_object_set_new(o, "metrics", all);
	else
		json_decref(all);
}

int dump(json_t *o, FILE *f)
{
	int ret = json_dumpf(o, f, JSON_INDENT(1) | JSON_REAL_PRECISION(12));

	json_decref(o);
	if (ret || fputc('\n', f) == EOF || fflush(f))
		return errno ? -errno : -EIO;
	return 0;
}
