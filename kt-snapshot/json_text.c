// SPDX-License-Identifier: GPL-2.0
#include "json_text.h"

#include <string.h>

#include "diag.h"

static char *room(struct json_text *t, size_t n)
{
	while (t->size - t->len < n) {
		t->size = t->size ? 2 * t->size : 4096;
		t->data = xrealloc(t->data, t->size);
	}
	return t->data + t->len;
}

static void add(struct json_text *t, const char *s, size_t n)
{
	memcpy(room(t, n), s, n);
	t->len += n;
}

void text_add(struct json_text *t, const char *s)
{
	add(t, s, strlen(s));
}

void text_next(struct json_text *t)
{
	char last = t->len ? t->data[t->len - 1] : '{';

	if (last != '{' && last != '[')
		add(t, ",", 1);
}

void text_key(struct json_text *t, const char *key)
{
	text_next(t);
	add(t, "\"", 1);
	text_add(t, key);
	add(t, "\":", 2);
}

void text_u64(struct json_text *t, uint64_t value)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = '0' + value % 10;
		value /= 10;
	} while (value);
	add(t, digits + i, sizeof(digits) - i);
}

void text_i64(struct json_text *t, int64_t value)
{
	if (value < 0)
		add(t, "-", 1);
	text_u64(t, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void text_string(struct json_text *t, const char *s)
{
	add(t, "\"", 1);
	for (; *s; s++) {
		static const char hex[] = "0123456789abcdef";
		unsigned char c = *s;
		const char escape[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

		if (c >= ' ' && c < 0x7f && c != '"' && c != '\\')
			add(t, s, 1);
		else
			add(t, escape, sizeof(escape));
	}
	add(t, "\"", 1);
}
