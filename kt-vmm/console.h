/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's own voice: what the serial console says about its health. */
#ifndef KT_CONSOLE_H
#define KT_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

struct console {
	int fd;	      /* the log that the engine appends to */
	uint64_t pos; /* how far it was read */
	char line[512];
	size_t len;
	bool panic, oops;
	bool rebooting; /* a panic's last words are out */
	unsigned int warnings;
	char reason[256]; /* of the first oops or panic: its line without the time stamp */
};

/* Read what is new in the log. Cheap when nothing is. */
void console_scan(struct console *c);

#endif
