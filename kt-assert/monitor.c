// SPDX-License-Identifier: GPL-2.0
#include "monitor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bind.h"
#include "cleanup.h"
#include "diag.h"

#define CHUNK_SIZE (128 * 1024)
#define CPUS_MAX   4096

#define FIELD(struct_, key_, kind_, member_, flags_)                                              \
	{                                                                                         \
		.key = key_, .kind = kind_, .offset = offsetof(struct_, member_), .flags = flags_ \
	}

#define MEASURED (BIND_REQUIRED | BIND_NULL)

static const struct bind_field cpu_fields[] = {
	FIELD(struct monitor_cpu, "nr_running", BIND_INT, nr_running, MEASURED),
	FIELD(struct monitor_cpu, "local_dsq_depth", BIND_INT, local_dsq_depth, MEASURED),
	FIELD(struct monitor_cpu, "rq_clock", BIND_INT, rq_clock, MEASURED),
	FIELD(struct monitor_cpu, "preempted", BIND_BOOL, preempted, BIND_NULL),
};

static void *cpu_begin(void *owner)
{
	return &((struct monitor_sample *)owner)->next_cpu;
}

static const char *cpu_end(void *owner, void *base, const char **key)
{
	struct monitor_sample *s = owner;

	(void)key;
	if (s->n_cpus == CPUS_MAX)
		return "expected at most 4096 CPUs";
	if (s->n_cpus == s->max_cpus) {
		s->max_cpus = s->max_cpus ? 2 * s->max_cpus : 8;
		s->cpus = xrealloc(s->cpus, s->max_cpus * sizeof(*s->cpus));
	}
	s->cpus[s->n_cpus++] = *(struct monitor_cpu *)base;
	return NULL;
}

static const struct bind_type cpu_type = {
	.fields = cpu_fields,
	.n_fields = ARRAY_SIZE(cpu_fields),
	.begin = cpu_begin,
	.end = cpu_end,
};

static const struct bind_field event_fields[] = {
	FIELD(struct monitor_events, "select_cpu_fallback", BIND_INT, select_cpu_fallback,
	      BIND_REQUIRED),
	FIELD(struct monitor_events, "dispatch_keep_last", BIND_INT, dispatch_keep_last,
	      BIND_REQUIRED),
};

static const struct bind_type events_type = {
	.fields = event_fields,
	.n_fields = ARRAY_SIZE(event_fields),
};

static const struct bind_field sample_fields[] = {
	FIELD(struct monitor_sample, "t_ns", BIND_INT, t_ns, BIND_REQUIRED),
	{
		.key = "cpus",
		.kind = BIND_LIST,
		.offset = offsetof(struct monitor_sample, listed),
		.flags = BIND_REQUIRED,
		.type = &cpu_type,
	},
	{
		.key = "events",
		.kind = BIND_OBJECT,
		.offset = offsetof(struct monitor_sample, events),
		.flags = BIND_REQUIRED | BIND_NULL,
		.type = &events_type,
	},
};

static const struct bind_type sample_type = {
	.fields = sample_fields,
	.n_fields = ARRAY_SIZE(sample_fields),
};

struct reader {
	struct monitor_sample sample;
	struct bind *line; /* NULL between lines */
	size_t number;	   /* of the line */
	int64_t last_ns;
	void (*take)(void *ctx, const struct monitor_sample *s);
	void *ctx;
};

static int line_feed(struct reader *r, const char *data, size_t len)
{
	if (!r->line && strspn(data, " \t\r") >= len)
		return 0;
	if (!r->line) {
		r->sample.n_cpus = 0;
		r->line = bind_open(&sample_type, &r->sample);
	}
	return bind_feed(r->line, data, len);
}

static int line_end(struct reader *r, char **message)
{
	int err;

	if (!r->line)
		return 0;
	err = bind_finish(r->line);
	if (err)
		return err;
	bind_close(take_ptr(r->line));
	if (r->sample.t_ns <= r->last_ns) {
		*message = xasprintf("line %zu: t_ns: expected a time after the sample before",
				     r->number);
		return -EBADMSG;
	}
	r->last_ns = r->sample.t_ns;
	r->take(r->ctx, &r->sample);
	return 0;
}

/* @data is followed by a byte that is no white space. */
static int chunk_feed(struct reader *r, const char *data, size_t len, char **message)
{
	int err = 0;

	while (len && !err) {
		const char *newline = memchr(data, '\n', len);
		size_t n = newline ? (size_t)(newline - data) : len;

		err = line_feed(r, data, n);
		if (!err && newline)
			err = line_end(r, message);
		if (!err && newline)
			r->number++;
		if (err == -ENODATA) /* a whole line that is half a sample */
			err = -EBADMSG;
		n += newline ? 1 : 0;
		data += n;
		len -= n;
	}
	return err;
}

int monitor_read(int fd, void (*take)(void *ctx, const struct monitor_sample *s), void *ctx,
		 char **message)
{
	_cleanup_free_ char *chunk = xmalloc(CHUNK_SIZE + 1);
	struct reader r = {.number = 1, .last_ns = BIND_NONE, .take = take, .ctx = ctx};
	ssize_t n;
	int err = 0;

	*message = NULL;
	while (!err) {
		n = read(fd, chunk, CHUNK_SIZE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err = -errno;
			*message = xstrdup(strerror(errno));
			break;
		}
		chunk[n] = '\0';
		err = n ? chunk_feed(&r, chunk, n, message) : line_end(&r, message);
		if (!n)
			break;
	}
	if (err && !*message)
		*message = xasprintf("line %zu: %s", r.number, bind_error(r.line));
	bind_close(r.line);
	free(r.sample.cpus);
	return err;
}
