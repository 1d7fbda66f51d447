// SPDX-License-Identifier: GPL-2.0
#include "document.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "confine.h"
#include "diag.h"

#define SCHEMA "kt-snapshot/1"

struct input {
	FILE *file;
	size_t len;
	bool too_long, failed;
};

static size_t input_read(void *buffer, size_t len, void *data)
{
	struct input *in = data;
	size_t n = fread(buffer, 1, len, in->file);

	in->len += n;
	in->too_long = in->len > DOCUMENT_MAX_BYTES;
	in->failed = ferror(in->file);
	return in->too_long || in->failed ? (size_t)-1 : n;
}

static json_t *document_read(FILE *file, const char *path, int *err, char **why)
{
	struct input in = {.file = file};
	const char *schema;
	json_error_t error;
	json_t *doc;

	errno = 0;
	doc = json_load_callback(input_read, &in, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	*err = in.failed ? -errno : -EBADMSG;
	schema = json_string_value(json_object_get(doc, "schema"));
	if (doc && schema && !strcmp(schema, SCHEMA))
		return doc;
	if (in.failed)
		*why = xasprintf("'%s': %s", path, strerror(-*err));
	else if (in.too_long)
		*why = xasprintf("'%s': expected a snapshot of at most %lu bytes", path,
				 DOCUMENT_MAX_BYTES);
	else if (doc)
		*why = xasprintf("'%s': expected a snapshot, schema \"" SCHEMA "\"", path);
	else
		*why = xasprintf("'%s': expected a snapshot's JSON: line %d: %s", path, error.line,
				 error.text);
	json_decref(doc);
	return NULL;
}

int documents_load(char *const *paths, size_t n, json_t **docs, char **why)
{
	_cleanup_free_ FILE **files = xcalloc(n, sizeof(*files));
	size_t i, read = 0;
	int err = 0;

	for (i = 0; i < n && !err; i++) {
		files[i] = strcmp(paths[i], "-") ? fopen(paths[i], "re") : stdin;
		if (files[i])
			continue;
		err = -errno;
		*why = xasprintf("'%s': %s: expected a snapshot's file, or - for standard input",
				 paths[i], strerror(errno));
	}
	if (!err)
		err = confine(why);
	for (; read < n && !err; read++) {
		docs[read] = document_read(files[read], paths[read], &err, why);
		err = docs[read] ? 0 : err;
	}
	for (i = 0; i < n; i++) {
		if (files[i] && files[i] != stdin)
			fclose(files[i]);
		if (err && i < read)
			json_decref(docs[i]);
	}
	return err;
}

char *document_quote(const char *name)
{
	char *out, *o;

	if (*name && !name[strcspn(name, ".[]=:\"\\ \t\n\r\v\f")])
		return xstrdup(name);
	o = out = xmalloc(2 * strlen(name) + 3);
	*o++ = '"';
	for (; *name; name++) {
		if (*name == '"' || *name == '\\')
			*o++ = '\\';
		*o++ = *name;
	}
	*o++ = '"';
	*o = '\0';
	return out;
}

/* A list of names as text, with a limit: "a, b and 7 more". */
struct listing {
	char *text;
	size_t n, max;
};

static void listing_add(struct listing *l, const char *name)
{
	char *longer;

	if (l->n++ >= l->max)
		return;
	longer = xasprintf("%s%s%s", l->text ? l->text : "", l->text ? ", " : "", name);
	free(l->text);
	l->text = longer;
}

/* The text, the caller's; "none" of nothing. */
static char *listing_end(struct listing *l)
{
	char *text = l->text ? l->text : xstrdup("none"), *longer;

	if (l->n <= l->max)
		return text;
	longer = xasprintf("%s and %zu more", text, l->n - l->max);
	free(text);
	return longer;
}

static const char *name_of(const json_t *object)
{
	const char *name = json_string_value(json_object_get(object, "name"));

	return name ? name : "";
}

/* How @object of array @kind is meant, when its name is not enough. */
static char *way_to(const char *kind, const json_t *object, bool by_id)
{
	_cleanup_free_ char *quoted = document_quote(name_of(object));

	if (by_id || !*name_of(object))
		return xasprintf("%s[id=%lld]", kind,
				 (long long)json_integer_value(json_object_get(object, "id")));
	return xasprintf("%s.%s", kind, quoted);
}

static size_t count_named(const json_t *array, const char *name)
{
	size_t i, n = 0;

	for (i = 0; i < json_array_size(array); i++)
		n += !strcmp(name_of(json_array_get(array, i)), name);
	return n;
}

/* Step @i, a name, from @array of named objects. */
static json_t *named_take(json_t *array, const struct jsonpath *p, size_t i, char **why)
{
	struct listing names = {.max = 12};
	const char *name = p->steps[i].name;
	_cleanup_free_ char *at = jsonpath_prefix(p, i + 1), *before = jsonpath_prefix(p, i);
	_cleanup_free_ char *text = NULL;
	size_t n = count_named(array, name), index;
	json_t *object, *found = NULL;

	json_array_foreach(array, index, object)
	{
		_cleanup_free_ char *way = NULL;

		if (!strcmp(name_of(object), name))
			found = object;
		if (n ? object != found : !*name_of(object))
			continue;
		way = n ? way_to(before, object, true) : document_quote(name_of(object));
		listing_add(&names, way);
	}
	text = listing_end(&names);
	if (n == 1)
		return found;
	if (n)
		*why = xasprintf("%s: %zu are called that: expected one of %s", at, n, text);
	else
		*why = xasprintf("%s: nothing of that name in %s; it has %s", at, before, text);
	return NULL;
}

/* Step @i, a name: the variable that is called that, of whichever map. */
static json_t *variable_take(json_t *maps, const struct jsonpath *p, size_t i, char **why)
{
	_cleanup_free_ char *at = jsonpath_prefix(p, i + 1), *text = NULL;
	struct listing known = {.max = 12}, ways = {.max = 12};
	const char *name = p->steps[i].name, *key;
	json_t *map, *found = NULL, *value;
	size_t index;

	json_array_foreach(maps, index, map)
	{
		json_t *vars = json_object_get(map, "vars");
		bool twice = count_named(maps, name_of(map)) > 1;
		_cleanup_free_ char *way = way_to("map", map, twice);
		_cleanup_free_ char *quoted = document_quote(name);
		_cleanup_free_ char *whole = xasprintf("%s.%s", way, quoted);

		value = json_object_get(vars, name);
		if (value) {
			found = value;
			listing_add(&ways, whole);
		}
		json_object_foreach(vars, key, value)
		{
			listing_add(&known, key);
		}
	}
	if (ways.n == 1) {
		free(ways.text);
		free(known.text);
		return found;
	}
	text = listing_end(ways.n ? &ways : &known);
	free(ways.n ? known.text : ways.text);
	if (ways.n)
		*why = xasprintf("%s: %zu maps have a variable of that name: expected one of %s",
				 at, ways.n, text);
	else if (!json_is_array(maps))
		*why = xasprintf("%s: the snapshot has no section map, which variables are in", at);
	else
		*why = xasprintf("%s: no map has a variable of that name; there are %s", at, text);
	return NULL;
}

static bool key_equals(const json_t *key, size_t number)
{
	return json_is_integer(key) && json_integer_value(key) >= 0 &&
	       (size_t)json_integer_value(key) == number;
}

/* A step from a map: its variables and entries come before what it says of itself. */
static json_t *map_take(json_t *map, const struct jsonpath_step *s)
{
	json_t *entries = json_object_get(map, "entries"), *entry, *value;
	size_t i;

	switch (s->kind) {
	case JSONPATH_NAME:
		value = json_object_get(json_object_get(map, "vars"), s->name);
		return value ? value : json_object_get(map, s->name);
	case JSONPATH_INDEX:
		json_array_foreach(entries, i, entry)
		{
			if (key_equals(json_object_get(entry, "key"), s->index))
				return entry;
		}
		return NULL;
	default:
		return jsonpath_step(entries, s);
	}
}

/* Step @i from map @map was not there. */
static char *map_miss(const json_t *map, const struct jsonpath *p, size_t i)
{
	const json_t *entries = json_object_get(map, "entries"), *vars;
	_cleanup_free_ char *at = jsonpath_prefix(p, i + 1), *before = jsonpath_prefix(p, i);
	_cleanup_free_ char *text = NULL;
	struct listing keys = {.max = 8};
	size_t index;
	json_t *entry;

	vars = json_object_get(map, "vars");
	if (vars && p->steps[i].kind == JSONPATH_NAME)
		return jsonpath_miss(p, i, vars);
	if (p->steps[i].kind == JSONPATH_NAME)
		return jsonpath_miss(p, i, map);
	if (!json_is_array(entries))
		return xasprintf("%s: %s has no entries in this snapshot", at, before);
	json_array_foreach((json_t *)entries, index, entry)
	{
		_cleanup_free_ char *key =
			json_dumps(json_object_get(entry, "key"), JSON_COMPACT | JSON_ENCODE_ANY);

		listing_add(&keys, key ? key : "?");
	}
	text = listing_end(&keys);
	return xasprintf("%s: no entry with that key in %s; its keys are %s", at, before, text);
}

static bool is_map(const json_t *array, const json_t *maps)
{
	return array && array == maps;
}

json_t *document_get(json_t *doc, const struct jsonpath *p, char **why)
{
	json_t *maps = json_object_get(doc, "map"), *v = doc, *before = NULL, *next;
	size_t i = 0;

	if (p->n_steps > 1 && !strcmp(p->steps[0].name, "var") && !json_object_get(doc, "var")) {
		if (p->steps[1].kind != JSONPATH_NAME) {
			*why = xasprintf("%s: expected the name of a variable after var.", p->text);
			return NULL;
		}
		v = variable_take(maps, p, 1, why);
		if (!v)
			return NULL;
		i = 2;
	}
	for (; i < p->n_steps; i++, before = v, v = next) {
		bool of_map = is_map(before, maps) && json_is_object(v);

		if (json_is_array(v) && p->steps[i].kind == JSONPATH_NAME) {
			next = named_take(v, p, i, why);
			if (!next)
				return NULL;
			continue;
		}
		next = of_map ? map_take(v, &p->steps[i]) : jsonpath_step(v, &p->steps[i]);
		if (next)
			continue;
		*why = of_map ? map_miss(v, p, i) : jsonpath_miss(p, i, v);
		return NULL;
	}
	return v;
}
