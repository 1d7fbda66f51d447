// SPDX-License-Identifier: GPL-2.0
#include "stats_fields.h"

#include <errno.h>
#include <math.h>

#include "cleanup.h"
#include "diag.h"
#include "text_json.h"

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
	json_object_set_new(o, key, text_json(value));
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

void set_latency(json_t *o, const char *key, const struct latency *l)
{
	json_t *w;

	if (!l->count) {
		set_null(o, key);
		return;
	}
	w = json_object();
	set_int(w, "count", l->count);
	set_int(w, "min_ns", l->min);
	set_int(w, "mean_ns", l->mean);
	set_int(w, "p50_ns", l->p50);
	set_int(w, "p90_ns", l->p90);
	set_int(w, "p99_ns", l->p99);
	set_int(w, "p999_ns", l->p999);
	set_int(w, "max_ns", l->max);
	set_real(w, "cv", l->cv);
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
