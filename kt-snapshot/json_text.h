/* SPDX-License-Identifier: GPL-2.0 */
/*
 * JSON written straight into a buffer that is used again and again: for what is made ten times a
 * second, where building a document first would cost more than reading the guest.
 */
#ifndef KT_SNAPSHOT_JSON_TEXT_H
#define KT_SNAPSHOT_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero at first; free(data) releases it. */
struct json_text {
	char *data;
	size_t len, size;
};

/* @s as it is: punctuation, or whole JSON. */
void text_add(struct json_text *t, const char *s);

/* "@key": , with a comma before it unless it is the first of its object. */
void text_key(struct json_text *t, const char *key);

/* A comma unless it is the first of its array or object. */
void text_next(struct json_text *t);

void text_u64(struct json_text *t, uint64_t value);
void text_i64(struct json_text *t, int64_t value);

/* A string; bytes that are not printable ASCII come as \u00XX. */
void text_string(struct json_text *t, const char *s);

#endif
