// SPDX-License-Identifier: GPL-2.0
#include "access.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "access_roots.h"
#include "access_value.h"
#include "btf_render.h"
#include "cleanup.h"
#include "diag.h"

#define RENDER_BUDGET 100000 /* JSON values of one variable */

/* What a path's first name may be, and what finds the variable that it begins with. */
static const struct {
	const char *name;
	int (*find)(struct access *a, struct target *t);
} roots[] = {
	{"var", root_variable},	 {"map", root_map},	  {"scx", root_scheduler},
	{"kernel", root_kernel}, {"module", root_module},
};

int access_fail(struct access *a, int err, const char *fmt, ...)
{
	_cleanup_free_ char *at = jsonpath_prefix(&a->path, a->step);
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	*a->why = xasprintf("%s: %s", at, text ? text : strerror(-err));
	return err;
}

const struct jsonpath_step *access_step(struct access *a, enum jsonpath_kind kind)
{
	const struct jsonpath_step *s = &a->path.steps[a->step];

	if (a->step == a->path.n_steps || s->kind != kind)
		return NULL;
	a->step++;
	return s;
}

int access_walk(struct access *a, struct target *t)
{
	struct field f = {.size = t->size, .type = t->type};
	int err = 0;

	while (a->step < a->path.n_steps) {
		const struct jsonpath_step *s = &a->path.steps[a->step];
		_cleanup_free_ char *parts = value_parts(t->type ? t->btf : NULL, f.type);

		if (!t->type || s->kind == JSONPATH_KEY)
			err = -ENOENT;
		else if (s->kind == JSONPATH_NAME)
			err = field_member(t->btf, s->name, &f);
		else
			err = field_element(t->btf, s->index, &f);
		a->step++;
		if (err)
			return access_fail(a, err, "not there: expected %s", parts);
	}
	t->address += f.offset;
	t->size = f.size;
	t->type = f.type;
	t->bit = f.bit;
	t->bits = f.bits;
	return 0;
}

static int find_parsed(struct access *a, struct target *t)
{
	const char *name = a->path.steps[0].name;
	size_t i;

	a->step = 1;
	for (i = 0; i < ARRAY_SIZE(roots); i++) {
		if (strcmp(roots[i].name, name))
			continue;
		if (a->path.n_steps == 1)
			return access_fail(a, -EINVAL, "expected a name behind it, as in %s.NAME",
					   name);
		return roots[i].find(a, t);
	}
	return access_fail(a, -EINVAL, "expected var., map., scx., kernel. or module. and a name");
}

int target_find(struct session *s, const char *name, struct target *t, char **why)
{
	struct access a = {.s = s, .k = &s->kernel, .why = why};
	const char *end;
	int err = jsonpath_parse(name, &a.path, &end, why);

	if (err)
		return err;
	*t = (struct target){};
	a.type = *end == ':' ? end + 1 : NULL;
	memory_flush(&a.k->memory);
	err = find_parsed(&a, t);
	jsonpath_free(&a.path);
	return err;
}

static int read_bytes(struct session *s, const char *name, const struct target *t, uint8_t *data,
		      char **why)
{
	int err = memory_read(&s->kernel.memory, t->address, data, t->size);

	if (err)
		*why = xasprintf("%s: not in the guest's memory", name);
	return err;
}

/* A bit field, or a number without a type. */
static json_t *number_json(const struct target *t, const uint8_t *data)
{
	bool sign = t->type && type_is_signed(t->btf, t->type);
	unsigned int bits = t->bits ? t->bits : t->size * 8, i;
	uint64_t value = 0;

	for (i = 0; i < bits && i < 64; i++)
		value |= (uint64_t)(data[(t->bit + i) / 8] >> (t->bit + i) % 8 & 1) << i;
	if (sign && bits < 64 && value >> (bits - 1))
		value |= -1ULL << bits;
	return sign ? json_integer(value) : u64_json(value);
}

static json_t *read_found(struct session *s, const char *name, const struct target *t, char **why)
{
	struct btf_render render = {.btf = t->btf, .budget = RENDER_BUDGET};
	_cleanup_free_ uint8_t *data = xmalloc(t->size + 1);

	if (read_bytes(s, name, t, data, why))
		return NULL;
	return t->bits || !t->type ? number_json(t, data)
				   : btf_render(&render, t->type, data, t->size);
}

json_t *target_read(struct session *s, const char *name, char **why)
{
	_cleanup_free_ char *ignored = NULL;
	json_t *value = NULL;
	struct target t;

	if (vm_freeze(&s->vm, why))
		return NULL;
	if (!target_find(s, name, &t, why))
		value = read_found(s, name, &t, why);
	vm_thaw(&s->vm, &ignored); /* the run may have ended: what was seen was seen */
	return value;
}

static int write_found(struct session *s, const char *name, const struct target *t,
		       const char *value, char **why)
{
	uint8_t data[ACCESS_MAX_BYTES], seen[ACCESS_MAX_BYTES];
	_cleanup_free_ char *expected = NULL;
	int err;

	if (t->constant) {
		*why = xasprintf("%s: %s", name, t->constant);
		return -EROFS;
	}
	if (t->size > sizeof(data)) {
		expected = value_parts(t->btf, t->type);
		*why = xasprintf("%s: expected %s", name, expected);
		return -ERANGE;
	}
	err = read_bytes(s, name, t, data, why);
	if (err)
		return err;
	err = value_encode(t, value, data, &expected);
	if (err) {
		*why = xasprintf("%s: '%s' does not fit: expected %s", name, value, expected);
		return err;
	}
	err = memory_write(&s->kernel.memory, t->address, data, t->size);
	if (!err && (memory_read(&s->kernel.memory, t->address, seen, t->size) ||
		     memcmp(data, seen, t->size)))
		err = -EIO;
	if (err)
		*why = xasprintf("%s: cannot write: %s", name, strerror(-err));
	return err;
}

int target_write(struct session *s, const char *name, const char *value, char **why)
{
	_cleanup_free_ char *ignored = NULL;
	struct target t;
	int err;

	if (vm_freeze(&s->vm, why))
		return -EREMOTEIO;
	err = target_find(s, name, &t, why);
	if (!err)
		err = write_found(s, name, &t, value, why);
	vm_thaw(&s->vm, &ignored);
	return err;
}
