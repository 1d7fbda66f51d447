// SPDX-License-Identifier: GPL-2.0
#include "text_json.h"

#include <string.h>

#include "cleanup.h"
#include "diag.h"

#define SEQUENCE_MAX 4

/* How long the character is that begins at @text; 0 if none does. */
static size_t character_length(const char *text)
{
	size_t len = strnlen(text, SEQUENCE_MAX), i;

	for (i = 1; i <= len; i++) {
		json_t *character = json_stringn(text, i);

		json_decref(character);
		if (character)
			return i;
	}
	return 0;
}

char *text_utf8(const char *text)
{
	char *copy = xstrdup(text), *at = copy;

	while (*at) {
		size_t len = character_length(at);

		if (!len)
			*at = '?';
		at += len ?: 1;
	}
	return copy;
}

json_t *text_json(const char *text)
{
	_cleanup_free_ char *clean = NULL;
	json_t *string = text ? json_string(text) : json_null();

	if (string)
		return string;
	clean = text_utf8(text);
	return json_string(clean);
}
