/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Paths to a value in a JSON document, as people write them:
 *
 *	var.nr_dispatched   map.task_ctx[pid=97].runtime_ns   cpu[2].curr.comm   var."a.b:c"
 *
 *	PATH  = NAME STEP...
 *	STEP  = "." NAME              the member of that name; in an array its first element that is
 *	                              an object whose member "name" is that
 *	      | "[" N "]"             the array's element at that position, from 0
 *	      | "[" NAME "=" VALUE "]"  the array's first element that is an object with such a
 *	                              member, its own or, if it has none, one of its member "key"
 *	NAME  = any characters but . [ ] = : " and white space, or a string in double quotes
 *	VALUE = any characters but ] and ", or a string in double quotes
 *
 * In quotes \" and \\ stand for " and \. A VALUE without quotes equals the string, the number,
 * true, false or null that it spells; one in quotes only the string.
 *
 * An object with the members "key" and "value" is a map's entry: a step that it cannot take itself
 * is taken from its value, so that map.task_ctx[pid=97].runtime_ns finds the 5 in
 * {"map":{"task_ctx":[{"key":{"pid":97},"value":{"runtime_ns":5}}]}}.
 */
#ifndef KT_JSONPATH_H
#define KT_JSONPATH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define JSONPATH_STEPS_MAX 32

enum jsonpath_kind {
	JSONPATH_NAME,
	JSONPATH_INDEX,
	JSONPATH_KEY, /* name=value */
	JSONPATH_ANY, /* not to be written: the array's one element from which the rest leads on */
};

struct jsonpath_step {
	enum jsonpath_kind kind;
	char *name; /* JSONPATH_NAME, JSONPATH_KEY */
	size_t index;
	char *value;	/* JSONPATH_KEY */
	bool quoted;	/* the value was */
	bool is_number; /* the value spells this number: */
	long double number;
	size_t begin, end; /* of the step in the path's text */
};

struct jsonpath {
	char *text;
	struct jsonpath_step *steps;
	size_t n_steps;
};

/*
 * Parse @text. With @end, the path may be followed by a colon, and *@end is where it stands or the
 * text's end; without, the path takes all. Returns 0, or -EINVAL with *@why a line that says what
 * was expected where, for the caller to free. Free @p with jsonpath_free().
 */
int jsonpath_parse(const char *text, struct jsonpath *p, const char **end, char **why);
void jsonpath_free(struct jsonpath *p);

/* The path's text up to and with its first @n steps. Caller frees. */
char *jsonpath_prefix(const struct jsonpath *p, size_t n);

/* Does the step's VALUE equal a string of @len bytes, a number, or one of the words true, false and
 * null? */
bool jsonpath_equals_string(const struct jsonpath_step *s, const char *text, size_t len);
bool jsonpath_equals_number(const struct jsonpath_step *s, long double number);
bool jsonpath_equals_word(const struct jsonpath_step *s, const char *word);

/*
 * The value in @root, borrowed, or NULL with *@why a line that says which step was not there, and
 * what was ("map.tsk: no such member in map; it has task_ctx, stats"), for the caller to free;
 * @why may be NULL.
 */
json_t *jsonpath_get(json_t *root, const struct jsonpath *p, char **why);

/* One step of it: the value that @s leads to from @v, borrowed, or NULL. */
json_t *jsonpath_step(json_t *v, const struct jsonpath_step *s);

/* The line that says that step @i of @p cannot be taken from @v, and what is there. Caller frees.
 */
char *jsonpath_miss(const struct jsonpath *p, size_t i, const json_t *v);

#endif
