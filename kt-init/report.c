// SPDX-License-Identifier: GPL-2.0
/* What the host is told of the run: HELLO, events, EXIT (docs/channel.md). */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "run.h"

static void send_json(struct run *r, enum frame_type type, json_t *object)
{
	_cleanup_free_ char *text = json_dumps(object, JSON_COMPACT);

	json_decref(object);
	if (text)
		frame_send(r->port, type, text, strlen(text));
}

/* Address and size of the VMCOREINFO note, in hex, as /sys/kernel/vmcoreinfo gives them. */
static void vmcoreinfo_read(unsigned long long *addr, unsigned long long *size)
{
	_cleanup_fclose_ FILE *f = fopen("/sys/kernel/vmcoreinfo", "re");

	*addr = *size = 0;
	if (f && fscanf(f, "%llx %llx", addr, size) != 2)
		*addr = *size = 0;
}

void send_hello(struct run *r)
{
	unsigned long long addr, size;
	struct utsname u;

	uname(&u);
	vmcoreinfo_read(&addr, &size);
	send_json(r, FRAME_HELLO,
		  json_pack("{s:s, s:s, s:i, s:I, s:I}", "schema", "kt-hello/1", "kernel",
			    u.release, "cpus", (int)sysconf(_SC_NPROCESSORS_ONLN),
			    "vmcoreinfo_addr", (json_int_t)addr, "vmcoreinfo_size",
			    (json_int_t)size));
}

void send_event(struct run *r, const char *event, const char *key, const char *value)
{
	json_t *e = json_pack("{s:s, s:I}", "event", event, "t_ns", (json_int_t)now_ns());

	if (key && value)
		json_object_set_new(e, key, json_string(value));
	send_json(r, FRAME_EVENT, e);
}

char *status_describe(const struct child *c)
{
	if (!c->exited)
		return xstrdup(c->pid ? "still running" : "not started");
	if (WIFSIGNALED(c->status))
		return xasprintf("killed by signal %d (%s)", WTERMSIG(c->status),
				 strsignal(WTERMSIG(c->status)));
	return xasprintf("exit status %d", WEXITSTATUS(c->status));
}

static long oom_kills(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/vmstat", "re");
	char name[64];
	long v;

	while (f && fscanf(f, "%63s %ld", name, &v) == 2) {
		if (!strcmp(name, "oom_kill"))
			return v;
	}
	return 0;
}

/* The message may hold a file's name, which need not be UTF-8 as JSON is. */
static json_t *message_json(const char *message)
{
	_cleanup_free_ char *ascii = NULL;
	json_t *j = json_string(message);
	char *p;

	if (j || !message)
		return j;
	ascii = xstrdup(message);
	for (p = ascii; *p; p++) {
		if (*p & 0x80)
			*p = '?';
	}
	return json_string(ascii);
}

void send_exit(struct run *r)
{
	json_t *e = json_pack("{s:s, s:s, s:i, s:o?, s:I, s:I}", "schema", "kt-exit/1", "outcome",
			      r->outcome, "status", r->status, "message", message_json(r->message),
			      "oom_kills", (json_int_t)oom_kills(), "command_ns",
			      (json_int_t)r->command_ns);

	if (r->signal)
		json_object_set_new(e, "signal", json_integer(r->signal));
	if (guestconf_get(r->conf, "sched") || r->sched_name) {
		_cleanup_free_ char *how = status_describe(&r->sched);

		json_object_set_new(
			e, "scheduler",
			json_pack("{s:s?, s:s, s:s?, s:s?, s:s?, s:b}", "name", r->sched_name,
				  "process", how, "exit_kind", r->sched_exit.kind, "exit_reason",
				  r->sched_exit.reason, "exit_message", r->sched_exit.message,
				  "error", sched_exit_is_error(&r->sched_exit)));
	}
	send_json(r, FRAME_EXIT, e);
}
