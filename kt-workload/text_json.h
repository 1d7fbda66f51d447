/* SPDX-License-Identifier: GPL-2.0 */
/* Text of the user's in JSON, which knows only UTF-8: each byte that is none of it becomes '?'. */
#ifndef KT_TEXT_JSON_H
#define KT_TEXT_JSON_H

#include <jansson.h>

/* A copy of @text that is UTF-8; caller frees. */
char *text_utf8(const char *text);

/* The string, or null for NULL. */
json_t *text_json(const char *text);

#endif
