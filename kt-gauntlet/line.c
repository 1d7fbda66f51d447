// SPDX-License-Identifier: GPL-2.0
#include "line.h"

#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "words.h"

void line_write(FILE *out, const char *const *words)
{
	for (; *words; words++) {
		_cleanup_free_ char *word = word_quote(*words);

		fputs(word, out);
		putc(words[1] ? ' ' : '\n', out);
	}
}

bool line_word_ok(const char *word)
{
	return !strchr(word, '\n');
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Can a directory be called this? */
static bool usable(const char *name, size_t len)
{
	return len && !(name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')));
}

char *scenario_name(const char *const *command)
{
	const char *base = base_name(command[0]);
	size_t len = strlen(base), i;

	for (i = 1; command[i]; i++) {
		const char *name = base_name(command[i]);
		size_t n = strlen(name);

		if (command[i][0] != '-' && n > 3 && !strcmp(name + n - 3, ".kt")) {
			base = name;
			len = n - 3;
		}
	}
	if (!usable(base, len))
		return NULL;
	return xstrndup(base, len);
}

char *kernel_dirname(const char *kernel)
{
	char *name, *p;

	while (*kernel == '/' || !strncmp(kernel, "./", 2) || !strncmp(kernel, "../", 3))
		kernel += strcspn(kernel, "/") + 1;
	if (!usable(kernel, strlen(kernel)))
		return NULL;
	name = xstrdup(kernel);
	for (p = name; *p; p++) {
		if (*p == '/')
			*p = '-';
	}
	return name;
}
