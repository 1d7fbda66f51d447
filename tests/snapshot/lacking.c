// SPDX-License-Identifier: GPL-2.0
/* Look-ups come here first: the linker wraps them (ld(1), --wrap). */
#include "lacking.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf.h"
#include "capture.h"
#include "cleanup.h"
#include "diag.h"
#include "exits.h"
#include "kallsyms.h"

#define SECTIONS_MAX 16

/* "struct rq.curr", "struct rq" or "runqueues", and which sections have asked for it. */
struct name {
	char *text;
	bool asked[SECTIONS_MAX];
};

static struct name *names;
static size_t n_names, section;
static const char *hidden;
static bool listening;

static bool is_hidden(const char *text)
{
	return hidden && !strcmp(hidden, text);
}

static void note(const char *text)
{
	size_t i;

	for (i = 0; i < n_names && strcmp(names[i].text, text); i++)
		;
	if (i == n_names) {
		names = xrealloc(names, ++n_names * sizeof(*names));
		names[i] = (struct name){.text = xstrdup(text)};
	}
	names[i].asked[section] = true;
}

int __real_types_field(const struct types *t, const char *name, const char *path, struct field *f);
int __wrap_types_field(const struct types *t, const char *name, const char *path, struct field *f);
int __wrap_types_field(const struct types *t, const char *name, const char *path, struct field *f)
{
	_cleanup_free_ char *text = xasprintf("struct %s.%s", name, path);
	_cleanup_free_ char *type = xasprintf("struct %s", name);
	int err = __real_types_field(t, name, path, f);

	if (is_hidden(text) || is_hidden(type)) {
		*f = (struct field){};
		return -ENOENT;
	}
	if (listening && !err)
		note(text);
	return err;
}

/* Struct @name was asked for, and is @there: note that. Is it to be hidden? */
static bool struct_hidden(const char *name, bool there)
{
	_cleanup_free_ char *text = xasprintf("struct %s", name);

	if (listening && there)
		note(text);
	return is_hidden(text);
}

uint32_t __real_types_find(const struct types *t, const char *name);
uint32_t __wrap_types_find(const struct types *t, const char *name);
uint32_t __wrap_types_find(const struct types *t, const char *name)
{
	uint32_t id = __real_types_find(t, name);

	return struct_hidden(name, id) ? 0 : id;
}

uint32_t __real_types_size(const struct types *t, const char *name);
uint32_t __wrap_types_size(const struct types *t, const char *name);
uint32_t __wrap_types_size(const struct types *t, const char *name)
{
	uint32_t size = __real_types_size(t, name);

	return struct_hidden(name, size) ? 0 : size;
}

uint64_t __real_kallsyms_find(const struct kallsyms *k, const char *name);
uint64_t __wrap_kallsyms_find(const struct kallsyms *k, const char *name);
uint64_t __wrap_kallsyms_find(const struct kallsyms *k, const char *name)
{
	uint64_t address = __real_kallsyms_find(k, name);

	if (listening && address)
		note(name);
	return is_hidden(name) ? 0 : address;
}

/* One section, the BPF layout looked up anew; what differs from capture to capture is left out. */
static json_t *capture_one(struct session *s)
{
	const char *wanted[] = {capture_sections[section]->name, NULL};
	struct capture_want want = {.sections = wanted};
	char *why = NULL;
	json_t *doc;

	bpf_free(s->kernel.bpf);
	s->kernel.bpf = NULL;
	doc = capture_take(s, &want, NULL, "lacking", &why);
	if (!doc)
		die(EXIT_FAILURE, "there is no capture: %s", why);
	json_object_del(doc, "frozen_ns");
	json_object_del(doc, "stopped_ns");
	return doc;
}

/* Whether @doc says in "missing" that it lacks @name. */
static bool is_said(const json_t *doc, const char *name)
{
	const json_t *missing = json_object_get(doc, "missing");
	const char *text;
	size_t i;

	for (i = 0; i < json_array_size(missing); i++) {
		text = json_string_value(json_array_get(missing, i));
		if (strstr(text, name))
			return true;
	}
	return false;
}

/* What older kernels that we read have not got, and nobody misses there. */
static bool is_young(const char *name)
{
	static const char *const young[] = {
		"struct sched_ext_ops.sub_cgroup_id", "struct rq.scx.reject_dsq",
		"struct rq.scx.bypass_dsq",	      "struct scx_sched_pcpu.bypass_dsq",
		"struct sched_group.cores",	      "struct bpf_ringbuf.pending_pos",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(young); i++) {
		if (!strcmp(young[i], name))
			return true;
	}
	return false;
}

/* Returns whether it is as it should be. */
static bool compare_one(const struct name *n, const json_t *before, const json_t *after)
{
	const char *what = capture_sections[section]->name;

	if (json_equal(before, after))
		return true;
	if (!n->asked[section])
		printf("%s: changed without %s, which it has not asked for\n", what, n->text);
	else if (!is_said(after, n->text) && !is_young(n->text))
		printf("%s: changed without %s, and does not say so\n", what, n->text);
	else
		return true;
	return false;
}

int lacking(struct image *im)
{
	json_t *before[SECTIONS_MAX], *after;
	struct session s = {};
	size_t i, wrong = 0, changed = 0;

	vm_adopt(&s.vm, image_vm(im));
	if (image_open(im, &s.kernel))
		die(EXIT_FAILURE, "the kernel does not open");
	listening = true;
	for (section = 0; capture_sections[section]; section++)
		before[section] = capture_one(&s);
	listening = false;
	for (i = 0; i < n_names; i++) {
		hidden = names[i].text;
		for (section = 0; capture_sections[section]; section++) {
			after = capture_one(&s);
			changed += !json_equal(before[section], after);
			wrong += !compare_one(&names[i], before[section], after);
			json_decref(after);
		}
	}
	printf("%zu names, %zu sections changed, %zu wrong\n", n_names, changed, wrong);
	session_close(&s);
	return wrong ? EXIT_FAILURE : 0;
}
