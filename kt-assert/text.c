// SPDX-License-Identifier: GPL-2.0
#include "text.h"

void text_print_safe(FILE *out, const char *text)
{
	const unsigned char *p;

	for (p = (const unsigned char *)text; *p; p++) {
		if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f) {
			fprintf(out, "\\x%02x", p[1]);
			p++;
		} else if ((*p < 0x20 && *p != '\t') || *p == 0x7f) {
			fprintf(out, "\\x%02x", *p);
		} else {
			putc(*p, out);
		}
	}
}
