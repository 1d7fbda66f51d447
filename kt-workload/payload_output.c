// SPDX-License-Identifier: GPL-2.0
#include "payload_output.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "text_json.h"

#define METRICS_LIMIT 1000
#define DEPTH_LIMIT   32

static void keep(struct payload_output *o, char *data, size_t n)
{
	size_t room = OUTPUT_MAX - o->len, i;

	if (n > room) {
		o->cut = true;
		n = room;
	}
	if (o->len + n + 1 > o->size) {
		o->size = (o->len + n + 1) * 2;
		o->text = xrealloc(o->text, o->size);
	}
	for (i = 0; i < n; i++) /* one string for regexec(3) */
		o->text[o->len + i] = data[i] ? data[i] : ' ';
	o->len += n;
	if (o->text)
		o->text[o->len] = '\0';
}

void payload_output_read(struct payload_output *o)
{
	static char buf[64 * 1024];
	int turns = 16; /* who prints without end must not hold up the run */

	while (o->fd >= 0 && turns--) {
		ssize_t n = read(o->fd, buf, sizeof(buf));

		if (n > 0) {
			keep(o, buf, n);
		} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			close(o->fd);
			o->fd = -1;
		} else if (errno == EAGAIN) {
			return;
		}
	}
}

static void metric_set(json_t *metrics, const char *name, double value)
{
	_cleanup_free_ char *key = text_utf8(name);

	if (*key && isfinite(value) &&
	    (json_object_size(metrics) < METRICS_LIMIT || json_object_get(metrics, key)))
		json_object_set_new(metrics, key, json_real(value));
}

/* Every number below @value by its path. */
static void flatten(json_t *metrics, const char *path, json_t *value, int depth)
{
	const char *key;
	json_t *child;
	size_t i;

	if (depth > DEPTH_LIMIT || json_object_size(metrics) >= METRICS_LIMIT)
		return;
	if (json_is_number(value))
		metric_set(metrics, path, json_number_value(value));
	json_object_foreach(value, key, child)
	{
		_cleanup_free_ char *name = *path ? xasprintf("%s.%s", path, key) : xstrdup(key);

		flatten(metrics, name, child, depth + 1);
	}
	json_array_foreach(value, i, child)
	{
		_cleanup_free_ char *name = xasprintf("%s[%zu]", path, i);

		flatten(metrics, name, child, depth + 1);
	}
}

/* All of the text, or its last line. */
static json_t *load(const struct payload_output *o)
{
	json_t *doc = json_loadb(o->text, o->len, 0, NULL);
	size_t end = o->len, start;

	if (doc)
		return doc;
	while (end && strchr("\n\r\t ", o->text[end - 1]))
		end--;
	for (start = end; start && o->text[start - 1] != '\n'; start--)
		;
	return json_loadb(o->text + start, end - start, 0, NULL);
}

static double group_number(const char *text, const regmatch_t *m, bool *ok)
{
	_cleanup_free_ char *number = xstrndup(text + m->rm_so, m->rm_eo - m->rm_so);
	char *end;
	double value = strtod(number, &end);

	*ok = end != number && !*end;
	return value;
}

static void search(json_t *metrics, const char *text, const struct payload_pattern *pattern)
{
	regmatch_t m[3];
	const regmatch_t *number = pattern->name ? &m[1] : &m[2];

	while (*text && !regexec(&pattern->regex, text, ARRAY_SIZE(m), m, 0)) {
		bool ok = false;
		double value = number->rm_so < 0 ? 0 : group_number(text, number, &ok);

		if (ok && pattern->name) {
			metric_set(metrics, pattern->name, value);
		} else if (ok && m[1].rm_so >= 0) {
			_cleanup_free_ char *name =
				xstrndup(text + m[1].rm_so, m[1].rm_eo - m[1].rm_so);

			metric_set(metrics, name, value);
		}
		text += m[0].rm_eo > 0 ? m[0].rm_eo : 1; /* it never matches nothing */
	}
}

json_t *payload_output_metrics(const struct payload_output *o, const struct payload_def *def)
{
	json_t *metrics = json_object(), *doc;
	size_t i;

	if (!o->len)
		return metrics;
	doc = load(o);
	flatten(metrics, "", doc, 0);
	json_decref(doc);
	for (i = 0; i < def->n_patterns; i++)
		search(metrics, o->text, &def->patterns[i]);
	return metrics;
}

void payload_output_free(struct payload_output *o)
{
	cleanup_closep(&o->fd);
	free(o->text);
	*o = (struct payload_output){.fd = -1};
}
