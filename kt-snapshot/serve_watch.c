// SPDX-License-Identifier: GPL-2.0
/* What the reader watches for: three variables for scenarios, and the scheduler's exit. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "cleanup.h"
#include "diag.h"
#include "serve.h"

#define EXIT_WATCH  0 /* its number; the others count from 1 */
#define WATCH_MAX   8 /* bytes, as debug registers have it */
#define KERNEL_HALF 0xffff800000000000ULL

/* Ask for a command that has but one member. Returns 0 or -EREMOTEIO with *@why. */
static int watch_command(struct server *sv, json_t *request, char **why)
{
	json_t *answer = vm_ask(&sv->s.vm, request, NULL, NULL, why);

	json_decref(answer);
	return answer ? 0 : -EREMOTEIO;
}

static int watch_arm(struct server *sv, int id, const struct target *t, char **why)
{
	unsigned int size = WATCH_MAX;

	while (size > t->size || t->address % size)
		size /= 2;
	return watch_command(sv,
			     json_pack("{s:s,s:i,s:o,s:i}", "command", "watch", "watch", id,
				       "address", json_sprintf("0x%" PRIx64, t->address), "size",
				       (int)size),
			     why);
}

static void watch_disarm(struct server *sv, int id)
{
	char *why = NULL;

	if (watch_command(sv, json_pack("{s:s,s:i}", "command", "unwatch", "watch", id), &why))
		debug("%s", why);
	free(why);
}

static void say(struct server *sv, json_t *event)
{
	char *why = NULL;

	if (watch_command(sv, json_pack("{s:s,s:o}", "command", "event", "content", event), &why))
		debug("%s", why);
	free(why);
}

/* Captures become files of that name. */
static char *name_safe(const char *name)
{
	char *safe = xstrndup(name, 64), *c;

	for (c = safe; *c; c++) {
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.",
			    *c))
			*c = '_';
	}
	if (*safe == '.')
		*safe = '_';
	return safe;
}

/* A symbol whose type nobody knows: its first bytes, as far as the next symbol. */
static int symbol_find(struct server *sv, const char *name, struct target *t)
{
	const struct kallsyms *k = &sv->s.kernel.symbols;
	uint64_t address = kallsyms_find(k, name);

	if (address < KERNEL_HALF) /* not there, or per-CPU */
		return -ENOENT;
	*t = (struct target){.address = address, .size = WATCH_MAX};
	while (t->size > 1 && kallsyms_at(k, address + t->size - 1)->address > address)
		t->size /= 2;
	return 0;
}

/* A bare name is a kernel variable, or else a BPF program's. */
static int variable_find(struct server *sv, const char *name, struct target *t, char **why)
{
	_cleanup_free_ char *kernel = xasprintf("kernel.%s", name);
	_cleanup_free_ char *global = xasprintf("var.%s", name);
	_cleanup_free_ char *none = NULL;

	if (!strchr(name, '.')) {
		if (!target_find(&sv->s, kernel, t, why) || !symbol_find(sv, name, t) ||
		    !target_find(&sv->s, global, t, &none)) {
			free(take_ptr(*why));
			return 0;
		}
		return -ENOENT;
	}
	return target_find(&sv->s, name, t, why);
}

static json_t *watch_frozen(struct server *sv, const char *name)
{
	struct target t = {};
	char *why = NULL;
	int i;

	for (i = 0; i < SERVE_WATCHES && sv->watches[i].name; i++) {
		if (!strcmp(sv->watches[i].name, name))
			return serve_refuse("'%s' is watched already", name);
	}
	if (i == SERVE_WATCHES)
		return serve_refuse("no more watches: expected at most %d at a time",
				    SERVE_WATCHES);
	if (variable_find(sv, name, &t, &why))
		return serve_refuse_why(why);
	if (!t.size || t.size > WATCH_MAX)
		return serve_refuse("'%s' has %u bytes: expected a variable of 1 to %d", name,
				    t.size, WATCH_MAX);
	if (watch_arm(sv, i + 1, &t, &why))
		return serve_refuse_why(why);
	sv->watches[i] = (struct serve_watch){.name = xstrdup(name), .address = t.address};
	return json_pack("{s:b,s:o,s:i}", "ok", 1, "address", json_sprintf("0x%" PRIx64, t.address),
			 "max_fires", SERVE_MAX_FIRES);
}

json_t *serve_watch(struct server *sv, const char *name)
{
	json_t *reply;
	char *why = NULL;

	if (vm_freeze(&sv->s.vm, &why))
		return serve_refuse_why(why);
	memory_flush(&sv->s.kernel.memory);
	reply = watch_frozen(sv, name);
	if (vm_thaw(&sv->s.vm, &why))
		free(why);
	return reply;
}

/* The scheduler's exit_kind; 0, SCX_EXIT_NONE, while it lives. */
static uint32_t exit_kind(struct server *sv)
{
	uint32_t kind;

	memory_flush(&sv->s.kernel.memory);
	return memory_u32(&sv->s.kernel.memory, sv->exit.address, &kind) ? 0 : kind;
}

/* Is it one of an error? (enum scx_exit_kind, kernel/sched/ext_internal.h) */
static bool exit_is_error(struct server *sv, uint32_t kind)
{
	int64_t error = 1024;

	types_enumerator(&sv->s.kernel.types, "SCX_EXIT_ERROR", &error);
	return kind >= error;
}

static int exit_find(struct server *sv, struct target *t, char **why)
{
	if (!target_find(&sv->s, "scx.exit_kind", t, why))
		return 0;
	free(take_ptr(*why));
	return target_find(&sv->s, "kernel.scx_exit_kind:u32", t, why); /* up to 6.15 */
}

static json_t *watch_exit_frozen(struct server *sv)
{
	struct target t;
	char *why = NULL;

	if (sv->exit.address)
		watch_disarm(sv, EXIT_WATCH);
	sv->exit.address = 0;
	if (exit_find(sv, &t, &why))
		return serve_refuse_why(why);
	sv->exit.address = t.address;
	if (exit_is_error(sv, exit_kind(sv))) /* it was quicker */
		return serve_capture(sv, "sched_exit", "sched-exit", false);
	if (watch_arm(sv, EXIT_WATCH, &t, &why)) {
		sv->exit.address = 0;
		return serve_refuse_why(why);
	}
	return json_pack("{s:b}", "ok", 1);
}

json_t *serve_watch_exit(struct server *sv)
{
	json_t *reply;
	char *why = NULL;

	if (vm_freeze(&sv->s.vm, &why))
		return serve_refuse_why(why);
	memory_flush(&sv->s.kernel.memory);
	reply = watch_exit_frozen(sv);
	if (vm_thaw(&sv->s.vm, &why))
		free(why);
	return reply;
}

static void capture_hit(struct server *sv, const char *name, const char *trigger)
{
	json_t *reply = serve_capture(sv, name, trigger, true);
	const char *error = json_string_value(json_object_get(reply, "error"));

	if (error)
		say(sv, json_pack("{s:s,s:s,s:s}", "event", "snapshot-failed", "name", name,
				  "error", error));
	json_decref(reply);
}

static void exit_hit(struct server *sv)
{
	uint32_t kind = exit_kind(sv);
	char *why = NULL;

	/* It ends one way or the other, and its memory will be another's. */
	if (kind) {
		watch_disarm(sv, EXIT_WATCH);
		sv->exit.address = 0;
	}
	if (exit_is_error(sv, kind))
		capture_hit(sv, "sched_exit", "sched-exit");
	else if (vm_thaw(&sv->s.vm, &why))
		free(why);
}

void serve_hit(struct server *sv, json_int_t id)
{
	struct serve_watch *w = id >= 1 && id <= SERVE_WATCHES ? &sv->watches[id - 1] : NULL;
	_cleanup_free_ char *safe = NULL, *name = NULL, *why = NULL;

	if (id == EXIT_WATCH && sv->exit.address) {
		exit_hit(sv);
		return;
	}
	if (!w || !w->name) { /* of a watch that is no more */
		vm_thaw(&sv->s.vm, &why);
		return;
	}
	safe = name_safe(w->name);
	name = xasprintf("%s.%u", safe, ++w->fires);
	if (w->fires == SERVE_MAX_FIRES)
		watch_disarm(sv, id);
	capture_hit(sv, name, "watch");
	if (w->fires < SERVE_MAX_FIRES)
		return;
	say(sv, json_pack("{s:s,s:s,s:i}", "event", "watch-disarmed", "watch", w->name, "fires",
			  (int)w->fires));
	free(w->name);
	*w = (struct serve_watch){};
}
