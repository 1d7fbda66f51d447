/* SPDX-License-Identifier: GPL-2.0 */
/* Bytes that grow at their end. All zero is an empty one; blob_free() gives the memory back. */
#ifndef KT_BLOB_H
#define KT_BLOB_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"

struct blob {
	uint8_t *data;
	size_t len, size;
};

/* Add @len bytes, zeroes where @data is NULL. Returns where they begin. */
static inline size_t blob_put(struct blob *b, const void *data, size_t len)
{
	size_t at = b->len;

	if (b->size - b->len < len) {
		b->size = 2 * (b->len + len) + 256;
		b->data = xrealloc(b->data, b->size);
	}
	if (!len)
		return at;
	if (data)
		memcpy(b->data + at, data, len);
	else
		memset(b->data + at, 0, len);
	b->len += len;
	return at;
}

static inline void blob_put8(struct blob *b, uint8_t v)
{
	blob_put(b, &v, sizeof(v));
}

static inline void blob_put16(struct blob *b, uint16_t v)
{
	blob_put(b, &v, sizeof(v));
}

static inline void blob_put32(struct blob *b, uint32_t v)
{
	blob_put(b, &v, sizeof(v));
}

static inline void blob_put64(struct blob *b, uint64_t v)
{
	blob_put(b, &v, sizeof(v));
}

/* Zeroes up to a multiple of @to, a power of two. */
static inline void blob_align(struct blob *b, size_t to)
{
	blob_put(b, NULL, -b->len & (to - 1));
}

static inline void blob_free(struct blob *b)
{
	free(b->data);
	memset(b, 0, sizeof(*b));
}

#endif
