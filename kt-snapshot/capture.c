// SPDX-License-Identifier: GPL-2.0
#include "capture.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "cleanup.h"
#include "clock.h"
#include "diag.h"

const struct capture_section *const capture_sections[] = {
	&section_cpus, &section_regs, &section_scx, &section_domain,
	&section_map,  &section_prog, NULL,
};

void capture_missing(struct capture *c, const char *fmt, ...)
{
	json_t *text;
	va_list ap;

	va_start(ap, fmt);
	text = json_vsprintf(fmt, ap);
	va_end(ap);
	json_array_append_new(c->missing, text);
}

/* A part of "struct rq.curr or runqueues". */
static bool one_is_there(const struct kernel *k, const char *text, size_t len)
{
	_cleanup_free_ char *name = xstrndup(text, len);
	char *type = !strncmp(name, "struct ", 7) ? name + 7 : NULL, *dot;
	struct field f;

	if (!type)
		return kallsyms_find(&k->symbols, name);
	dot = strchr(type, '.');
	if (!dot)
		return types_find(&k->types, type);
	*dot = '\0';
	return !types_field(&k->types, type, dot + 1, &f);
}

static bool is_there(const struct kernel *k, const char *need)
{
	static const char or [] = " or ";
	const char *end;

	for (; (end = strstr(need, or)); need = end + strlen(or)) {
		if (one_is_there(k, need, end - need))
			return true;
	}
	return one_is_there(k, need, strlen(need));
}

static void note_needs(struct capture *c, const struct capture_section *s)
{
	size_t i;

	for (i = 0; s->needs && s->needs[i]; i++) {
		if (is_there(c->kernel, s->needs[i]))
			continue;
		capture_missing(c, "%s", s->needs[i]);
		if (!i)
			return;
	}
}

static bool wanted(const struct capture_want *want, const char *name)
{
	size_t i;

	for (i = 0; want->sections && want->sections[i]; i++) {
		if (!strcmp(want->sections[i], name))
			return true;
	}
	return !want->sections;
}

/*
 * The guest's own time: the latest of the CPUs' runqueue clocks (sched_clock(), nanoseconds since
 * boot). It stands still while the guest is idle.
 */
static uint64_t guest_time(struct capture *c)
{
	struct kernel *k = c->kernel;
	uint64_t rq = kallsyms_find(&k->symbols, "runqueues"), latest = 0;
	struct field f;
	int64_t clock;
	uint32_t cpu;

	if (!rq || types_field(&k->types, "rq", "clock", &f)) {
		capture_missing(c, "t_ns: %s", rq ? "struct rq.clock" : "runqueues");
		return 0;
	}
	for (cpu = 0; cpu < k->n_cpus; cpu++) {
		if (!kernel_field_number(k, &f, kernel_per_cpu(k, rq, cpu), &clock) &&
		    (uint64_t)clock > latest)
			latest = clock;
	}
	return latest;
}

static void prepare(struct capture *c)
{
	size_t i;

	memory_flush(&c->kernel->memory);
	for (i = 0; !c->want->frozen && capture_sections[i]; i++) {
		const struct capture_section *s = capture_sections[i];

		if (s->prepare && wanted(c->want, s->name))
			s->prepare(c);
	}
}

/* Everything that has to be one moment. Returns how long the guest stood still. */
static uint64_t collect(struct capture *c, void **states)
{
	uint64_t begin = now_ns();
	size_t i;

	memory_flush(&c->kernel->memory);
	json_object_set_new(c->doc, "t_ns", json_integer(guest_time(c)));
	for (i = 0; capture_sections[i]; i++) {
		const struct capture_section *s = capture_sections[i];
		int err = 0;

		if (s->collect && wanted(c->want, s->name))
			err = s->collect(c, &states[i]);
		if (err)
			capture_missing(c, "section %s: %s", s->name, strerror(-err));
	}
	return now_ns() - begin;
}

static void render(struct capture *c, void **states)
{
	size_t i;

	for (i = 0; capture_sections[i]; i++) {
		const struct capture_section *s = capture_sections[i];
		int err = 0;

		if (wanted(c->want, s->name))
			note_needs(c, s);
		if (s->render && wanted(c->want, s->name) && (states[i] || !s->collect))
			err = s->render(c, states[i]);
		if (err)
			capture_missing(c, "section %s: %s", s->name, strerror(-err));
		if (s->release && states[i])
			s->release(states[i]);
	}
}

json_t *capture_take(struct session *s, const struct capture_want *want, const char *name,
		     const char *trigger, char **why)
{
	void *states[ARRAY_SIZE(capture_sections)] = {};
	struct capture c = {
		.kernel = &s->kernel,
		.vm = &s->vm,
		.want = want,
		.doc = json_object(),
		.missing = json_array(),
	};
	uint64_t frozen, begin;

	json_object_set_new(c.doc, "schema", json_string("kt-snapshot/1"));
	json_object_set_new(c.doc, "name", name ? json_string(name) : json_null());
	json_object_set_new(c.doc, "trigger", json_string(trigger));
	json_object_set_new(c.doc, "kernel", json_string(s->kernel.release));
	prepare(&c);
	begin = now_ns();
	if (!want->frozen && vm_freeze(&s->vm, why)) {
		json_decref(c.doc);
		json_decref(c.missing);
		return NULL;
	}
	frozen = collect(&c, states);
	if (vm_thaw(&s->vm, why)) /* the run may have ended: what was seen was seen */
		free(take_ptr(*why));
	json_object_set_new(c.doc, "frozen_ns", json_integer(frozen));
	if (!want->frozen)
		json_object_set_new(c.doc, "stopped_ns", json_integer(now_ns() - begin));
	render(&c, states);
	json_object_set_new(c.doc, "missing", c.missing);
	return c.doc;
}
