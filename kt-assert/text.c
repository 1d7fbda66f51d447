// SPDX-License-Identifier: GPL-2.0
#include "text.h"

#include <stdint.h>

#include "diag.h"
#include "exits.h"

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

FILE *text_stream(char **text)
{
	static size_t size; /* nobody asks */
	FILE *f = open_memstream(text, &size);

	if (!f)
		die(EXIT_INTERNAL, "out of memory");
	return f;
}

char *text_safe(const char *text)
{
	char *safe = NULL;
	FILE *f = text_stream(&safe);

	text_print_safe(f, text);
	fclose(f);
	return safe;
}

/*
 * Bytes of the character at @p if it is well-formed UTF-8 (RFC 3629 section 4) and an XML character
 * other than a control, otherwise 0.
 */
static size_t xml_char(const unsigned char *p)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = *p < 0x80   ? 1
		   : *p < 0xc0 ? 0
		   : *p < 0xe0 ? 2
		   : *p < 0xf0 ? 3
		   : *p < 0xf8 ? 4
			       : 0;
	uint32_t c = n > 1 ? *p & (0x7f >> n) : *p;
	size_t i;

	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) || c == 0xfffe ||
	    c == 0xffff)
		return 0;
	if (c == '\n' || c == '\t')
		return n;
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) ? 0 : n;
}

static const char *xml_reference(unsigned char c, bool attribute)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\n':
		return attribute ? "&#10;" : NULL;
	case '\t':
		return attribute ? "&#9;" : NULL;
	}
	return NULL;
}

void text_print_xml(FILE *out, const char *text, bool attribute)
{
	const unsigned char *p = (const unsigned char *)text;

	while (*p) {
		const char *reference = xml_reference(*p, attribute);
		size_t n = xml_char(p);

		if (reference)
			fputs(reference, out);
		else if (n)
			fwrite(p, 1, n, out);
		else
			fprintf(out, "\\x%02x", *p);
		p += n ? n : 1;
	}
}
