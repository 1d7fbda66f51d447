/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Snapshots as documents (kt-snapshot/1), read back: from a file, and by dotted paths. A path is
 * jsonpath.h's, with what names mean in a snapshot:
 *
 *	var.nr_dispatched	      the global variable of that name, of whichever map
 *	map.task_ctx, prog.enqueue    the map, the program of that name; of several it is an error
 *	map[id=12]		      the one with that number
 *	map."kt_sched.bss".nr_x	      a map's variable
 *	map.stats[3], map.h[pid=97]   a map's entry by its key
 */
#ifndef KT_SNAPSHOT_DOCUMENT_H
#define KT_SNAPSHOT_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "jsonpath.h"

#define DOCUMENT_MAX_BYTES (1UL << 30)

/*
 * Read the @n snapshots in the files @paths, "-" for standard input, into @docs, new references.
 * Once all are open this process is confined (confine.h). Returns 0, or with *@why a line,
 * malloc'ed, -ENOENT and the like when one cannot be read, -EBADMSG when it is no snapshot.
 */
int documents_load(char *const *paths, size_t n, json_t **docs, char **why);

/*
 * The value at @p, borrowed, or NULL with *@why a line, malloc'ed, that says which step was not
 * there and what was, or which maps a name may mean.
 */
json_t *document_get(json_t *doc, const struct jsonpath *p, char **why);

/* @name as it is written in a path: in quotes if it has to be. Caller frees. */
char *document_quote(const char *name);

#endif
