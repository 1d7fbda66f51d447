/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Some fields, by path, out of a stream of JSON documents: nothing else is kept, so memory follows
 * the fields that are wanted, whatever the size of a document or of the stream. It finds what
 * jsonpath_get() finds in the same document. Built on yajl's callbacks.
 */
#ifndef KT_ASSERT_FIELDS_H
#define KT_ASSERT_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jsonpath.h"

#define FIELDS_DEPTH_MAX  64	    /* arrays and objects within each other */
#define FIELDS_TOKEN_MAX  (1 << 20) /* bytes of one string, key or number */
#define FIELDS_STRING_MAX 1024	    /* bytes that are kept of a string; its length is whole */

enum field_kind {
	FIELD_MISSING,
	FIELD_NULL,
	FIELD_TRUE,
	FIELD_FALSE,
	FIELD_NUMBER,
	FIELD_STRING,
	FIELD_OBJECT,
	FIELD_ARRAY,
};

struct field {
	enum field_kind kind;
	unsigned int steps; /* FIELD_MISSING: how many of the path's steps were found */
	long double number; /* exact for every 64-bit integer (x86's has 64 bits of mantissa) */
	char *text;	    /* FIELD_STRING: its first FIELDS_STRING_MAX bytes */
	size_t len;	    /* of the whole string */
};

struct fields;

/*
 * A reader for documents, each an object. At the end of each, @take is called with one field for
 * every path, in their order; they are gone after the call. What @take returns other than 0 ends
 * the reading, as do its other errors. @paths must outlive the reader.
 */
struct fields *fields_open(const struct jsonpath *const *paths, size_t n_paths,
			   int (*take)(void *ctx, const struct field *found), void *ctx);

/*
 * Feed bytes, in pieces of any size; fields_finish() says that there are no more. Both return 0,
 * what @take returned, or -EBADMSG; fields_error() is then one line, such as "line 3, byte 40:
 * expected JSON", or NULL when it was @take that ended the reading.
 */
int fields_feed(struct fields *f, const char *data, size_t len);
int fields_finish(struct fields *f);
const char *fields_error(const struct fields *f); /* belongs to @f */

/* The line at which the document in progress, or the one just taken, was noticed; from 1. */
uint64_t fields_line(const struct fields *f);

void fields_close(struct fields *f);

#endif
