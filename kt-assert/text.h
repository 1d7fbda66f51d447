/* SPDX-License-Identifier: GPL-2.0 */
/* Text from inputs, made safe to show. */
#ifndef KT_ASSERT_TEXT_H
#define KT_ASSERT_TEXT_H

#include <stdio.h>

/*
 * Print @text with control characters (C0, DEL, and C1 as UTF-8 encodes them) as \xNN, so that
 * no input can drive the terminal or forge another line.
 */
void text_print_safe(FILE *out, const char *text);

#endif
