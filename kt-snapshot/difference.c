// SPDX-License-Identifier: GPL-2.0
#include "difference.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "document.h"

#define DEPTH_MAX 256

struct walk {
	void (*take)(void *context, const char *path, const json_t *a, const json_t *b,
		     const char *by);
	void *context;
	int depth;
};

/* Of the taking, not of what was taken. */
static const char *const not_compared[] = {"schema", "name", "trigger", "frozen_ns", NULL};

/* A whole number, also one that is too large for JSON's and therefore in a string. */
static bool integer_of(const json_t *v, __int128 *number)
{
	const char *text = json_string_value(v);
	char *end;

	if (json_is_integer(v)) {
		*number = json_integer_value(v);
		return true;
	}
	if (!text || text[0] < '1' || text[0] > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return !errno && !*end;
}

static char *number_text(__int128 number)
{
	unsigned __int128 left = number;
	char text[48], *p = text + sizeof(text);

	if (number < 0)
		left = -left;
	*--p = '\0';
	do {
		*--p = '0' + (int)(left % 10);
		left /= 10;
	} while (left);
	*--p = number < 0 ? '-' : '+';
	return xstrdup(p);
}

static void report(const struct walk *w, const char *path, const json_t *a, const json_t *b)
{
	_cleanup_free_ char *by = NULL;
	__int128 x, y;

	if (a && b && integer_of(a, &x) && integer_of(b, &y))
		by = number_text(y - x);
	else if (json_is_number(a) && json_is_number(b))
		by = xasprintf("%+g", json_number_value(b) - json_number_value(a));
	w->take(w->context, path, a, b, by);
}

/* "[pid=97]" from an entry's key: its first member that is a number or text. */
static char *key_label(const json_t *key)
{
	const char *name;
	json_t *v;

	if (json_is_integer(key) && json_integer_value(key) >= 0)
		return xasprintf("[%" JSON_INTEGER_FORMAT "]", json_integer_value(key));
	if (json_is_string(key)) {
		_cleanup_free_ char *quoted = document_quote(json_string_value(key));

		return xasprintf("[key=%s]", quoted);
	}
	json_object_foreach((json_t *)key, name, v)
	{
		_cleanup_free_ char *member = document_quote(name);

		if (json_is_integer(v))
			return xasprintf("[%s=%" JSON_INTEGER_FORMAT "]", member,
					 json_integer_value(v));
		if (json_is_string(v)) {
			_cleanup_free_ char *quoted = document_quote(json_string_value(v));

			return xasprintf("[%s=%s]", member, quoted);
		}
	}
	return NULL;
}

enum identity { BY_KEY, BY_CPU, BY_NAME, BY_ID, BY_PID, IDENTITIES };

/* Two arrays, and how often each name is in the one that has it more often. */
struct pair {
	const json_t *a, *b;
	json_t *names;
};

static void count_names(json_t *names, const json_t *array)
{
	json_t *element, *counts = json_object();
	const char *name;
	size_t i;

	json_array_foreach((json_t *)array, i, element)
	{
		json_int_t n, most;

		name = json_string_value(json_object_get(element, "name"));
		if (!name)
			continue;
		n = json_integer_value(json_object_get(counts, name)) + 1;
		most = json_integer_value(json_object_get(names, name));
		json_object_set_new(counts, name, json_integer(n));
		json_object_set_new(names, name, json_integer(n > most ? n : most));
	}
	json_decref(counts);
}

/* The step that leads to @element, number @i, by what @identity says; or NULL. Caller frees. */
static char *label_of(const struct pair *p, const json_t *element, size_t i, enum identity identity)
{
	const char *name = json_string_value(json_object_get(element, "name"));
	static const char *const members[] = {
		[BY_CPU] = "cpu",
		[BY_NAME] = "id",
		[BY_ID] = "id",
		[BY_PID] = "pid",
	};
	const json_t *v;

	if (identity == BY_KEY)
		return key_label(json_object_get(element, "key"));
	if (identity == BY_NAME && !name)
		return NULL;
	if (identity == BY_NAME && *name &&
	    json_integer_value(json_object_get(p->names, name)) == 1) {
		_cleanup_free_ char *quoted = document_quote(name);

		return xasprintf(".%s", quoted);
	}
	v = json_object_get(element, members[identity]);
	if (identity == BY_CPU)
		return json_is_integer(v) && (size_t)json_integer_value(v) == i
			       ? xasprintf("[%zu]", i)
			       : NULL;
	if (json_is_integer(v))
		return xasprintf("[%s=%" JSON_INTEGER_FORMAT "]", members[identity],
				 json_integer_value(v));
	return json_is_string(v) ? xasprintf("[%s=\"%s\"]", members[identity], json_string_value(v))
				 : NULL;
}

/* The elements under their steps, or NULL when these are not to be had or not unique. */
static json_t *labelled(const struct pair *p, const json_t *array, enum identity identity)
{
	json_t *o = json_object(), *element;
	size_t i;

	json_array_foreach((json_t *)array, i, element)
	{
		_cleanup_free_ char *label = label_of(p, element, i, identity);

		if (!label || json_object_get(o, label) || json_object_set(o, label, element)) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

static json_t *numbered(const json_t *array)
{
	json_t *o = json_object(), *element;
	char label[32];
	size_t i;

	json_array_foreach((json_t *)array, i, element)
	{
		snprintf(label, sizeof(label), "[%zu]", i);
		json_object_set(o, label, element);
	}
	return o;
}

/* Both arrays by the same identity, the first that tells their elements apart. */
static void label_both(const json_t *a, const json_t *b, json_t **oa, json_t **ob)
{
	struct pair p = {a, b, json_object()};
	enum identity identity;

	count_names(p.names, a);
	count_names(p.names, b);
	for (*ob = NULL, identity = 0; !*ob && identity < IDENTITIES; identity++) {
		*oa = labelled(&p, a, identity);
		*ob = *oa ? labelled(&p, b, identity) : NULL;
		if (!*ob)
			json_decref(*oa);
	}
	if (!*ob) {
		*oa = numbered(a);
		*ob = numbered(b);
	}
	json_decref(p.names);
}

static void walk(struct walk *w, const char *path, const json_t *a, const json_t *b);

/* A map's variables and entries are steps from the map itself, an entry's value's from the entry.
 */
static bool is_transparent(const json_t *parent, const char *key)
{
	if (!strcmp(key, "value"))
		return json_object_get(parent, "key") &&
		       json_is_object(json_object_get(parent, key));
	return !strcmp(key, "vars") || !strcmp(key, "entries");
}

static char *child_path(const char *path, const json_t *parent, const char *key, bool labels)
{
	_cleanup_free_ char *quoted = labels ? NULL : document_quote(key);

	if (labels)
		return xasprintf("%s%s", path, key);
	if (*path && is_transparent(parent, key))
		return xstrdup(path);
	return xasprintf("%s%s%s", path, *path ? "." : "", quoted);
}

static bool is_compared(const char *path, const char *key)
{
	size_t i;

	for (i = 0; !*path && not_compared[i]; i++) {
		if (!strcmp(not_compared[i], key))
			return false;
	}
	return true;
}

/* Members of objects, or elements under their @labels. */
static void walk_members(struct walk *w, const char *path, const json_t *a, const json_t *b,
			 bool labels)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)a, key, v)
	{
		_cleanup_free_ char *child = child_path(path, a, key, labels);

		if (is_compared(path, key))
			walk(w, child, v, json_object_get(b, key));
	}
	json_object_foreach((json_t *)b, key, v)
	{
		_cleanup_free_ char *child = child_path(path, b, key, labels);

		if (is_compared(path, key) && !json_object_get(a, key))
			walk(w, child, NULL, v);
	}
}

static void walk(struct walk *w, const char *path, const json_t *a, const json_t *b)
{
	json_t *oa, *ob;

	if (a && b && json_equal(a, b))
		return;
	if (!a || !b || json_typeof(a) != json_typeof(b) || w->depth == DEPTH_MAX) {
		report(w, path, a, b);
		return;
	}
	w->depth++;
	if (json_is_object(a)) {
		walk_members(w, path, a, b, false);
	} else if (json_is_array(a)) {
		label_both(a, b, &oa, &ob);
		walk_members(w, path, oa, ob, true);
		json_decref(oa);
		json_decref(ob);
	} else {
		report(w, path, a, b);
	}
	w->depth--;
}

void difference_walk(const json_t *a, const json_t *b,
		     void (*take)(void *context, const char *path, const json_t *a, const json_t *b,
				  const char *by),
		     void *context)
{
	struct walk w = {.take = take, .context = context};

	walk(&w, "", a, b);
}
