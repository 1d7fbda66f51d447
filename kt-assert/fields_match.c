// SPDX-License-Identifier: GPL-2.0
/* Finding the fields: each path's way through the document, as yajl reports it. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"
#include "fields_state.h"

/* What the value that comes is for a path: several may hold at once. */
enum {
	IS_STEP = 1,   /* the next step's value */
	IS_VALUE = 2,  /* an entry's "value": the next step may be in it */
	IS_KEY = 4,    /* an element's "key": the pending test may be in it */
	IS_TEST = 8,   /* the member that the pending test is about */
	IS_FIRST = 16, /* element that is still to pass */
};

void field_clear(struct field *v)
{
	free(v->text);
	memset(v, 0, sizeof(*v));
}

static void field_move(struct field *to, struct field *from)
{
	field_clear(to);
	*to = *from;
	memset(from, 0, sizeof(*from));
}

void slot_clear(struct slot *s)
{
	field_clear(&s->own);
	field_clear(&s->other);
	memset(s, 0, sizeof(*s));
	s->state = -1;
	s->own_test = -1;
}

static const struct jsonpath_step *step_of(const struct fields *f, size_t i, int state)
{
	const struct jsonpath *p = f->paths[i];

	return state >= 0 && (size_t)state < p->n_steps ? &p->steps[state] : NULL;
}

static bool name_is(const char *name, const char *key, size_t len)
{
	return strlen(name) == len && !memcmp(name, key, len);
}

/* The member that an element is tested by, or NULL: by whether the path leads on from it. */
static const char *tested_member(const struct jsonpath_step *test)
{
	switch (test->kind) {
	case JSONPATH_NAME:
		return "name";
	case JSONPATH_KEY:
		return test->name;
	default:
		return NULL;
	}
}

/* What the value of member @key is for the path. */
static unsigned int member_uses(const struct fields *f, size_t i, const struct slot *s,
				const char *key, size_t len)
{
	const struct jsonpath_step *next = step_of(f, i, s->state);
	const struct jsonpath_step *test = s->pending ? step_of(f, i, s->state - 1) : NULL;
	unsigned int uses = 0;

	if (next && next->kind == JSONPATH_NAME && name_is(next->name, key, len))
		uses |= IS_STEP;
	else if (next && !s->by_value && name_is("value", key, len))
		uses |= IS_VALUE;
	if (name_is("key", key, len))
		uses |= IS_KEY;
	if (test && tested_member(test) && name_is(tested_member(test), key, len))
		uses |= IS_TEST;
	if (s->key_test && name_is(s->key_test->name, key, len))
		uses |= IS_TEST;
	return uses;
}

static int on_map_key(void *ctx, const unsigned char *key, size_t len)
{
	struct fields *f = ctx;
	struct frame *top = f->depth ? &f->frames[f->depth - 1] : NULL;
	size_t i;

	if (f->skip)
		return 1;
	for (i = 0; i < f->n_paths; i++) {
		struct slot *s = &top->slots[i];

		if (s->state < 0 && !s->key_test)
			continue;
		s->next = member_uses(f, i, s, (const char *)key, len);
		/* Of a key that is there twice the last one counts. */
		if (s->next & IS_STEP) {
			field_clear(&s->own);
			s->has_step = true;
		}
		if (s->next & IS_VALUE)
			field_clear(&s->other);
		if (s->next & IS_KEY) {
			s->has_key = true;
			s->key_passed = false;
		}
	}
	return 1;
}

/* What the array's next element is for each path. */
static void element_uses(struct fields *f, struct frame *top)
{
	size_t i;

	for (i = 0; i < f->n_paths; i++) {
		struct slot *s = &top->slots[i];
		const struct jsonpath_step *next = step_of(f, i, s->state);

		s->next = 0;
		if (!next || s->chosen)
			continue;
		if (next->kind == JSONPATH_INDEX && next->index == top->index)
			s->next = IS_STEP;
		else if (next->kind != JSONPATH_INDEX)
			s->next = IS_STEP | IS_FIRST;
	}
}

/* A value begins: look where it stands. Returns the frame around it, NULL when it is unwanted. */
static struct frame *value_begins(struct fields *f)
{
	struct frame *top = f->depth ? &f->frames[f->depth - 1] : NULL;

	if (f->skip || !top)
		return NULL;
	if (top->is_array) {
		element_uses(f, top);
		top->index++;
	}
	return top;
}

/* @v against the test @s. */
static bool value_passes(const struct jsonpath_step *s, const struct field *v)
{
	if (s->kind == JSONPATH_NAME)
		return v->kind == FIELD_STRING && name_is(s->name, v->text, v->len);
	switch (v->kind) {
	case FIELD_STRING:
		return v->len <= FIELDS_STRING_MAX && jsonpath_equals_string(s, v->text, v->len);
	case FIELD_NUMBER:
		return jsonpath_equals_number(s, v->number);
	case FIELD_TRUE:
		return jsonpath_equals_word(s, "true");
	case FIELD_FALSE:
		return jsonpath_equals_word(s, "false");
	case FIELD_NULL:
		return jsonpath_equals_word(s, "null");
	default:
		return false;
	}
}

/* The element that @s is in, or that its "key" is in, has the member that the test is about. */
static void test_value(struct fields *f, size_t i, struct slot *s, const struct field *v)
{
	const struct jsonpath_step *test = s->pending ? step_of(f, i, s->state - 1) : NULL;

	if (test)
		s->own_test = value_passes(test, v);
	else if (s->key_test)
		f->frames[f->depth - 2].slots[i].key_passed = value_passes(s->key_test, v);
}

static void slot_value(struct fields *f, size_t i, struct slot *s, const struct field *v)
{
	if (s->next & IS_TEST)
		test_value(f, i, s, v);
	if (!(s->next & IS_STEP) || s->next & IS_FIRST)
		return;
	field_clear(&s->own);
	if ((size_t)s->state + 1 == f->paths[i]->n_steps) {
		s->own = *v;
		if (v->kind == FIELD_STRING)
			s->own.text = xstrndup(
				v->text, v->len < FIELDS_STRING_MAX ? v->len : FIELDS_STRING_MAX);
	} else {
		s->own.steps = s->state + 1;
	}
}

/* A string, number or word. */
static int scalar(struct fields *f, const struct field *v)
{
	struct frame *top = value_begins(f);
	size_t i;

	if (f->skip)
		return 1;
	if (!top)
		return fields_fail(f, fields_here(f), "expected an object for each sample");
	for (i = 0; i < f->n_paths; i++) {
		if (top->slots[i].next)
			slot_value(f, i, &top->slots[i], v);
		top->slots[i].next = 0;
	}
	return 1;
}

static int on_null(void *ctx)
{
	return scalar(ctx, &(struct field){.kind = FIELD_NULL});
}

static int on_boolean(void *ctx, int value)
{
	return scalar(ctx, &(struct field){.kind = value ? FIELD_TRUE : FIELD_FALSE});
}

static int on_string(void *ctx, const unsigned char *s, size_t len)
{
	return scalar(ctx, &(struct field){.kind = FIELD_STRING, .text = (char *)s, .len = len});
}

/* Is there a path for which the value that comes counts? */
static bool is_wanted(const struct fields *f)
{
	const struct frame *top = f->depth ? &f->frames[f->depth - 1] : NULL;
	size_t i;

	for (i = 0; top && !top->is_array && i < f->n_paths; i++) {
		if (top->slots[i].next)
			return true;
	}
	return top && top->is_array;
}

static int on_number(void *ctx, const char *s, size_t len)
{
	struct fields *f = ctx;
	struct field v = {.kind = FIELD_NUMBER};
	uint64_t whole = 0;
	char text[128];
	size_t i;

	if (f->skip || (f->depth && !is_wanted(f)))
		return 1;
	for (i = 0; i < len && i < 19 && isdigit((unsigned char)s[i]); i++)
		whole = whole * 10 + (s[i] - '0');
	if (i == len) {
		v.number = whole;
		return scalar(f, &v);
	}
	if (len >= sizeof(text))
		return fields_fail(f, fields_here(f),
				   "expected a number of at most 127 characters");
	memcpy(text, s, len);
	text[len] = '\0';
	v.number = strtold(text, NULL);
	if (!isfinite(v.number))
		return fields_fail(f, fields_here(f), "expected a finite number, found %s", text);
	return scalar(f, &v);
}

static struct slot *frame_push(struct fields *f, bool is_array)
{
	struct frame *t = &f->frames[f->depth++];
	size_t i;

	if (!t->slots) {
		t->slots = xcalloc(f->n_paths, sizeof(*t->slots));
		for (i = 0; i < f->n_paths; i++)
			slot_clear(&t->slots[i]);
	}
	t->is_array = is_array;
	t->index = 0;
	return t->slots;
}

/* How the path of @s, in the array or object around, goes on in the one that begins. */
static void slot_enter(struct fields *f, size_t i, const struct slot *s, struct slot *inner,
		       bool is_array)
{
	slot_clear(inner);
	if (s->next & IS_STEP && !(s->next & IS_FIRST && is_array)) {
		inner->state = s->state + 1;
		inner->pending = s->next & IS_FIRST;
	} else if (s->next & IS_VALUE) {
		inner->state = s->state;
		inner->by_value = true;
	}
	if (s->next & IS_KEY && s->pending && !is_array &&
	    step_of(f, i, s->state - 1)->kind == JSONPATH_KEY)
		inner->key_test = step_of(f, i, s->state - 1);
	if (inner->state >= 0 && (size_t)inner->state == f->paths[i]->n_steps)
		inner->own.kind = is_array ? FIELD_ARRAY : FIELD_OBJECT;
}

/* An array or object begins in @top: is it of use for a path? */
static bool prepare_enter(struct fields *f, struct frame *top)
{
	unsigned int uses = 0;
	size_t i;

	for (i = 0; i < f->n_paths; i++) {
		struct slot *s = &top->slots[i];

		uses |= s->next;
		/* What a test is about is no array or object. */
		if (s->next & IS_TEST)
			test_value(f, i, s, &(struct field){.kind = FIELD_OBJECT});
		if (s->next & IS_STEP && !(s->next & IS_FIRST))
			s->own.steps = s->state + 1;
	}
	return uses;
}

static int container_begins(struct fields *f, bool is_array)
{
	struct frame *top;
	struct slot *inner;
	size_t i;

	if (f->depth + f->skip == FIELDS_DEPTH_MAX)
		return fields_fail(f, fields_here(f),
				   "nested too deeply: expected at most %d levels",
				   FIELDS_DEPTH_MAX);
	if (f->skip) {
		f->skip++;
		return 1;
	}
	if (!f->depth) {
		if (is_array)
			return fields_fail(f, fields_here(f), "expected an object for each sample");
		fields_count_lines(f, fields_here(f));
		f->line = f->lines + 1;
		inner = frame_push(f, false);
		for (i = 0; i < f->n_paths; i++) {
			slot_clear(&inner[i]);
			inner[i].state = 0;
		}
		return 1;
	}
	top = value_begins(f);
	if (!prepare_enter(f, top)) {
		f->skip = 1;
		return 1;
	}
	inner = frame_push(f, is_array);
	for (i = 0; i < f->n_paths; i++) {
		struct slot *s = &top->slots[i];

		slot_enter(f, i, s, &inner[i], is_array);
		s->next = 0;
	}
	return 1;
}

static int on_start_map(void *ctx)
{
	return container_begins(ctx, false);
}

static int on_start_array(void *ctx)
{
	return container_begins(ctx, true);
}

/* What was found from one element of those that may all lead on; from two of them is from none. */
static void found_by_any(struct slot *outer, struct field *found)
{
	if (!outer->own.kind) {
		if (found->kind || found->steps > outer->own.steps)
			field_move(&outer->own, found);
	} else if (found->kind) {
		field_clear(&outer->own);
		outer->chosen = true;
	}
}

/* What was found in an array or object that ends goes to the one around it. */
static void slot_leave(const struct fields *f, size_t i, struct slot *s, struct slot *outer)
{
	bool any = s->pending && step_of(f, i, s->state - 1)->kind == JSONPATH_ANY;
	bool passed = !s->pending || any || (s->own_test >= 0 ? s->own_test : s->key_passed);
	bool by_value =
		!s->has_step && s->has_key && (s->other.kind || s->other.steps > s->own.steps);
	struct field *found = by_value ? &s->other : &s->own;

	if (s->state < 0 || !passed)
		return;
	if (!found->kind && found->steps < (unsigned int)s->state)
		found->steps = s->state;
	if (any) {
		found_by_any(outer, found);
		return;
	}
	field_move(s->by_value ? &outer->other : &outer->own, found);
	if (s->pending)
		outer->chosen = true;
}

static int sample_ends(struct fields *f)
{
	struct slot *slots = f->frames[0].slots;
	size_t i;

	for (i = 0; i < f->n_paths; i++) {
		struct slot root = {.state = -1};

		slot_leave(f, i, &slots[i], &root);
		field_move(&f->found[i], &root.own);
	}
	f->stopped = f->take(f->ctx, f->found);
	return !f->stopped;
}

static int container_ends(void *ctx)
{
	struct fields *f = ctx;
	struct frame *t;
	size_t i;

	if (f->skip) {
		f->skip--;
		return 1;
	}
	t = &f->frames[--f->depth];
	if (!f->depth)
		return sample_ends(f);
	for (i = 0; i < f->n_paths; i++)
		slot_leave(f, i, &t->slots[i], &f->frames[f->depth - 1].slots[i]);
	return 1;
}

const yajl_callbacks fields_callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_start_map,
	.yajl_map_key = on_map_key,
	.yajl_end_map = container_ends,
	.yajl_start_array = on_start_array,
	.yajl_end_array = container_ends,
};
