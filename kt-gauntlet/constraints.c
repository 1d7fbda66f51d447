// SPDX-License-Identifier: GPL-2.0
#include "constraints.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "options.h"
#include "quantity.h"
#include "topology.h"
#include "words.h"

enum takes { NOTHING, NUMBER, FLAGS };

static const struct {
	const char *name;
	enum takes takes;
} table[CONSTRAINT_END] = {
	[MIN_LLCS] = {"min-llcs", NUMBER},
	[MAX_LLCS] = {"max-llcs", NUMBER},
	[MIN_CPUS] = {"min-cpus", NUMBER},
	[MAX_CPUS] = {"max-cpus", NUMBER},
	[MIN_NUMA_NODES] = {"min-numa-nodes", NUMBER},
	[MAX_NUMA_NODES] = {"max-numa-nodes", NUMBER},
	[REQUIRES_SMT] = {"requires-smt", NOTHING},
	[NO_SMT] = {"no-smt", NOTHING},
	[REQUIRE_FLAG] = {"require-flag", FLAGS},
	[EXCLUDE_FLAG] = {"exclude-flag", FLAGS},
};

static void row_append(struct constraints *c, const struct constraint *row)
{
	c->rows = xrealloc(c->rows, (c->n + 1) * sizeof(*c->rows));
	c->rows[c->n++] = *row;
}

/* One row for each flag of the list @value, "a,b". */
static int flags_append(struct constraints *c, struct constraint *row, const char *value)
{
	_cleanup_free_ char *origin = take_ptr(row->origin);
	size_t n;

	do {
		n = strcspn(value, ",");
		if (!n)
			return -EINVAL;
		row->flag = xstrndup(value, n);
		row->origin = xstrdup(origin);
		row_append(c, row);
		row->origin = NULL;
		value += n;
	} while (*value++);
	return 0;
}

/* @said is the constraint as its author wrote it; @row has id, origin and in_scenario. */
static int constraint_add(struct constraints *c, struct constraint *row, const char *value,
			  const char *said, char **why)
{
	int64_t n = 0;

	if (table[row->id].takes == NUMBER) {
		if (!value || number_parse(value, 1, TOPOLOGY_MAX_CPUS, &n)) {
			*why = xasprintf("%s '%s': expected a number from 1 to %d", said,
					 value ? value : "", TOPOLOGY_MAX_CPUS);
			return -EINVAL;
		}
		row->number = n;
	} else if (table[row->id].takes == FLAGS) {
		if (value && !flags_append(c, row, value))
			return 0;
		*why = xasprintf("%s '%s': expected the name of a flag", said, value ? value : "");
		return -EINVAL;
	} else if (value) {
		*why = xasprintf("%s: takes no value", said);
		return -EINVAL;
	}
	row_append(c, row);
	row->origin = NULL;
	return 0;
}

static void option_drop(struct constraints *c, enum constraint_id id)
{
	size_t kept = 0, i;

	for (i = 0; i < c->n; i++) {
		if (c->rows[i].id == id && !c->rows[i].in_scenario)
			free(c->rows[i].origin);
		else
			c->rows[kept++] = c->rows[i];
	}
	c->n = kept;
}

int constraints_option(struct constraints *c, enum constraint_id id, const char *value, char **why)
{
	_cleanup_free_ char *said = xasprintf("--%s", table[id].name);
	struct constraint row = {.id = id};
	int err;

	row.origin = value ? xasprintf("%s %s", said, value) : xstrdup(said);
	if (id < BOUND_END)
		option_drop(c, id);
	err = constraint_add(c, &row, value, said, why);
	free(row.origin);
	return err;
}

static int key_find(const char *key, enum constraint_id *id)
{
	size_t i;

	for (i = 0; i < CONSTRAINT_END; i++) {
		if (!strcmp(table[i].name, key)) {
			*id = i;
			return 0;
		}
	}
	return -ENOENT;
}

static char *key_unknown(const char *place, const char *key)
{
	const char *names[CONSTRAINT_END + 1] = {NULL}, *near;
	size_t i;

	for (i = 0; i < CONSTRAINT_END; i++)
		names[i] = table[i].name;
	near = nearest_name(key, names);
	return xasprintf("%s: unknown constraint '%s'%s%s%s", place, key,
			 near ? ": did you mean '" : ": expected one such as min-llcs=2",
			 near ? near : "", near ? "'?" : "");
}

static int word_add(struct constraints *c, const char *place, const char *word, char **why)
{
	const char *equals = strchr(word, '=');
	_cleanup_free_ char *key = xstrndup(word, strcspn(word, "=")), *said = NULL;
	struct constraint row = {.in_scenario = true};
	int err;

	if (key_find(key, &row.id)) {
		*why = key_unknown(place, key);
		return -EINVAL;
	}
	said = xasprintf("%s: %s", place, key);
	row.origin = xasprintf("%s: %s", place, word);
	err = constraint_add(c, &row, equals ? equals + 1 : NULL, said, why);
	free(row.origin);
	return err;
}

/* What follows "# gauntlet:", or NULL when @line is another. */
static const char *line_constraints(const char *line)
{
	static const char key[] = "gauntlet:";

	line += strspn(line, " \t");
	if (*line != '#')
		return NULL;
	line++;
	line += strspn(line, " \t");
	return strncmp(line, key, sizeof(key) - 1) ? NULL : line + sizeof(key) - 1;
}

static int line_add(struct constraints *c, const char *place, const char *text, char **why)
{
	const char *wrong;
	char **words = words_split(text, &wrong);
	int err = 0;
	size_t i;

	if (!words) {
		*why = xasprintf("%s: %s", place, wrong);
		return -EINVAL;
	}
	for (i = 0; words[i] && !err; i++)
		err = word_add(c, place, words[i], why);
	words_free(words);
	return err;
}

int constraints_read(struct constraints *c, FILE *in, const char *file, char **why)
{
	_cleanup_free_ char *line = NULL;
	unsigned int number = 0;
	size_t size = 0;
	int err = 0;

	while (!err && getline(&line, &size, in) >= 0) {
		const char *text = line_constraints(line);

		number++;
		if (text) {
			_cleanup_free_ char *place = xasprintf("%s:%u", file, number);

			err = line_add(c, place, text, why);
		}
	}
	if (!err && ferror(in)) {
		*why = xasprintf("%s: %s", file, strerror(errno));
		return -EINVAL;
	}
	return err;
}

void constraints_free(struct constraints *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		free(c->rows[i].flag);
		free(c->rows[i].origin);
	}
	free(c->rows);
	*c = (struct constraints){0};
}
