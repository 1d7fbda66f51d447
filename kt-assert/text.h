/* SPDX-License-Identifier: GPL-2.0 */
/* Text from inputs, made safe to show. */
#ifndef KT_ASSERT_TEXT_H
#define KT_ASSERT_TEXT_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Print @text with control characters (C0, DEL, and C1 as UTF-8 encodes them) as \xNN, so that
 * no input can drive the terminal or forge another line.
 */
void text_print_safe(FILE *out, const char *text);

/* The same into memory. Caller frees. */
char *text_safe(const char *text);

/* A stream into memory: *@text is NUL-terminated once it is closed, and the caller frees it. */
FILE *text_stream(char **text);

/*
 * Print @text as XML 1.0 character data, for an element or a quoted attribute: markup escaped, and
 * what is not UTF-8 or no character there (section 2.2) as \xNN, byte by byte, as control
 * characters are. Newlines and tabs stay, as references where @attribute.
 */
void text_print_xml(FILE *out, const char *text, bool attribute);

#endif
