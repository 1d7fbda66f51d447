// SPDX-License-Identifier: GPL-2.0
#include "line.h"

#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "words.h"

char *words_quote(const char *const *words)
{
	char *out = NULL;
	size_t size = 0;
	FILE *text = open_memstream(&out, &size);

	for (; *words; words++) {
		_cleanup_free_ char *word = word_quote(*words);

		fprintf(text, " %s", word);
	}
	fclose(text);
	return out;
}

bool line_word_ok(const char *word)
{
	return !strchr(word, '\n');
}

const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Can a directory be called this? */
static bool usable(const char *name, size_t len)
{
	return len && !(name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')));
}

bool scenario_operand(const char *word)
{
	const char *name = base_name(word);
	size_t n = strlen(name);

	return word[0] != '-' && n > 3 && !strcmp(name + n - 3, ".kt");
}

char *scenario_name(const char *const *command)
{
	const char *base = base_name(command[0]);
	size_t len = strlen(base), i;

	for (i = 1; command[i]; i++) {
		if (scenario_operand(command[i])) {
			base = base_name(command[i]);
			len = strlen(base) - 3;
		}
	}
	if (!usable(base, len))
		return NULL;
	return xstrndup(base, len);
}

char *part_name(const char *text)
{
	char *name, *p;

	while (*text == '/' || !strncmp(text, "./", 2) || !strncmp(text, "../", 3))
		text += strcspn(text, "/") + 1;
	if (!usable(text, strlen(text)))
		return NULL;
	name = xstrdup(text);
	for (p = name; *p; p++) {
		if (*p == '/')
			*p = '-';
	}
	return name;
}
