/* SPDX-License-Identifier: GPL-2.0 */
/* The user's terminal while a guest shell is on it. */
#ifndef KT_TERMINAL_H
#define KT_TERMINAL_H

/* Pass every key on unprocessed, until terminal_restore(), which also runs at exit(3). */
void terminal_raw(void);
void terminal_restore(void);

/* Send the window's size as a frame on @channel. */
void terminal_send_size(int channel);

#endif
