// SPDX-License-Identifier: GPL-2.0
#include "outcome.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "printable.h"
#include "status.h"

/* Outcomes that kt-init may report. The others are the host's own findings. */
static const char *const guest_outcomes[] = {
	"exited",	  "signalled",	      "not-found",     "not-executable",
	"scheduler-died", "scheduler-failed", "module-failed",
};

void outcome_set(struct outcome *o, const char *name, int status, char *message)
{
	if (o->name) {
		free(message);
		return;
	}
	o->name = name;
	o->status = status;
	o->message = message;
}

/* A string of the guest, made printable; NULL when it is missing. */
static char *guest_string(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? printable_copy(s, 4096) : NULL;
}

static void sched_take(struct outcome *o, const json_t *s)
{
	o->sched_name = guest_string(s, "name");
	o->sched_process = guest_string(s, "process");
	o->sched_kind = guest_string(s, "exit_kind");
	o->sched_reason = guest_string(s, "exit_reason");
	o->sched_message = guest_string(s, "exit_message");
	o->sched_error = json_is_true(json_object_get(s, "error"));
}

static int exit_take(struct outcome *o, const json_t *e)
{
	const char *name = json_string_value(json_object_get(e, "outcome"));
	json_int_t status = json_integer_value(json_object_get(e, "status"));
	json_int_t signal = json_integer_value(json_object_get(e, "signal"));
	const json_t *sched = json_object_get(e, "scheduler");
	size_t i;

	for (i = 0; name && i < ARRAY_SIZE(guest_outcomes); i++) {
		if (!strcmp(name, guest_outcomes[i]))
			break;
	}
	if (!name || i == ARRAY_SIZE(guest_outcomes) || status < 0 || status > 255)
		return -EBADMSG;
	o->have_exit = true;
	o->command_ns = json_integer_value(json_object_get(e, "command_ns"));
	o->oom_kills = json_integer_value(json_object_get(e, "oom_kills"));
	if (json_is_object(sched))
		sched_take(o, sched);
	if (signal == SIGKILL && o->oom_kills > 0)
		outcome_set(o, "oom-kill", status,
			    xasprintf("the guest's OOM killer ended the command (%lld kills)",
				      (long long)o->oom_kills));
	else
		outcome_set(o, guest_outcomes[i], status, guest_string(e, "message"));
	return 0;
}

int outcome_from_exit(struct outcome *o, const void *data, size_t len)
{
	json_t *e = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);
	int err = json_is_object(e) ? exit_take(o, e) : -EBADMSG;

	json_decref(e);
	return err;
}

void outcome_check_console(struct outcome *o, const struct console *c)
{
	if (!c->oops && !(c->panic && !o->have_exit))
		return;
	free(take_ptr(o->message));
	o->name = NULL;
	outcome_set(o, c->oops ? "oops" : "panic", c->oops ? STATUS_OOPS : STATUS_PANIC,
		    xasprintf("the guest's kernel: %s", c->reason));
}

void outcome_from_silence(struct outcome *o, const struct console *c)
{
	if (c->oops || c->panic)
		outcome_check_console(o, c);
	else
		outcome_set(o, "guest-died", STATUS_GUEST_DIED,
			    xstrdup("the guest ended without reporting how"));
}

void outcome_free(struct outcome *o)
{
	free(o->message);
	free(o->sched_name);
	free(o->sched_process);
	free(o->sched_kind);
	free(o->sched_reason);
	free(o->sched_message);
	memset(o, 0, sizeof(*o));
}
