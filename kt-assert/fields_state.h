/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state that fields.c, which feeds the stream, and fields_match.c, which finds the fields in
 * it, share.
 */
#ifndef KT_ASSERT_FIELDS_STATE_H
#define KT_ASSERT_FIELDS_STATE_H

#include <yajl/yajl_parse.h>

#include "fields.h"

/* One path in one array or object on the way. */
struct slot {
	int state;     /* steps found on the way here; -1: the path does not lead here */
	bool by_value; /* it came as an entry's "value", without a step */
	bool pending;  /* it must pass the test of step state - 1 */
	const struct jsonpath_step *key_test; /* in a "key": the test of the element around it */
	unsigned int next;		      /* IS_*, of the value that comes */
	/* An element's test by its own member (-1: it has none), and by its key's. */
	signed char own_test;
	bool key_passed;
	bool has_key, has_step, chosen; /* members seen; an array's element was chosen */
	struct field own, other;	/* found by a step, and in the entry's "value" */
};

struct frame {
	bool is_array;
	size_t index; /* of the element that comes */
	struct slot *slots;
};

struct fields {
	yajl_handle yajl;
	const struct jsonpath *const *paths;
	size_t n_paths;
	int (*take)(void *ctx, const struct field *found);
	void *ctx;
	struct frame frames[FIELDS_DEPTH_MAX];
	size_t depth; /* frames in use */
	size_t skip;  /* arrays and objects around, in a value that nobody wants */
	struct field *found;
	bool oversize, filled;		 /* there was more than white space */
	uint64_t fed, lines, line_start; /* before this piece; bytes before the line */
	const char *piece;
	size_t counted; /* bytes of the piece whose lines are counted */
	uint64_t line;
	int stopped; /* what take() returned */
	char *message;
};

/* What the parser calls; its context is the struct fields. */
extern const yajl_callbacks fields_callbacks;

/* Release what a field or slot holds, and empty it. */
void field_clear(struct field *v);
void slot_clear(struct slot *s);

/* Count the lines of the piece up to byte @at. */
void fields_count_lines(struct fields *f, size_t at);

/* Note the first error, at byte @at of the piece; returns what makes yajl stop. */
int fields_fail(struct fields *f, size_t at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Bytes of the piece that the parser has used. */
static inline size_t fields_here(const struct fields *f)
{
	return yajl_get_bytes_consumed(f->yajl);
}

#endif
