// SPDX-License-Identifier: GPL-2.0
#include "history.h"

#include <ctype.h>
#include <errno.h>
#include <fts.h>
#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"

/* Is @part "rep" and a number? */
static bool is_repetition(const char *part)
{
	if (strncmp(part, "rep", 3) || !part[3])
		return false;
	for (part += 3; isdigit((unsigned char)*part);)
		part++;
	return !*part;
}

/* The variant's name at the end of @path, or NULL when that has too few parts. Caller frees. */
static char *path_name(const char *path, size_t parts)
{
	_cleanup_free_ char *copy = xstrdup(path);
	char *slash = strrchr(copy, '/'), *p;
	size_t left = parts;

	if (slash && is_repetition(slash + 1))
		*slash = 0;
	for (p = copy + strlen(copy); p > copy; p--) {
		if (p[-1] == '/' && !--left)
			return xstrdup(p);
	}
	return NULL;
}

static bool outcome_counts(const char *outcome)
{
	return strcmp(outcome, "interrupted") && strcmp(outcome, "failed");
}

static void record_add(struct history *h, const char *file)
{
	_cleanup_free_ char *dir = xstrndup(file, strrchr(file, '/') - file), *name = NULL;
	json_t *run = json_load_file(file, 0, NULL);
	const char *schema = NULL, *outcome = NULL;
	json_int_t ns = 0;

	if (json_unpack(run, "{ss ss sI}", "schema", &schema, "outcome", &outcome, "wall_ns",
			&ns) ||
	    strcmp(schema, "kt-run/1") || ns <= 0)
		warn("%s: passed over: expected a kt-run/1 object with outcome and wall_ns", file);
	else if (outcome_counts(outcome))
		name = path_name(dir, h->parts);
	json_decref(run);
	if (!name)
		return;
	if (h->n == h->room) {
		h->room = h->room ? 2 * h->room : 64;
		h->rows = xrealloc(h->rows, h->room * sizeof(*h->rows));
	}
	h->rows[h->n++] = (struct record){take_ptr(name), ns};
}

int history_read(struct history *h, const char *dir)
{
	_cleanup_free_ char *real = realpath(dir, NULL);
	char *const roots[] = {real, NULL};
	FTSENT *e;
	FTS *fts;

	if (!real)
		return -errno;
	fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!fts)
		return -errno;
	errno = 0;
	while ((e = fts_read(fts))) {
		if (e->fts_level == 0 && (e->fts_info == FTS_DNR || e->fts_info == FTS_F)) {
			int err = e->fts_info == FTS_F ? ENOTDIR : e->fts_errno;

			fts_close(fts);
			return -err;
		}
		if (e->fts_info == FTS_F && !strcmp(e->fts_name, "run.json"))
			record_add(h, e->fts_path);
	}
	fts_close(fts);
	return 0;
}

static int record_compare(const void *a, const void *b)
{
	return strcmp(((const struct record *)a)->name, ((const struct record *)b)->name);
}

void history_sort(struct history *h)
{
	size_t i, from, kept = 0;

	if (!h->n)
		return;
	qsort(h->rows, h->n, sizeof(*h->rows), record_compare);
	for (from = 0; from < h->n; from = i) {
		double sum = 0;

		for (i = from; i < h->n && !record_compare(&h->rows[i], &h->rows[from]); i++) {
			sum += h->rows[i].ns;
			if (i > from)
				free(h->rows[i].name);
		}
		h->rows[kept++] = (struct record){h->rows[from].name, sum / (i - from)};
	}
	h->n = kept;
}

uint64_t history_find(const struct history *h, const char *name)
{
	const struct record key = {.name = (char *)name};
	const struct record *found;

	if (!h->n)
		return 0;
	found = bsearch(&key, h->rows, h->n, sizeof(*h->rows), record_compare);
	return found ? found->ns : 0;
}

void history_free(struct history *h)
{
	size_t i;

	for (i = 0; i < h->n; i++)
		free(h->rows[i].name);
	free(h->rows);
	*h = (struct history){0};
}
