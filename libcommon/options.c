// SPDX-License-Identifier: GPL-2.0
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "exits.h"

/* Column at which the help text of an option starts. */
#define HELP_COLUMN 30

static void help_row(const struct option_row *row)
{
	char left[128];
	const char *line;
	int n;

	if (!row->name) {
		printf("\n%s:\n", row->help);
		return;
	}
	n = snprintf(left, sizeof(left), "  %c%c%s --%s", row->letter ? '-' : ' ',
		     row->letter ? row->letter : ' ', row->letter ? "," : " ", row->name);
	if (row->arg)
		n += snprintf(left + n, sizeof(left) - n, row->arg[0] == '[' ? "[=%s" : " %s",
			      row->arg + (row->arg[0] == '['));
	fputs(left, stdout);
	if (n >= HELP_COLUMN) {
		putchar('\n');
		n = 0;
	}
	for (line = row->help; line;) {
		int len = strcspn(line, "\n");

		printf("%*s%.*s\n", HELP_COLUMN - n, "", len, line);
		line = line[len] ? line + len + 1 : NULL;
		n = 0;
	}
}

static void help_print(const struct options *o)
{
	static const struct option_row common[] = {
		{"help", 'h', NULL, "print this help and exit", 0},
		{"version", 'V', NULL, "print the version and exit", 0},
	};
	size_t i;

	printf("Usage: %s %s\n%s\n", diag_program(), o->synopsis, o->summary);
	if (!o->n_rows || o->rows[0].name)
		printf("\nOptions:\n");
	for (i = 0; i < o->n_rows; i++)
		help_row(&o->rows[i]);
	for (i = 0; i < ARRAY_SIZE(common); i++)
		help_row(&common[i]);
	if (o->epilogue)
		printf("\n%s\n", o->epilogue);
}

/* Levenshtein distance with one row of state; words longer than 63 bytes count as far. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[64], la = strlen(a), lb = strlen(b), i, j;

	if (la > 63 || lb > 63)
		return 64;
	for (j = 0; j <= lb; j++)
		row[j] = j;
	for (i = 1; i <= la; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (j = 1; j <= lb; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[lb];
}

const char *nearest_name(const char *word, const char *const *names)
{
	size_t best = 64, limit = strlen(word) / 3 + 1;
	const char *found = NULL;

	for (; *names; names++) {
		size_t d = edit_distance(word, *names);

		if (strlen(word) >= 3 && !strncmp(word, *names, strlen(word)))
			d = 1; /* a prefix is meant more often than a typing error */
		if (d < best) {
			best = d;
			found = *names;
		}
	}
	return best <= limit ? found : NULL;
}

static void unknown_option(const struct options *o, const char *word)
{
	_cleanup_free_ const char **names = NULL;
	const char *near;
	size_t n = 0, i;

	for (i = 0; i < o->n_rows; i++) {
		if (o->rows[i].name)
			ptrlist_add(&names, &n, o->rows[i].name);
	}
	ptrlist_add(&names, &n, "help");
	ptrlist_add(&names, &n, "version");
	near = nearest_name(word, names);
	if (near)
		die(EXIT_USAGE, "unknown option '--%s': did you mean '--%s'? (--help lists all)",
		    word, near);
	die(EXIT_USAGE, "unknown option '--%s' (--help lists all)", word);
}

static const struct option_row *row_by_name(const struct options *o, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < o->n_rows; i++) {
		const char *known = o->rows[i].name;

		if (known && strlen(known) == len && !strncmp(known, name, len))
			return &o->rows[i];
	}
	return NULL;
}

static const struct option_row *row_by_letter(const struct options *o, char letter)
{
	size_t i;

	for (i = 0; i < o->n_rows; i++) {
		if (o->rows[i].name && o->rows[i].letter == letter)
			return &o->rows[i];
	}
	return NULL;
}

static void version_print(void)
{
	printf("%s %s\n", diag_program(), KT_VERSION);
	exit(0);
}

static int option_long(struct options *o, const char *word, const char **value)
{
	size_t len = strcspn(word, "=");
	const struct option_row *row = row_by_name(o, word, len);

	if (!row && len == 4 && !strncmp(word, "help", 4)) {
		help_print(o);
		exit(0);
	}
	if (!row && len == 7 && !strncmp(word, "version", 7))
		version_print();
	if (!row) {
		_cleanup_free_ char *name = xstrndup(word, len);

		unknown_option(o, name);
		return 0;
	}
	*value = word[len] == '=' ? word + len + 1 : NULL;
	if (*value && !row->arg)
		die(EXIT_USAGE, "option '--%s' takes no argument", row->name);
	if (!*value && row->arg && row->arg[0] != '[') {
		if (o->next >= o->argc)
			die(EXIT_USAGE, "option '--%s': expected %s after it", row->name, row->arg);
		*value = o->argv[o->next++];
	}
	return row->id;
}

static int option_letter(struct options *o, const char **value)
{
	char letter = *o->cluster++;
	const struct option_row *row = row_by_letter(o, letter);

	if (!row && letter == 'h') {
		help_print(o);
		exit(0);
	}
	if (!row && letter == 'V')
		version_print();
	if (!row)
		die(EXIT_USAGE, "unknown option '-%c' (--help lists all)", letter);
	*value = NULL;
	if (row->arg && row->arg[0] != '[') {
		if (*o->cluster)
			*value = o->cluster;
		else if (o->next < o->argc)
			*value = o->argv[o->next++];
		else
			die(EXIT_USAGE, "option '-%c': expected %s after it", letter, row->arg);
		o->cluster = NULL;
	}
	return row->id;
}

int options_next(struct options *o, const char **value)
{
	const char *word;

	if (!o->next)
		o->next = 1;
	if (o->cluster && *o->cluster)
		return option_letter(o, value);
	o->cluster = NULL;
	if (o->saw_dashdash || o->next >= o->argc)
		return 0;
	word = o->argv[o->next];
	if (word[0] != '-' || !word[1]) {
		if (!o->permute)
			return 0;
		ptrlist_add(&o->operands, &o->n_operands, word);
		o->next++;
		return options_next(o, value);
	}
	o->next++;
	if (!strcmp(word, "--")) {
		o->saw_dashdash = 1;
		return 0;
	}
	if (word[1] == '-')
		return option_long(o, word + 2, value);
	o->cluster = word + 1;
	return option_letter(o, value);
}

char **options_operands(struct options *o)
{
	if (!o->permute)
		return o->argv + o->next;
	while (o->next < o->argc)
		ptrlist_add(&o->operands, &o->n_operands, o->argv[o->next++]);
	if (!o->operands)
		o->operands = xcalloc(1, sizeof(*o->operands));
	return o->operands;
}
