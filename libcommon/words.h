/* SPDX-License-Identifier: GPL-2.0 */
/* Words as the POSIX shell reads and writes them (XCU 2.2), without expansions. */
#ifndef KT_WORDS_H
#define KT_WORDS_H

/*
 * Split @text at blanks; ' " and \ quote, # at the start of a word begins a comment. Returns a
 * NULL-terminated array for words_free(), or NULL with *@why a static phrase (a quote is not
 * closed).
 */
char **words_split(const char *text, const char **why);
void words_free(char **words);

/*
 * @word so that sh, xargs and GNU parallel read it back as one word: bare when it is harmless, else
 * in single quotes. Caller frees. xargs cannot take a newline in any form.
 */
char *word_quote(const char *word);

#endif
