/* SPDX-License-Identifier: GPL-2.0 */
/* Tables for people: columns as wide as what is in them, in at most 80. */
#ifndef KT_SNAPSHOT_TABLE_H
#define KT_SNAPSHOT_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define TABLE_MAX_COLUMNS 12

struct table {
	const char *const *heads; /* NULL-terminated; "<x" is aligned left */
	char ***rows;		  /* of cells, malloc'ed */
	size_t n, columns;
};

/* A row of as many cells as there are heads; they become the table's. */
void table_add(struct table *t, char **cells);

/* Print under @title (NULL: none) and empty it. Nothing is printed of no rows. The last column is
 * cut to fit. */
void table_print(struct table *t, const char *title, bool colour);

#endif
