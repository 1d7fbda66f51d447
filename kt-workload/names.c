// SPDX-License-Identifier: GPL-2.0
#include "names.h"

#include <stdlib.h>

#include "diag.h"
#include "options.h"

char *unknown_name(const char *what, const char *name, const char *const *names)
{
	const char *near = nearest_name(name, names);
	char *text;

	if (near)
		return xasprintf("unknown %s '%s': did you mean '%s'?", what, name, near);
	text = xasprintf("unknown %s '%s': expected", what, name);
	for (size_t i = 0; names[i]; i++) {
		char *more = xasprintf("%s%s %s", text,
				       !i	      ? ""
				       : names[i + 1] ? ","
						      : " or",
				       names[i]);

		free(text);
		text = more;
	}
	return text;
}
