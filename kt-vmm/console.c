// SPDX-License-Identifier: GPL-2.0
#include "console.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"

/* The first words of arch/x86/kernel/dumpstack.c, traps.c, mm/fault.c and kernel/panic.c. */
static const struct {
	const char *text;
	enum { IS_OOPS, IS_PANIC, IS_WARNING, IS_END } kind;
} signs[] = {
	{"Kernel panic - not syncing", IS_PANIC},
	{"Oops: ", IS_OOPS},
	{"kernel BUG at ", IS_OOPS},
	{"BUG: unable to handle ", IS_OOPS},
	{"BUG: kernel NULL pointer dereference", IS_OOPS},
	{"double fault: ", IS_OOPS},
	{"Rebooting in ", IS_END},
	{"WARNING: ", IS_WARNING},
	{"rcu: INFO: ", IS_WARNING},
	{"watchdog: BUG: soft lockup", IS_WARNING},
	{"BUG: workqueue lockup", IS_WARNING},
};

/* Skip "[   12.345678] ", with the caller's id that some kernels add in it. */
static const char *skip_stamp(const char *line)
{
	const char *p = line;

	if (*p != '[')
		return line;
	p += strcspn(p, "]");
	if (*p != ']')
		return line;
	p++;
	while (*p == ' ')
		p++;
	return p;
}

static void line_judge(struct console *c)
{
	const char *text;
	size_t i;

	while (c->len && c->line[c->len - 1] == ' ')
		c->len--;
	c->line[c->len] = 0;
	text = skip_stamp(c->line);
	debug("console: %s", text);
	for (i = 0; i < ARRAY_SIZE(signs); i++) {
		if (strncmp(text, signs[i].text, strlen(signs[i].text)))
			continue;
		if (signs[i].kind == IS_WARNING) {
			c->warnings++;
			return;
		}
		if (signs[i].kind == IS_END) {
			c->rebooting |= c->panic;
			return;
		}
		if (!c->oops && !c->panic)
			snprintf(c->reason, sizeof(c->reason), "%.255s", text);
		c->oops |= signs[i].kind == IS_OOPS;
		c->panic |= signs[i].kind == IS_PANIC;
		return;
	}
}

void console_scan(struct console *c)
{
	char buf[16384];
	ssize_t n, i;

	while ((n = pread(c->fd, buf, sizeof(buf), c->pos)) > 0) {
		c->pos += n;
		for (i = 0; i < n; i++) {
			if (buf[i] == '\n') {
				line_judge(c);
				c->len = 0;
			} else if (c->len < sizeof(c->line) - 1) {
				/* Unprintable bytes come from the guest: keep them off terminals.
				 */
				c->line[c->len++] = isprint((unsigned char)buf[i]) ? buf[i] : ' ';
			}
		}
	}
}
