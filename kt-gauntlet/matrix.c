// SPDX-License-Identifier: GPL-2.0
#include "matrix.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "words.h"

#define NUMBER_ROOM 24 /* "seed18446744073709551615" */

/* The name's parts after the scenario, in their order; the repetition is the last. */
static const struct slot {
	enum dim dim;
	int part;
} slots[] = {
	{DIM_TOPOLOGY, 0}, {DIM_SUBJECT, 0}, {DIM_KERNEL, 0}, {DIM_SUBJECT, 1},
	{DIM_WORK, 0},	   {DIM_SEED, 0},    {DIM_REP, 0},
};

static const struct {
	const char *part, *option;
} numbers[DIMS] = {
	[DIM_SEED] = {"seed", "--deterministic="},
	[DIM_REP] = {"rep", NULL},
};

void piece_init(struct piece *p, const char *raw)
{
	_cleanup_free_ char *quoted = word_quote(raw);

	p->raw = xstrdup(raw);
	p->raw_len = strlen(raw);
	p->bare = quoted[0] != '\'';
	if (p->bare)
		p->quoted = xstrdup(raw);
	else
		p->quoted = xstrndup(quoted + 1, strlen(quoted) - 2);
	p->quoted_len = strlen(p->quoted);
}

void piece_free(struct piece *p)
{
	free(p->raw);
	free(p->quoted);
}

static void value_init(struct value *v, const char *name, const char *second, const char *options,
		       const char *argument)
{
	*v = (struct value){0};
	if (name)
		piece_init(&v->part[0], name);
	if (second)
		piece_init(&v->part[1], second);
	v->options = xstrdup(options ? options : "");
	v->options_len = strlen(v->options);
	v->argument = xstrdup(argument ? argument : "");
	v->argument_len = strlen(v->argument);
}

static void value_free(struct value *v)
{
	piece_free(&v->part[0]);
	piece_free(&v->part[1]);
	free(v->options);
	free(v->argument);
}

/* Room for the one value of a dimension of numbers, which number_make() writes. */
static void numbers_init(struct dimension *d)
{
	d->values = xcalloc(1, sizeof(*d->values));
	d->values->part[0] = (struct piece){.raw = xmalloc(NUMBER_ROOM), .bare = true};
	d->values->part[0].quoted = xmalloc(NUMBER_ROOM);
	d->values->options = xcalloc(1, 2 * NUMBER_ROOM);
	d->values->argument = xcalloc(1, 1);
	d->made = SIZE_MAX;
}

void matrix_init(struct matrix *m, const char *scenario)
{
	*m = (struct matrix){0};
	piece_init(&m->scenario, scenario);
}

void matrix_free(struct matrix *m)
{
	size_t d, i;

	for (d = 0; d < DIMS; d++) {
		struct dimension *dim = &m->dims[d];

		for (i = 0; i < (dim->ranges ? 1 : dim->n); i++)
			value_free(&dim->values[i]);
		free(dim->values);
		free(dim->ranges);
	}
	piece_free(&m->scenario);
}

struct value *matrix_add(struct matrix *m, enum dim dim, const char *name, const char *second,
			 const char *options, const char *argument)
{
	struct dimension *d = &m->dims[dim];

	if ((d->n & (d->n - 1)) == 0)
		d->values = xrealloc(d->values, (d->n ? 2 * d->n : 1) * sizeof(*d->values));
	d->given = d->given || name;
	value_init(&d->values[d->n], name, second, options, argument);
	return &d->values[d->n++];
}

int matrix_add_range(struct matrix *m, enum dim dim, uint64_t first, uint64_t last)
{
	struct dimension *d = &m->dims[dim];
	size_t i;

	for (i = 0; i < d->n_ranges; i++) {
		if (first <= d->ranges[i].last && last >= d->ranges[i].first)
			return -EEXIST;
	}
	if (!d->values)
		numbers_init(d);
	d->ranges = xrealloc(d->ranges, (d->n_ranges + 1) * sizeof(*d->ranges));
	d->ranges[d->n_ranges++] = (struct range){first, last};
	d->n += last - first + 1;
	d->given = true;
	return 0;
}

static uint64_t number_at(const struct dimension *d, size_t i)
{
	const struct range *r = d->ranges;

	while (i > r->last - r->first) {
		i -= r->last - r->first + 1;
		r++;
	}
	return r->first + i;
}

/* Write @n in decimal at @out. Returns the end. snprintf(3) would take most of a line's time. */
static char *decimal(char *out, uint64_t n)
{
	char digits[NUMBER_ROOM], *p = digits + sizeof(digits);
	size_t len;

	do {
		*--p = '0' + n % 10;
		n /= 10;
	} while (n);
	len = digits + sizeof(digits) - p;
	memcpy(out, p, len);
	out[len] = 0;
	return out + len;
}

static bool part_matches(const char *const *globs, const char *part)
{
	for (; globs && *globs; globs++) {
		if (!strchr(*globs, '/') && !fnmatch(*globs, part, 0))
			return true;
	}
	return false;
}

static void number_make(const struct matrix *m, enum dim dim, size_t i)
{
	const struct dimension *d = &m->dims[dim];
	struct value *v = d->values;
	struct piece *part = &v->part[0];

	v->number = number_at(d, i);
	part->raw_len = decimal(stpcpy(part->raw, numbers[dim].part), v->number) - part->raw;
	memcpy(part->quoted, part->raw, part->raw_len + 1);
	part->quoted_len = part->raw_len;
	if (numbers[dim].option) {
		char *end = decimal(stpcpy(v->options, numbers[dim].option), v->number);

		*end++ = ' ';
		*end = 0;
		v->options_len = end - v->options;
	}
	v->wanted = m->globs && part_matches(m->globs, part->raw);
}

const struct value *matrix_value(struct matrix *m, enum dim dim, size_t i)
{
	struct dimension *d = &m->dims[dim];

	if (!d->ranges)
		return &d->values[i];
	if (d->made != i) {
		number_make(m, dim, i);
		d->made = i;
	}
	return d->values;
}

void matrix_filter(struct matrix *m, const char *const *globs)
{
	size_t d, i;

	m->globs = globs;
	m->scenario_wanted = part_matches(globs, m->scenario.raw);
	for (d = 0; d < DIMS; d++) {
		struct dimension *dim = &m->dims[d];

		dim->made = SIZE_MAX;
		for (i = 0; !dim->ranges && i < dim->n; i++) {
			struct value *v = &dim->values[i];

			v->wanted = (v->part[0].raw && part_matches(globs, v->part[0].raw)) ||
				    (v->part[1].raw && part_matches(globs, v->part[1].raw));
		}
	}
}

/* Compare the two parts of values; both have them, or neither. */
static int parts_compare(const struct value *a, const struct value *b)
{
	int order = a->part[0].raw ? strcmp(a->part[0].raw, b->part[0].raw) : 0;

	if (!order && a->part[1].raw)
		order = strcmp(a->part[1].raw, b->part[1].raw);
	return order;
}

static int indirect_compare(const void *a, const void *b)
{
	return parts_compare(*(const struct value *const *)a, *(const struct value *const *)b);
}

bool matrix_same_parts(const struct matrix *m, enum dim dim, size_t *a, size_t *b)
{
	const struct dimension *d = &m->dims[dim];
	_cleanup_free_ const struct value **sorted = NULL;
	size_t i;

	if (d->ranges || d->n < 2)
		return false;
	sorted = xcalloc(d->n, sizeof(const struct value *));
	for (i = 0; i < d->n; i++)
		sorted[i] = &d->values[i];
	qsort(sorted, d->n, sizeof(*sorted), indirect_compare);
	for (i = 1; i < d->n; i++) {
		if (!parts_compare(sorted[i - 1], sorted[i])) {
			*a = sorted[i - 1] - d->values;
			*b = sorted[i] - d->values;
			return true;
		}
	}
	return false;
}

int matrix_count(const struct matrix *m, uint64_t *n)
{
	size_t d;

	*n = 1;
	for (d = 0; d < DIMS; d++) {
		if (__builtin_mul_overflow(*n, m->dims[d].n, n))
			return -EOVERFLOW;
	}
	return 0;
}

void matrix_decode(const struct matrix *m, uint64_t index, struct variant *v)
{
	int d;

	for (d = DIMS - 1; d >= 0; d--) {
		v->at[d] = index % m->dims[d].n;
		index /= m->dims[d].n;
	}
}

bool matrix_next(const struct matrix *m, struct variant *v)
{
	int d;

	for (d = DIMS - 1; d >= 0; d--) {
		if (++v->at[d] < m->dims[d].n)
			return true;
		v->at[d] = 0;
	}
	return false;
}

size_t matrix_name_size(struct matrix *m)
{
	size_t size = m->scenario.quoted_len + 1, d, i;

	for (d = 0; d < DIMS; d++) {
		const struct dimension *dim = &m->dims[d];
		size_t longest = dim->ranges ? NUMBER_ROOM : 0;

		for (i = 0; !dim->ranges && i < dim->n; i++) {
			const struct piece *part = dim->values[i].part;
			size_t len = part[0].quoted_len + part[1].quoted_len;

			longest = len > longest ? len : longest;
		}
		size += longest + 2; /* and a slash for each part */
	}
	return size;
}

static size_t name_write(struct matrix *m, const struct variant *v, size_t n_slots, char *out)
{
	char *p = mempcpy(out, m->scenario.raw, m->scenario.raw_len);
	size_t i;

	for (i = 0; i < n_slots; i++) {
		enum dim d = slots[i].dim;
		const struct piece *part = &matrix_value(m, d, v->at[d])->part[slots[i].part];

		if (!part->raw)
			continue;
		*p++ = '/';
		p = mempcpy(p, part->raw, part->raw_len);
	}
	*p = 0;
	return p - out;
}

size_t matrix_name(struct matrix *m, const struct variant *v, char *out)
{
	return name_write(m, v, ARRAY_SIZE(slots), out);
}

size_t matrix_base_name(struct matrix *m, const struct variant *v, char *out)
{
	return name_write(m, v, ARRAY_SIZE(slots) - 1, out);
}

size_t matrix_name_quoted(struct matrix *m, const struct variant *v, char *out, bool *bare)
{
	char *p = mempcpy(out, m->scenario.quoted, m->scenario.quoted_len);
	size_t i;

	*bare = m->scenario.bare;
	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		enum dim d = slots[i].dim;
		const struct piece *part = &matrix_value(m, d, v->at[d])->part[slots[i].part];

		if (!part->raw)
			continue;
		*bare &= part->bare;
		*p++ = '/';
		p = mempcpy(p, part->quoted, part->quoted_len);
	}
	*p = 0;
	return p - out;
}

size_t matrix_base_parts(const struct matrix *m)
{
	size_t n = 1, i;

	for (i = 0; i < ARRAY_SIZE(slots) - 1; i++) {
		const struct dimension *d = &m->dims[slots[i].dim];

		n += d->ranges || d->values[0].part[slots[i].part].raw;
	}
	return n;
}

bool matrix_wants(struct matrix *m, const struct variant *v, const char *name)
{
	const char *const *glob;
	size_t d;

	if (!m->globs || m->scenario_wanted)
		return true;
	for (d = 0; d < DIMS; d++) {
		if (matrix_value(m, d, v->at[d])->wanted)
			return true;
	}
	for (glob = m->globs; *glob; glob++) {
		if (!fnmatch(*glob, name, 0))
			return true;
	}
	return false;
}
