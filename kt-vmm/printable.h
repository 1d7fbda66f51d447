/* SPDX-License-Identifier: GPL-2.0 */
/* Text of the guest on its way to a terminal or a log. */
#ifndef KT_PRINTABLE_H
#define KT_PRINTABLE_H

#include <stddef.h>

/*
 * A copy of at most @max bytes of @s in which everything but printable ASCII is a '?', so that no
 * guest steers a terminal. Caller frees.
 */
char *printable_copy(const char *s, size_t max);

#endif
