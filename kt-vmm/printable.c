// SPDX-License-Identifier: GPL-2.0
#include "printable.h"

#include "diag.h"

char *printable_copy(const char *s, size_t max)
{
	char *copy = xstrndup(s, max), *p;

	for (p = copy; *p; p++) {
		if (*p < ' ' || *p > '~')
			*p = '?';
	}
	return copy;
}
