/* SPDX-License-Identifier: GPL-2.0 */
/* Split a line into words as the shell does: blanks, '...', "...", backslash, # comments. */
#ifndef KT_WORDS_H
#define KT_WORDS_H

#include <stddef.h>

/*
 * Nothing is expanded. Returns 0 with the words in *@words (NULL-terminated, *@n of them; release
 * with words_free()), or -EINVAL with *@why set to a static phrase.
 */
int words_split(const char *line, char ***words, size_t *n, const char **why);
void words_free(char **words);

#endif
