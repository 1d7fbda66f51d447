/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Words to a line that a shell, xargs and GNU parallel split into the very same words, and the
 * names that run directories are made of.
 */
#ifndef KT_GAUNTLET_LINE_H
#define KT_GAUNTLET_LINE_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Write @words (NULL-terminated) and a newline to @out, quoted where needed. No word may hold a
 * newline (line_word_ok()). Write errors show in ferror(@out).
 */
void line_write(FILE *out, const char *const *words);

/* Can @word stand in a line? xargs ends a line at a newline even inside quotes. */
bool line_word_ok(const char *word);

/*
 * What the runs of @command (NULL-terminated) are called: the base name, without ".kt", of its last
 * operand that ends in that, else the command's own. Caller frees. NULL when neither gives a name
 * that a directory can have.
 */
char *scenario_name(const char *const *command);

/*
 * A kernel label or path as the name of one directory: "/" becomes "-", leading ones go. Caller
 * frees. NULL when nothing is left that a directory can be called.
 */
char *kernel_dirname(const char *kernel);

#endif
