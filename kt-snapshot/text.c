// SPDX-License-Identifier: GPL-2.0
#include "text.h"

#include <stdio.h>
#include <stdlib.h>

#include "cleanup.h"
#include "diag.h"

char *text_visible(const char *text, size_t len)
{
	char *out = xmalloc(4 * len + 1), *o = out;
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char c = text[i];

		if (c < ' ' || c == 0x7f)
			o += sprintf(o, "\\x%02x", c);
		else
			*o++ = c;
	}
	*o = '\0';
	return out;
}

char *text_of_value(const json_t *v, bool json)
{
	if (!json && json_is_string(v))
		return text_visible(json_string_value(v), json_string_length(v));
	return json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
}

void text_print_value(const json_t *v, bool json)
{
	_cleanup_free_ char *text = text_of_value(v, json);

	puts(text ? text : "null");
}
