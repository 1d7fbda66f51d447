// SPDX-License-Identifier: GPL-2.0
#include "request.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "diag.h"
#include "jsonpath.h"
#include "names.h"
#include "run.h"
#include "text_json.h"

#define OPERANDS_MAX  3
#define REPLY_WAIT_NS (30 * NSEC_PER_SEC)
#define SCHED_WAIT_NS (120 * NSEC_PER_SEC) /* to load one under load takes long */
#define REPLY_MAX     (256 * 1024)	   /* FRAME_MAX_PAYLOAD */
#define LOOK_NS	      (250 * NSEC_PER_MSEC)

/* An op and its operands, which become members of the request by these names. */
struct request_row {
	const char *op;
	const char *operands[OPERANDS_MAX + 1];
	const char *expected;
};

static const struct request_row rows[] = {
	{"snapshot", {"name"}, "a name"},
	{"watch", {"symbol"}, "a kernel symbol or a variable of the scheduler"},
	{"read", {"target"}, "a target such as var.NAME"},
	{"write", {"target", "value"}, "a target such as var.NAME and a value"},
	{"sched", {"action", "name"}, "attach, detach, restart or replace and a scheduler's name"},
};

static const char *const sched_actions[] = {"attach", "detach", "restart", "replace", NULL};

static const struct request_row *row_find(const char *op)
{
	size_t i;

	for (i = 0; strcmp(rows[i].op, op); i++)
		;
	return &rows[i];
}

static void check_sched(struct parser *p, char **operands, size_t n)
{
	bool named;
	size_t i;

	for (i = 0; sched_actions[i] && strcmp(sched_actions[i], operands[0]); i++)
		;
	if (!sched_actions[i]) {
		parser_error_take(p, unknown_name("sched action", operands[0], sched_actions));
		return;
	}
	named = !strcmp(operands[0], "attach") || !strcmp(operands[0], "replace");
	if (named && n < 2)
		parser_error(p, "sched %s: expected the name of a scheduler after it", operands[0]);
}

/* Snapshots become files of that name. */
static void check_snapshot(struct parser *p, const char *name)
{
	if (strlen(name) > 64 || *name == '.' ||
	    name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")])
		parser_error(p,
			     "snapshot '%s': expected up to 64 letters, digits and _ - . that do "
			     "not begin with a dot",
			     name);
}

/* What can be known of it without a guest: its form, and what it begins with (kt-snapshot(1)). */
static void check_target(struct parser *p, const char *op, const char *text)
{
	static const char *const roots[] = {"var", "map", "scx", "kernel", NULL};
	struct jsonpath path;
	const char *end;
	size_t i;
	char *why;

	if (jsonpath_parse(text, &path, &end, &why)) {
		parser_error_take(p, why);
		return;
	}
	for (i = 0; roots[i] && strcmp(roots[i], path.steps[0].name); i++)
		;
	if (!roots[i])
		parser_error_take(p, unknown_name("target", path.steps[0].name, roots));
	else if (path.n_steps == 1)
		parser_error(p, "%s %s: expected a name behind it, as in %s.NAME", op, text,
			     roots[i]);
	jsonpath_free(&path);
}

void parse_request(struct parser *p, char **words, struct op *op)
{
	const struct request_row *row = row_find(words[0]);
	size_t n = 0, want = 0, i;

	while (words[1 + n])
		n++;
	while (row->operands[want])
		want++;
	/* A scheduler's name may be left out where it is clear. */
	if (n > want || n < (strcmp(row->op, "sched") ? want : 1)) {
		parser_error(p, "%s: expected %s after it", row->op, row->expected);
		return;
	}
	if (!strcmp(row->op, "sched"))
		check_sched(p, words + 1, n);
	else if (!strcmp(row->op, "snapshot"))
		check_snapshot(p, words[1]);
	else if (strcmp(row->op, "watch"))
		check_target(p, row->op, words[1]);
	op->request = xcalloc(1, sizeof(*op->request));
	op->request->row = row;
	op->request->operands = xcalloc(n + 1, sizeof(*op->request->operands));
	for (i = 0; i < n; i++)
		op->request->operands[i] = xstrdup(words[1 + i]);
}

void request_free(struct request *r)
{
	size_t i;

	for (i = 0; r && r->operands[i]; i++)
		free(r->operands[i]);
	if (r)
		free(r->operands);
	free(r);
}

static json_t *request_json(const struct op *op, json_int_t id)
{
	json_t *o = json_pack("{s:s,s:I,s:i}", "request", op->request->row->op, "id", id, "line",
			      op->line);
	size_t i;

	for (i = 0; op->request->operands[i]; i++)
		json_object_set_new(o, op->request->row->operands[i],
				    text_json(op->request->operands[i]));
	return o;
}

static int send_json(int fd, json_t *o)
{
	_cleanup_free_ char *text = json_dumps(o, JSON_COMPACT);

	json_decref(o);
	if (!text)
		return -EINVAL;
	return send(fd, text, strlen(text), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* The reply with our @id, or NULL when the time is up or the run has to end. */
static json_t *reply_wait(struct run *run, json_int_t id, uint64_t wait_ns)
{
	_cleanup_free_ char *buf = xmalloc(REPLY_MAX);
	uint64_t limit = clock_now() + wait_ns;

	while (!run->dead && clock_now() < limit) {
		struct pollfd p[] = {{run->events.fd, POLLIN, 0}, {run->sigfd, POLLIN, 0}};
		ssize_t n;
		json_t *reply;

		poll(p, ARRAY_SIZE(p), LOOK_NS / NSEC_PER_MSEC);
		run_wait_signal(run, clock_now());
		run_check(run);
		n = recv(run->events.fd, buf, REPLY_MAX, MSG_DONTWAIT);
		if (n == 0)
			return json_pack("{s:s}", "error", "the host's end is closed");
		if (n < 0)
			continue;
		reply = json_loadb(buf, n, JSON_REJECT_DUPLICATES, NULL);
		if (!json_is_object(reply)) {
			json_decref(reply);
			return json_pack("{s:s}", "error", "the reply is no JSON object");
		}
		/* Of a host that knows no ids, or one of an earlier request that took too long. */
		if (!json_object_get(reply, "id") ||
		    json_integer_value(json_object_get(reply, "id")) == id)
			return reply;
		json_decref(reply);
	}
	return NULL;
}

static void note(struct run *run, const struct op *op, uint64_t start_ns, json_t *reply)
{
	json_t *o = json_pack("{s:o,s:i,s:I,s:I,s:O}", "op", text_json(op->text), "line", op->line,
			      "start_ns",
			      (json_int_t)(start_ns > run->start_ns ? start_ns - run->start_ns : 0),
			      "wait_ns", (json_int_t)(clock_now() - start_ns), "reply", reply);

	if (!run->requests)
		run->requests = json_array();
	json_object_del(reply, "id");
	json_array_append_new(run->requests, o);
}

int apply_request(struct run *run, const struct op *op)
{
	uint64_t start = clock_now();
	json_int_t id = ++run->n_requests;
	const char *why;
	json_t *reply;
	bool sched = !strcmp(op->request->row->op, "sched");
	uint64_t wait_ns = sched ? SCHED_WAIT_NS : REPLY_WAIT_NS;
	int ret;

	ret = send_json(run->events.fd, request_json(op, id));
	if (ret) {
		run_error(run, op->line, "'%s' could not be sent: %s", op->text, strerror(-ret));
		return ret;
	}
	if (sched)
		free(take_ptr(run->sched.name)); /* its end is no fault now */
	reply = reply_wait(run, id, wait_ns);
	if (sched)
		sched_ext_renew(&run->sched);
	if (!reply) {
		if (!run->dead)
			run_error(run, op->line, "'%s': no reply within %llu s", op->text,
				  (unsigned long long)(wait_ns / NSEC_PER_SEC));
		return run->dead ? 0 : -ETIMEDOUT;
	}
	why = json_string_value(json_object_get(reply, "error"));
	if (why) {
		run_error(run, op->line, "'%s': %s", op->text, why);
		ret = -EREMOTEIO;
	} else {
		note(run, op, start, reply);
	}
	json_decref(reply);
	return ret;
}

json_t *requests_json(const struct run *run)
{
	return run->requests ? json_incref(run->requests) : json_array();
}
