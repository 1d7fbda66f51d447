// SPDX-License-Identifier: GPL-2.0
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"

#define WIDTH 80
#define GAP   2

void table_add(struct table *t, char **cells)
{
	for (t->columns = 0; t->heads[t->columns]; t->columns++)
		;
	t->rows = xrealloc(t->rows, (t->n + 1) * sizeof(*t->rows));
	t->rows[t->n] = xmalloc(t->columns * sizeof(*cells));
	memcpy(t->rows[t->n++], cells, t->columns * sizeof(*cells));
}

static bool is_left(const struct table *t, size_t column)
{
	return t->heads[column][0] == '<';
}

static const char *head(const struct table *t, size_t column)
{
	return t->heads[column] + is_left(t, column);
}

static void widths(const struct table *t, int *width)
{
	size_t row, c;

	for (c = 0; c < t->columns; c++) {
		width[c] = strlen(head(t, c));
		for (row = 0; row < t->n; row++) {
			int len = strnlen(t->rows[row][c], WIDTH);

			if (len > width[c])
				width[c] = len;
		}
	}
}

static void line_print(const struct table *t, const int *width, char *const *cells)
{
	int left = WIDTH;
	size_t c;

	for (c = 0; c < t->columns && left > 0; c++) {
		const char *text = cells ? cells[c] : head(t, c);
		int wide = width[c] < left ? width[c] : left;
		bool last = c + 1 == t->columns;

		if (is_left(t, c))
			printf("%-*.*s", last ? 0 : wide, wide, text);
		else
			printf("%*.*s", wide, wide, text);
		left -= wide + GAP;
		if (!last && left > 0)
			printf("%*s", GAP, "");
	}
	putchar('\n');
}

void table_print(struct table *t, const char *title, bool colour)
{
	int width[TABLE_MAX_COLUMNS];
	size_t row, c;

	if (!t->n)
		return;
	widths(t, width);
	if (title)
		printf("\n%s%s%s\n", colour ? "\033[1m" : "", title, colour ? "\033[0m" : "");
	if (*head(t, 0)) {
		fputs(colour ? "\033[2m" : "", stdout);
		line_print(t, width, NULL);
		fputs(colour ? "\033[0m" : "", stdout);
	}
	for (row = 0; row < t->n; row++) {
		line_print(t, width, t->rows[row]);
		for (c = 0; c < t->columns; c++)
			free(t->rows[row][c]);
		free(t->rows[row]);
	}
	free(take_ptr(t->rows));
	t->n = 0;
}
