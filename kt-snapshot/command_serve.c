// SPDX-License-Identifier: GPL-2.0
/*
 * kt-snapshot serve: the long-lived reader that kt-vmm starts beside a run (docs/control.md). The
 * kernel is opened once; after that it has nothing but its socket, the guest's memory and the files
 * that kt-vmm hands it.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "access.h"
#include "cleanup.h"
#include "clock.h"
#include "commands.h"
#include "confine.h"
#include "diag.h"
#include "exits.h"
#include "options.h"
#include "serve.h"
#include "watchdog.h"

#define VALUE_MAX 60000 /* bytes: the answer has to fit a line of the control socket */

static const char *member(const json_t *request, const char *key)
{
	const char *text = json_string_value(json_object_get(request, key));

	return text ? text : "";
}

static json_t *request_snapshot(struct server *sv, const json_t *request)
{
	return serve_capture(sv, member(request, "name"), member(request, "trigger"), false);
}

static json_t *request_watch(struct server *sv, const json_t *request)
{
	return serve_watch(sv, member(request, "symbol"));
}

static json_t *request_exit(struct server *sv, const json_t *request)
{
	(void)request;
	return serve_watch_exit(sv);
}

static json_t *request_read(struct server *sv, const json_t *request)
{
	char *why = NULL, *text;
	json_t *value = target_read(&sv->s, member(request, "target"), &why);
	size_t len;

	if (!value)
		return serve_refuse_why(why);
	text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	len = text ? strlen(text) : 0;
	free(text);
	if (!len || len > VALUE_MAX) {
		json_decref(value);
		return serve_refuse("the value takes %zu bytes as JSON: expected at most %d", len,
				    VALUE_MAX);
	}
	return json_pack("{s:b,s:o}", "ok", 1, "value", value);
}

static json_t *request_write(struct server *sv, const json_t *request)
{
	char *why = NULL;

	if (target_write(&sv->s, member(request, "target"), member(request, "value"), &why))
		return serve_refuse_why(why);
	return json_pack("{s:b}", "ok", 1);
}

static json_t *request_watchdog(struct server *sv, const json_t *request)
{
	json_int_t ns = json_integer_value(json_object_get(request, "timeout_ns"));
	char *why = NULL;

	if (watchdog_set(&sv->s, ns, &why))
		return serve_refuse_why(why);
	return json_pack("{s:b}", "ok", 1);
}

/* The monitor's file is open for as long as we live. */
static json_t *request_monitor(struct server *sv, const json_t *request)
{
	json_int_t ns = json_integer_value(json_object_get(request, "interval_ns"));
	int fds[VM_MAX_FDS];
	char *why = NULL;
	json_t *answer;
	size_t n = 0;

	if (sv->monitor)
		return serve_refuse("there is a monitor already");
	answer = vm_ask(&sv->s.vm, json_pack("{s:s,s:b}", "command", "file", "monitor", 1), fds, &n,
			&why);
	json_decref(answer);
	if (!answer || n != 1)
		return serve_refuse_why(why);
	sv->monitor = monitor_open(&sv->s, fds[0], ns, &why);
	return sv->monitor ? json_pack("{s:b}", "ok", 1) : serve_refuse_why(why);
}

static const struct {
	const char *name;
	json_t *(*serve)(struct server *sv, const json_t *request);
} requests[] = {
	{"snapshot", request_snapshot}, {"watch", request_watch},     {"read", request_read},
	{"write", request_write},	{"watch-exit", request_exit}, {"monitor", request_monitor},
	{"watchdog", request_watchdog},
};

static json_t *request_serve(struct server *sv, const json_t *request)
{
	const char *name = member(request, "request");
	size_t i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		if (!strcmp(requests[i].name, name))
			return requests[i].serve(sv, request);
	}
	return serve_refuse("unknown request '%s'", name);
}

/* Returns 0 or -errno: the run has ended. */
static int event_serve(struct server *sv, const json_t *event)
{
	const char *name = member(event, "event");
	json_t *answer;
	char *why = NULL;

	if (!strcmp(name, "watch"))
		serve_hit(sv, json_integer_value(json_object_get(event, "id")));
	if (strcmp(name, "request"))
		return 0;
	answer = vm_ask(&sv->s.vm,
			json_pack("{s:s,s:O,s:o}", "command", "reply", "token",
				  json_object_get(event, "token"), "reply",
				  request_serve(sv, json_object_get(event, "request"))),
			NULL, NULL, &why);
	if (!answer)
		debug("%s", why);
	free(why);
	json_decref(answer);
	return answer ? 0 : -EPIPE;
}

#define MONITOR_FAILED "the monitor ends: its file cannot be written"

/* How long the next event may be waited for, in ms. */
static int patience(const struct server *sv)
{
	uint64_t now = now_ns(), due = sv->monitor ? monitor_due(sv->monitor) : UINT64_MAX;

	if (!sv->monitor)
		return -1;
	return due <= now ? 0 : (due - now + 999999) / 1000000;
}

static void serve_until_end(struct server *sv)
{
	int err = 0;

	while (!err) {
		json_t *event = vm_event(&sv->s.vm, patience(sv), &err);

		if (event)
			err = event_serve(sv, event);
		json_decref(event);
		if (!err && sv->monitor && now_ns() >= monitor_due(sv->monitor) &&
		    monitor_sample(sv->monitor)) {
			warn(MONITOR_FAILED);
			monitor_close(take_ptr(sv->monitor));
		}
	}
	if (monitor_close(take_ptr(sv->monitor)))
		warn(MONITOR_FAILED);
}

int command_serve(int argc, char **argv)
{
	struct options o = {
		.synopsis = "serve",
		.summary = "Serve a run of kt-vmm, which starts this with a socket as its stdin.",
		.argc = argc,
		.argv = argv,
	};
	struct server sv = {};
	char *why = NULL;
	const char *value;
	json_t *answer;
	socklen_t len = sizeof(int);
	int type;

	while (options_next(&o, &value))
		;
	if (options_operands(&o)[0] || getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &type, &len))
		die(EXIT_USAGE, "serve: expected to be started by kt-vmm, with a socket as stdin");
	if (confine(&why))
		die(EXIT_INTERNAL, "%s", why);
	vm_adopt(&sv.s.vm, STDIN_FILENO);
	if (session_read(&sv.s, true, &why))
		die(EXIT_FAILURE, "%s", why);
	vm_keep_events(&sv.s.vm);
	answer = vm_ask(&sv.s.vm, json_pack("{s:s}", "command", "serve"), NULL, NULL, &why);
	if (!answer)
		die(EXIT_FAILURE, "%s", why);
	json_decref(answer);
	serve_until_end(&sv);
	/* The run has ended: all that was to be written is. */
	return 0;
}
