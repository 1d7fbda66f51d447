// SPDX-License-Identifier: GPL-2.0
#include "jsonpath.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"

#define INDEX_MAX 2147483647UL

struct scanner {
	const char *text, *p;
	const char *wrong; /* what was expected, NULL: nothing wrong */
};

static char *quoted_scan(struct scanner *s)
{
	char *out = xmalloc(strlen(s->p) + 1), *o = out;

	for (s->p++; *s->p && *s->p != '"'; s->p++) {
		if (*s->p == '\\' && (s->p[1] == '"' || s->p[1] == '\\'))
			s->p++;
		*o++ = *s->p;
	}
	*o = '\0';
	if (*s->p)
		s->p++;
	else
		s->wrong = "expected a closing quote";
	return out;
}

/* A NAME, or a VALUE: what stands in quotes, or all up to one of @ends. */
static char *word_scan(struct scanner *s, const char *ends, const char *expected, bool *quoted)
{
	const char *start = s->p;

	*quoted = *s->p == '"';
	if (*quoted)
		return quoted_scan(s);
	while (*s->p && !strchr(ends, *s->p) && (*ends == ']' || !isspace((unsigned char)*s->p)))
		s->p++;
	if (s->p == start)
		s->wrong = expected;
	return xstrndup(start, s->p - start);
}

#define NAME_ENDS ".[]=:\""

static void bracket_scan(struct scanner *s, struct jsonpath_step *step)
{
	char *number_end = NULL;
	bool quoted;

	s->p++;
	if (isdigit((unsigned char)*s->p)) {
		errno = 0;
		step->index = strtoul(s->p, &number_end, 10);
		if (*number_end == ']') {
			step->kind = JSONPATH_INDEX;
			s->p = number_end + 1;
			if (errno || step->index > INDEX_MAX)
				s->wrong = "expected a position below 2147483648 before this";
			return;
		}
	}
	step->kind = JSONPATH_KEY;
	step->name = word_scan(s, NAME_ENDS, "expected [N] or [NAME=VALUE]", &quoted);
	if (s->wrong)
		return;
	if (*s->p != '=') {
		s->wrong = "expected = after the name in [NAME=VALUE]";
		return;
	}
	s->p++;
	step->value = word_scan(s, "]\"", "expected a value after =", &step->quoted);
	if (s->wrong)
		return;
	if (*s->p != ']') {
		s->wrong = "expected ] here";
		return;
	}
	s->p++;
	if (!step->quoted && (isdigit((unsigned char)*step->value) || *step->value == '-')) {
		step->number = strtold(step->value, &number_end);
		step->is_number = !*number_end && isfinite(step->number);
	}
}

static void step_scan(struct scanner *s, struct jsonpath_step *step, bool first)
{
	bool quoted;

	step->begin = s->p - s->text;
	if (*s->p == '[' && !first) {
		bracket_scan(s, step);
	} else {
		if (!first)
			s->p++;
		step->kind = JSONPATH_NAME;
		step->name = word_scan(s, NAME_ENDS,
				       first ? "expected a name" : "expected a name after the dot",
				       &quoted);
	}
	step->end = s->p - s->text;
}

int jsonpath_parse(const char *text, struct jsonpath *p, const char **end, char **why)
{
	struct scanner s = {.text = text, .p = text};
	bool more = true;

	memset(p, 0, sizeof(*p));
	while (more && !s.wrong) {
		p->steps = xrealloc(p->steps, (p->n_steps + 1) * sizeof(*p->steps));
		memset(&p->steps[p->n_steps], 0, sizeof(*p->steps));
		step_scan(&s, &p->steps[p->n_steps], !p->n_steps);
		p->n_steps++;
		more = *s.p == '.' || *s.p == '[';
		if (more && !s.wrong && p->n_steps == JSONPATH_STEPS_MAX)
			s.wrong = "expected at most 32 steps";
	}
	if (!s.wrong && *s.p && !(end && *s.p == ':'))
		s.wrong = "expected . or [ here, and odd names in double quotes";
	if (s.wrong) {
		*why = xasprintf("path '%s': byte %td: %s", text, s.p - text, s.wrong);
		jsonpath_free(p);
		return -EINVAL;
	}
	p->text = xstrndup(text, s.p - text);
	if (end)
		*end = s.p;
	return 0;
}

void jsonpath_free(struct jsonpath *p)
{
	size_t i;

	for (i = 0; i < p->n_steps; i++) {
		free(p->steps[i].name);
		free(p->steps[i].value);
	}
	free(p->steps);
	free(p->text);
	memset(p, 0, sizeof(*p));
}

char *jsonpath_prefix(const struct jsonpath *p, size_t n)
{
	return xstrndup(p->text, n ? p->steps[n - 1].end : 0);
}

bool jsonpath_equals_string(const struct jsonpath_step *s, const char *text, size_t len)
{
	return strlen(s->value) == len && !memcmp(s->value, text, len);
}

bool jsonpath_equals_number(const struct jsonpath_step *s, long double number)
{
	return s->is_number && s->number == number;
}

bool jsonpath_equals_word(const struct jsonpath_step *s, const char *word)
{
	return !s->quoted && !strcmp(s->value, word);
}

static bool json_equals(const json_t *v, const struct jsonpath_step *s)
{
	switch (json_typeof(v)) {
	case JSON_STRING:
		return jsonpath_equals_string(s, json_string_value(v), json_string_length(v));
	case JSON_INTEGER:
		return jsonpath_equals_number(s, json_integer_value(v));
	case JSON_REAL:
		return jsonpath_equals_number(s, json_real_value(v));
	case JSON_TRUE:
		return jsonpath_equals_word(s, "true");
	case JSON_FALSE:
		return jsonpath_equals_word(s, "false");
	case JSON_NULL:
		return jsonpath_equals_word(s, "null");
	default:
		return false;
	}
}

/* Is it the element that [NAME=VALUE] means? */
static bool element_matches(const json_t *element, const struct jsonpath_step *s)
{
	const json_t *v;

	if (!json_is_object(element))
		return false;
	v = json_object_get(element, s->name);
	if (!v)
		v = json_object_get(json_object_get(element, "key"), s->name);
	return v && json_equals(v, s);
}

/* One step from @v itself. */
static json_t *step_own(json_t *v, const struct jsonpath_step *s)
{
	json_t *element;
	size_t i;

	switch (s->kind) {
	case JSONPATH_NAME:
		json_array_foreach(v, i, element)
		{
			const json_t *name = json_object_get(element, "name");

			if (json_is_string(name) && json_string_length(name) == strlen(s->name) &&
			    !memcmp(json_string_value(name), s->name, strlen(s->name)))
				return element;
		}
		return json_object_get(v, s->name);
	case JSONPATH_INDEX:
		return json_array_get(v, s->index);
	case JSONPATH_KEY:
		json_array_foreach(v, i, element)
		{
			if (element_matches(element, s))
				return element;
		}
		break;
	case JSONPATH_ANY: /* of streams alone */
		break;
	}
	return NULL;
}

json_t *jsonpath_step(json_t *v, const struct jsonpath_step *s)
{
	json_t *next = step_own(v, s);

	if (!next && json_object_get(v, "key"))
		next = step_own(json_object_get(v, "value"), s);
	return next;
}

#define LISTED_MAX 12 /* names in a message */

/* "it has task_ctx, stats", "it has 4 elements", "it is a number". */
static char *what_is_there(const json_t *v)
{
	static const char *const kinds[] = {
		[JSON_STRING] = "a string", [JSON_INTEGER] = "a number", [JSON_REAL] = "a number",
		[JSON_TRUE] = "true",	    [JSON_FALSE] = "false",	 [JSON_NULL] = "null",
	};
	const json_t *inner = json_object_get(v, "value");
	char *text, *longer;
	const char *key;
	json_t *member;
	size_t n = 0;

	if (json_is_array(v))
		return xasprintf("it has %zu elements", json_array_size(v));
	if (!json_is_object(v))
		return xasprintf("it is %s", kinds[json_typeof(v)]);
	if (json_object_get(v, "key") && json_is_object(inner))
		v = inner;
	if (!json_object_size(v))
		return xstrdup("it is empty");
	text = xstrdup("it has");
	/* No change of the object: the iteration needs it without const. */
	json_object_foreach((json_t *)v, key, member)
	{
		if (n++ == LISTED_MAX)
			break;
		longer = xasprintf("%s%s %s", text, n > 1 ? "," : "", key);
		free(text);
		text = longer;
	}
	if (json_object_size(v) > LISTED_MAX) {
		longer = xasprintf("%s and %zu more", text, json_object_size(v) - LISTED_MAX);
		free(text);
		text = longer;
	}
	return text;
}

char *jsonpath_miss(const struct jsonpath *p, size_t i, const json_t *v)
{
	static const char *const missing[] = {
		[JSONPATH_NAME] = "no such member",
		[JSONPATH_INDEX] = "no such element",
		[JSONPATH_KEY] = "no element with that key",
	};
	_cleanup_free_ char *at = jsonpath_prefix(p, i + 1);
	_cleanup_free_ char *before = jsonpath_prefix(p, i);
	_cleanup_free_ char *there = what_is_there(v);

	return xasprintf("%s: %s in %s; %s", at, missing[p->steps[i].kind],
			 i ? before : "the document", there);
}

json_t *jsonpath_get(json_t *root, const struct jsonpath *p, char **why)
{
	json_t *v = root;
	size_t i;

	for (i = 0; i < p->n_steps; i++) {
		json_t *next = jsonpath_step(v, &p->steps[i]);

		if (!next && why)
			*why = jsonpath_miss(p, i, v);
		if (!next)
			return NULL;
		v = next;
	}
	return v;
}
