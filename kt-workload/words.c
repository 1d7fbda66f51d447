// SPDX-License-Identifier: GPL-2.0
#include "words.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/*
 * Copy the quoted text that begins at @p (on its quote) to *@out. Returns the character after the
 * closing quote, or NULL when there is none.
 */
static const char *quoted(const char *p, char **out)
{
	char quote = *p++;

	for (; *p && *p != quote; p++) {
		/* Within "..." a backslash only quotes what would be special there. */
		if (quote == '"' && *p == '\\' && p[1] && strchr("\\\"$`", p[1]))
			p++;
		*(*out)++ = *p;
	}
	return *p ? p + 1 : NULL;
}

/* Copy one word to @out. Returns the character after it, or NULL with *@why set. */
static const char *word_copy(const char *p, char *out, const char **why)
{
	while (*p && !is_blank(*p)) {
		if (*p == '\'' || *p == '"') {
			p = quoted(p, &out);
			if (!p) {
				*why = "a quote is not closed";
				return NULL;
			}
			continue;
		}
		if (*p == '\\' && !*++p) {
			*why = "a backslash ends the line: expected a character after it";
			return NULL;
		}
		*out++ = *p++;
	}
	*out = '\0';
	return p;
}

int words_split(const char *line, char ***words, size_t *n, const char **why)
{
	_cleanup_free_ char *word = xmalloc(strlen(line) + 1);
	const char *p = line;

	*words = xcalloc(1, sizeof(**words));
	*n = 0;
	for (;;) {
		while (is_blank(*p))
			p++;
		if (!*p || *p == '#')
			return 0;
		p = word_copy(p, word, why);
		if (!p) {
			words_free(*words);
			*words = NULL;
			return -EINVAL;
		}
		ptrlist_add(words, n, xstrdup(word));
	}
}

void words_free(char **words)
{
	size_t i;

	for (i = 0; words && words[i]; i++)
		free(words[i]);
	free(words);
}
