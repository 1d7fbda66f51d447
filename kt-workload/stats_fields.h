/* SPDX-License-Identifier: GPL-2.0 */
/* Members of the JSON objects that kt-workload prints, in their units and forms (docs/stats.md). */
#ifndef KT_STATS_FIELDS_H
#define KT_STATS_FIELDS_H

#include <jansson.h>
#include <stdio.h>

#include "cpuset.h"
#include "latencies.h"
#include "telemetry.h"

void set_int(json_t *o, const char *key, uint64_t value);
void set_real(json_t *o, const char *key, double value);
void set_text(json_t *o, const char *key, const char *value); /* NULL: null */
void set_null(json_t *o, const char *key);
void set_cpus(json_t *o, const char *key, const struct cpuset *cpus); /* NULL: null */
void set_latency(json_t *o, const char *key, const struct latency *l);
void set_metrics(json_t *o, const struct metric *metrics);

/* Print @o and release it. Returns 0 or -errno. */
int dump(json_t *o, FILE *f);

#endif
