/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Streaming JSON into C structs by tables: which keys an object has, of which type, and where they
 * go. Keys that no table knows are skipped without being kept, so memory follows what is bound and
 * not the size of the document. Built on yajl's callbacks.
 */
#ifndef KT_ASSERT_BIND_H
#define KT_ASSERT_BIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BIND_DEPTH_MAX 64	 /* arrays and objects within each other */
#define BIND_TOKEN_MAX (1 << 20) /* bytes of one string, key or number */
#define BIND_NONE      (-1)	 /* an int member whose value was null or missing */

enum bind_kind {
	BIND_INT,     /* int64_t, 0 to INT64_MAX; BIND_NONE without a value */
	BIND_REAL,    /* double, finite; NAN without a value */
	BIND_BOOL,    /* bool; false without a value */
	BIND_STRING,  /* char *, no NUL inside; NULL without a value; whoever owns the struct frees
			 it */
	BIND_STRINGS, /* struct bind_strings, from an array of strings */
	BIND_COUNTS,  /* struct bind_counts, from an object such as {"0": 12, "1": 3} */
	BIND_OBJECT,  /* a struct embedded at the offset, described by .type */
	BIND_LIST,    /* an array of objects of .type; its begin() says where each one goes, and
		       * their number goes to an int64_t; BIND_NONE without an array */
};

#define BIND_REQUIRED 1 /* the key must be there */
#define BIND_NULL     2 /* null is allowed as its value */

struct bind_strings {
	char **v; /* NULL-terminated, or NULL when empty */
	size_t n;
};

#define BIND_COUNTS_KEY_MAX 4095

/* Numbers by a number. The array is kept for the next object in the same place. */
struct bind_counts {
	struct bind_count {
		uint32_t key; /* up to BIND_COUNTS_KEY_MAX, each one once */
		int64_t n;    /* from 0 */
	} * v;
	size_t n, max;
	bool there; /* false: null, or no such key in the document */
};

struct bind_field {
	const char *key;
	enum bind_kind kind;
	size_t offset;
	unsigned int flags;
	const struct bind_type *type; /* BIND_OBJECT, BIND_LIST */
	const char *equals;	      /* BIND_STRING: the only value allowed, NULL: any */
};

/* One kind of object; at most 64 fields. */
struct bind_type {
	const struct bind_field *fields;
	size_t n_fields;
	/*
	 * List elements: the struct to fill, which must hold nothing to release (but counts'
	 * arrays) and be zero before it is filled for the first time. @owner is bind_open()'s.
	 */
	void *(*begin)(void *owner);
	/*
	 * The object is complete. Returns NULL, or a static phrase that says what was expected,
	 * with
	 * *@key set to the key at fault (or left NULL).
	 */
	const char *(*end)(void *owner, void *base, const char **key);
};

struct bind;

/* A reader for one document of type @root into @base, which must outlive it. */
struct bind *bind_open(const struct bind_type *root, void *base);

/*
 * Feed bytes, in pieces of any size; bind_finish() says that there are no more. Both return 0, or
 * -EBADMSG once the document is known to be malformed, -ENODATA when it ends too early,
 * -EPROTONOSUPPORT when a value that must be "NAME/1" is "NAME/2" or another version; bind_error()
 * then gives one line such as
 * "byte 1234: workers[3].max_gap_ns: expected a whole number, found a string".
 */
int bind_feed(struct bind *b, const void *data, size_t len);
int bind_finish(struct bind *b);
const char *bind_error(const struct bind *b); /* belongs to @b */

void bind_close(struct bind *b);

/* Set all bound members of @base to their "no value", without freeing any. */
void bind_clear(const struct bind_type *type, void *base);

#endif
