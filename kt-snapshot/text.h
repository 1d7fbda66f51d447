/* SPDX-License-Identifier: GPL-2.0 */
/* Values on standard output, for people and for scripts. */
#ifndef KT_SNAPSHOT_TEXT_H
#define KT_SNAPSHOT_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* @v and a newline: as JSON on one line, but strings as they are unless @json. */
void text_print_value(const json_t *v, bool json);

/*
 * The same as text, a new one. Control characters, which may come from the guest and would move the
 * cursor, are spelled \\x1b.
 */
char *text_of_value(const json_t *v, bool json);

/* @len bytes with control characters spelled; caller frees. */
char *text_visible(const char *text, size_t len);

#endif
