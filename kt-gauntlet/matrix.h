/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The matrix: the product of its dimensions. A variant is one value of each; it has a name, which
 * its run directory is called by, and an index, by which it can be kept in a list.
 */
#ifndef KT_GAUNTLET_MATRIX_H
#define KT_GAUNTLET_MATRIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flags.h"
#include "topology.h"

/* From the slowest to the fastest in the order of the variants. */
enum dim {
	DIM_TOPOLOGY,
	DIM_SUBJECT, /* scheduler and profile: which profiles there are depends on the scheduler */
	DIM_KERNEL,
	DIM_WORK,
	DIM_SEED,
	DIM_REP, /* last: repetitions of one variant are next to each other */
	DIMS,
};

/* A word, or a part of one: as it is, and as it stands between single quotes. */
struct piece {
	char *raw, *quoted;
	size_t raw_len, quoted_len;
	bool bare; /* needs no quotes */
};

struct subject {
	const char *sched;	   /* NULL: the kernel's own */
	size_t sched_index;	   /* of the schedulers that were asked for */
	const struct flags *flags; /* NULL: none are declared */
	uint64_t mask;
};

struct value {
	struct piece part[2]; /* of the name; raw is NULL where there is none */
	char *options;	      /* kt-vmm's, quoted, a blank after each; never NULL */
	char *argument;	      /* kt-workload's, quoted, a blank before it; never NULL */
	size_t options_len, argument_len;
	union {
		struct topology topology;
		struct subject subject;
		const char *text; /* kernel label, work type */
		uint64_t number;  /* seed, repetition */
	};
	bool wanted; /* a pattern matches one of the parts */
};

struct range {
	uint64_t first, last;
};

/* Seeds and repetitions can be many: their values are made when they are asked for. */
struct dimension {
	struct value *values;
	size_t n;
	bool given;
	struct range *ranges; /* of a dimension of numbers */
	size_t n_ranges;
	size_t made; /* which number's value is in values[0]; SIZE_MAX: none */
};

struct matrix {
	struct piece scenario;
	struct dimension dims[DIMS];
	const char *const *globs; /* names that are wanted; NULL-terminated, or NULL for all */
	bool scenario_wanted;
};

struct variant {
	size_t at[DIMS];
};

/* A matrix of one variant with nothing given. Release with matrix_free(). */
void matrix_init(struct matrix *m, const char *scenario);
void matrix_free(struct matrix *m);

/*
 * Append a value. @name and @second, NULL for none, are copied as parts of the name, @options and
 * @argument (as in struct value, or NULL) are copied. The pointer is valid until the next call.
 */
struct value *matrix_add(struct matrix *m, enum dim dim, const char *name, const char *second,
			 const char *options, const char *argument);

/* Append numbers to DIM_SEED or DIM_REP. Returns 0, or -EEXIST when one is there already. */
int matrix_add_range(struct matrix *m, enum dim dim, uint64_t first, uint64_t last);

/* Take the patterns (kept, not copied); call it when all values are there. */
void matrix_filter(struct matrix *m, const char *const *globs);

/* Two values of @dim with the same parts, and so with the same names? Returns true and both. */
bool matrix_same_parts(const struct matrix *m, enum dim dim, size_t *a, size_t *b);

/* The @i-th value of a dimension. Of numbers, it is valid until the next call for @dim. */
const struct value *matrix_value(struct matrix *m, enum dim dim, size_t i);

/* How many variants there are, before patterns. Returns 0, or -EOVERFLOW. */
int matrix_count(const struct matrix *m, uint64_t *n);

void matrix_decode(const struct matrix *m, uint64_t index, struct variant *v);

/* Go on to the next variant; false after the last. */
bool matrix_next(const struct matrix *m, struct variant *v);

/* A buffer of this size holds any name, with its NUL. */
size_t matrix_name_size(struct matrix *m);

/* Write the name to @out. Returns its length. */
size_t matrix_name(struct matrix *m, const struct variant *v, char *out);

/* The name as it stands between single quotes; *@bare: it needs none. */
size_t matrix_name_quoted(struct matrix *m, const struct variant *v, char *out, bool *bare);

/* The name without the repetition, and how many parts that has. */
size_t matrix_base_name(struct matrix *m, const struct variant *v, char *out);
size_t matrix_base_parts(const struct matrix *m);

/* Does a pattern match? @name is the variant's. */
bool matrix_wants(struct matrix *m, const struct variant *v, const char *name);

void piece_init(struct piece *p, const char *raw);
void piece_free(struct piece *p);

#endif
