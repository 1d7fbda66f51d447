/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KT_COMMAND_H
#define KT_COMMAND_H

/* Whether execvp(3) would find @name. Returns 0 or -errno. */
int command_find(const char *name);

#endif
