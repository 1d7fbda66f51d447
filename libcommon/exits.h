/* SPDX-License-Identifier: GPL-2.0 */
/* Exit statuses shared by all kt programs; docs/exit-status.md lists them for users. */
#ifndef KT_EXITS_H
#define KT_EXITS_H

/* sysexits.h values, by their meaning here. */
#define EXIT_USAGE     64 /* wrong option, argument or name; nothing was started */
#define EXIT_BAD_INPUT 65 /* an input file or stream is malformed */
#define EXIT_INTERNAL  70 /* out of memory, a failed system call: the tool, not its input */

#endif
