// SPDX-License-Identifier: GPL-2.0
#include "words.h"

#include <stdlib.h>
#include <string.h>

#include "diag.h"

/*
 * Read one word at *@p into @out, which has room for it. Returns NULL, or what is wrong.
 */
static const char *word_read(const char **p, char *out)
{
	char quote = 0;

	for (; **p; (*p)++) {
		char c = **p;

		if (quote ? c == quote : c == '\'' || c == '"') {
			quote = quote ? 0 : c;
		} else if (c == '\\' && quote != '\'') {
			if (!(*p)[1])
				return "backslash at the end";
			/* Within double quotes a backslash quotes only these. */
			if (quote && !strchr("\"\\$`", (*p)[1]))
				*out++ = c;
			*out++ = *++*p;
		} else if (!quote && strchr(" \t\r\n", c)) {
			break;
		} else {
			*out++ = c;
		}
	}
	*out = 0;
	return quote ? "a quote is not closed" : NULL;
}

char **words_split(const char *text, const char **why)
{
	char **words = xcalloc(2, sizeof(*words)); /* as ptrlist_add() grows it from 0 */
	size_t n = 0;

	for (;;) {
		char *word;

		text += strspn(text, " \t\r\n");
		if (!*text || *text == '#')
			return words;
		word = xmalloc(strlen(text) + 1);
		*why = word_read(&text, word);
		ptrlist_add(&words, &n, word);
		if (*why) {
			words_free(words);
			return NULL;
		}
	}
}

void words_free(char **words)
{
	size_t i;

	for (i = 0; words && words[i]; i++)
		free(words[i]);
	free(words);
}

char *word_quote(const char *word)
{
	static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789_@%+=:,./-";
	char *out, *p;

	if (word[0] && word[strspn(word, harmless)] == 0)
		return xstrdup(word);
	p = out = xmalloc(4 * strlen(word) + 3);
	*p++ = '\'';
	for (; *word; word++) {
		if (*word == '\'')
			p = stpcpy(p, "'\\''");
		else
			*p++ = *word;
	}
	*p++ = '\'';
	*p = 0;
	return out;
}
