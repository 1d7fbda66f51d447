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
 * Read the snapshot in file @path, "-" for standard input. Returns it, a new reference, or NULL
 * with *@why a line, malloc'ed, and errno ENOENT and the like when it cannot be read, EBADMSG when
 * it is no snapshot.
 */
json_t *document_load(const char *path, char **why);

/*
 * The value at @p, borrowed, or NULL with *@why a line, malloc'ed, that says which step was not
 * there and what was, or which maps a name may mean.
 */
json_t *document_get(json_t *doc, const struct jsonpath *p, char **why);

/* @name as it is written in a path: in quotes if it has to be. Caller frees. */
char *document_quote(const char *name);

#endif
