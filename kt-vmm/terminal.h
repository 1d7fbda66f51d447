/* SPDX-License-Identifier: GPL-2.0 */
/* The user's terminal while a guest shell is on it. */
#ifndef KT_TERMINAL_H
#define KT_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

/* Pass every key on unprocessed, until terminal_restore(), which also runs at exit(3). */
void terminal_raw(void);
void terminal_restore(void);

/* The window's rows and columns. Returns whether there is a window. */
bool terminal_size(uint16_t size[2]);

#endif
