/* SPDX-License-Identifier: GPL-2.0 */
/* Inside bind.h: the reader's state, shared by its files and by nobody else. */
#ifndef KT_ASSERT_BIND_STATE_H
#define KT_ASSERT_BIND_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yajl/yajl_parse.h>

#include "bind.h"

/* Bound objects and lists within each other; the tables decide, not the input. */
#define LEVELS_MAX 8

struct level {
	enum { IN_OBJECT, IN_LIST, IN_STRINGS, IN_COUNTS } in;
	const struct bind_type *type;	/* of the object, or of the list's elements */
	void *base;			/* the object, or what its kind puts at the offset */
	const struct bind_field *field; /* IN_OBJECT: the key whose value comes; NULL: not bound */
	size_t index;			/* of the element, otherwise */
	uint64_t seen;			/* IN_OBJECT: bit per field */
	size_t hint;			/* IN_OBJECT: where the next key is likely to be */
};

struct bind {
	yajl_handle yajl;
	const struct bind_type *root;
	void *owner;
	struct level levels[LEVELS_MAX];
	size_t n_levels;
	unsigned int skip; /* depth inside a value that nobody wants */
	bool oversize;	   /* yajl asked for a buffer above BIND_TOKEN_MAX */
	uint64_t fed;	   /* bytes in earlier chunks */
	char *message;
	int error; /* negative errno that goes with the message */
};

/* The innermost bound object or list, NULL at the top. */
static inline struct level *top_level(struct bind *b)
{
	return b->n_levels ? &b->levels[b->n_levels - 1] : NULL;
}

/* What yajl calls for each value. */
extern const yajl_callbacks bind_callbacks;

/*
 * Note the first error, at the value just read; @key is below the path of the levels, or NULL.
 * Returns 0, which makes yajl stop.
 */
int bind_fail_key(struct bind *b, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
#define bind_fail(b, ...) bind_fail_key(b, NULL, __VA_ARGS__)

/* The same at byte @offset of the current chunk; returns @err. */
int bind_fail_at(struct bind *b, int err, size_t offset, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Say where and why yajl gave up on the chunk. Returns -EBADMSG. */
int bind_syntax_error(struct bind *b, const char *data, size_t len);

#endif
