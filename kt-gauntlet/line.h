/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Words to a line that a shell, xargs and GNU parallel split into the very same words, and the
 * names that run directories are made of.
 */
#ifndef KT_GAUNTLET_LINE_H
#define KT_GAUNTLET_LINE_H

#include <stdbool.h>

/* @words (NULL-terminated) quoted where needed, a blank before each. Caller frees. */
char *words_quote(const char *const *words);

/* Can @word stand in a line? xargs ends a line at a newline even inside quotes. */
bool line_word_ok(const char *word);

/* Is @word an argument that names a scenario file, by its ".kt"? */
bool scenario_operand(const char *word);

/*
 * What the runs of @command (NULL-terminated) are called: the base name, without ".kt", of its last
 * operand that ends in that, else the command's own. Caller frees. NULL when neither gives a name
 * that a directory can have.
 */
char *scenario_name(const char *const *command);

/*
 * @text (a kernel's label or path, a work type) as one part of a name, which is the name of one
 * directory: "/" becomes "-", leading ones go. Caller frees. NULL when nothing is left that a
 * directory can be called.
 */
char *part_name(const char *text);

/* The part of @path after its last slash; inside it. */
const char *base_name(const char *path);

#endif
