// SPDX-License-Identifier: GPL-2.0
#include "triggers.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "vm_state.h"

/* @what, that the command line asked for, is not to be had. Said, and kept for run.json. */
static void unmet(struct vm *vm, const char *what, const char *why)
{
	if (!vm->r->unmet)
		vm->r->unmet = json_array();
	json_array_append_new(vm->r->unmet, json_sprintf("%s: %s", what, why));
	warn("%s: %s", what, why);
}

/* A reply that matters only when it is an error. @context: what was asked for. */
static void note_error(struct vm *vm, const json_t *reply, json_t *context)
{
	const char *error = json_string_value(json_object_get(reply, "error"));

	if (error)
		unmet(vm, json_string_value(context), error);
}

/* The same, of something that the guest stands still for. */
static void note_error_thaw(struct vm *vm, const json_t *reply, json_t *context)
{
	note_error(vm, reply, context);
	vm_thaw(vm);
}

void triggers_hello(struct vm *vm)
{
	const struct trigger_options *o = &vm->o->triggers;

	/* So early that it is there when the scheduler is. */
	if (o->scheduler && !vm->config.deterministic)
		reader_start(vm);
	if (o->monitor_ns)
		reader_ask(vm,
			   json_pack("{s:s,s:I}", "request", "monitor", "interval_ns",
				     (json_int_t)o->monitor_ns),
			   note_error, json_string("monitor"));
	else if (o->periodic)
		reader_start(vm);
}

/* Ask with the guest standing still until the reply: it must not get ahead of us. */
static void ask_frozen(struct vm *vm, json_t *request, const char *what)
{
	if (vm_freeze(vm))
		json_decref(request);
	else
		reader_ask(vm, request, note_error_thaw, json_string(what));
}

static void scheduler_attached(struct vm *vm)
{
	const struct trigger_options *o = &vm->o->triggers;

	if (vm->config.deterministic || !o->scheduler)
		return;
	if (o->watchdog_ns)
		ask_frozen(vm,
			   json_pack("{s:s,s:I}", "request", "watchdog", "timeout_ns",
				     (json_int_t)o->watchdog_ns),
			   "watchdog timeout");
	ask_frozen(vm, json_pack("{s:s}", "request", "watch-exit"),
		   "snapshot of the scheduler's error exit");
}

void triggers_event(struct vm *vm, const json_t *event)
{
	const char *name = json_string_value(json_object_get(event, "event"));
	struct triggers *t = &vm->triggers;
	json_int_t duration;

	if (!name)
		return;
	if (!strcmp(name, "scheduler-attached")) {
		scheduler_attached(vm);
	} else if (!strcmp(name, "scenario-start")) {
		duration = json_integer_value(json_object_get(event, "duration_ns"));
		t->begin_ns = now_ns();
		t->duration_ns = duration > 0 && duration < INT64_MAX / 10 ? duration : 0;
	} else if (!strcmp(name, "scenario-end")) {
		t->duration_ns = 0;
	}
}

uint64_t triggers_due(const struct vm *vm)
{
	const struct triggers *t = &vm->triggers;
	unsigned int n = vm->o->triggers.periodic;
	double at;

	if (!t->duration_ns || t->taken >= n)
		return UINT64_MAX;
	at = 0.1 + (t->taken + 1) * 0.8 / (n + 1);
	return t->begin_ns + (uint64_t)(at * t->duration_ns);
}

void triggers_run(struct vm *vm)
{
	while (!vm->frozen && now_ns() >= triggers_due(vm)) {
		_cleanup_free_ char *name = xasprintf("periodic_%03u", vm->triggers.taken++);

		reader_ask(vm,
			   json_pack("{s:s,s:s,s:s}", "request", "snapshot", "name", name,
				     "trigger", "periodic"),
			   note_error, json_sprintf("snapshot %s", name));
	}
}

void triggers_thawed(struct vm *vm, uint64_t ns)
{
	vm->triggers.begin_ns += ns;
}

static void last_done(struct vm *vm, const json_t *reply, json_t *context)
{
	const char *error = json_string_value(json_object_get(reply, "error"));

	if (error)
		warn("no snapshot of the end: %s", error);
	(void)context;
	vm->triggers.last = LAST_DONE;
	vm_thaw(vm);
	if (vm->triggers_last_done)
		vm->triggers_last_done(vm);
}

bool triggers_last(struct vm *vm, const char *name, void (*done)(struct vm *vm))
{
	struct triggers *t = &vm->triggers;

	if (t->last != LAST_NONE)
		return t->last == LAST_UNDER_WAY;
	t->last = LAST_DONE;
	if (!vm->r->hello || vm_freeze(vm))
		return false;
	t->last = LAST_UNDER_WAY;
	vm->triggers_last_done = done;
	reader_ask(vm,
		   json_pack("{s:s,s:s,s:s}", "request", "snapshot", "name", name, "trigger", name),
		   last_done, NULL);
	return t->last == LAST_UNDER_WAY;
}
