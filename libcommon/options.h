/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Command-line options from a table. Parsing, --help, --version and the suggestions in error
 * messages all follow from the rows, so an option is declared in one place.
 */
#ifndef KT_OPTIONS_H
#define KT_OPTIONS_H

#include <stddef.h>

#define KT_VERSION "0.1"

struct option_row {
	const char *name; /* long name without "--"; NULL makes the row a heading in --help */
	char letter;	  /* short form, or 0 */
	const char *arg;  /* name of the argument; "[X]" makes it optional (--opt or --opt=X) */
	const char *help; /* one line, or several split by \n */
	int id;		  /* what options_next() returns for it, above 0 */
};

struct options {
	const char *synopsis; /* "[OPTIONS] -- COMMAND [ARG...]" */
	const char *summary;  /* one sentence: what the program does */
	const char *epilogue; /* printed at the end of --help, or NULL */
	const struct option_row *rows;
	size_t n_rows;
	int permute; /* operands may stand between options (kt-assert FILE --isolation) */
	int argc;
	char **argv;
	/* State of the parse, zero at the start. */
	int next;
	char **operands;
	size_t n_operands;
	const char *cluster; /* rest of "-abc" */
	int saw_dashdash;
};

/*
 * Parse the next option. Returns its id with *@value set to its argument (NULL if it takes none),
 * or 0 when only operands are left (options_operands()). "--" ends the options, and so does the
 * first operand unless @permute is set.
 * --help prints to stdout and exits 0, --version likewise; "--opt VALUE" and "--opt=VALUE" are
 * the same. An unknown option or a missing or unwanted argument prints one line that names the
 * nearest known option and exits with EXIT_USAGE.
 */
int options_next(struct options *o, const char **value);

/* The operands, NULL-terminated, once options_next() has returned 0. Belongs to @o. */
char **options_operands(struct options *o);

/*
 * The entry of @names (NULL-terminated) nearest to @word by edit distance, or NULL when none is
 * near enough to be meant. For "unknown X 'foo' (did you mean 'for'?)".
 */
const char *nearest_name(const char *word, const char *const *names);

#endif
