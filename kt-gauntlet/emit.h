/* SPDX-License-Identifier: GPL-2.0 */
/* Printing variants: as lines of kt-vmm arguments, as names, as JSON. */
#ifndef KT_GAUNTLET_EMIT_H
#define KT_GAUNTLET_EMIT_H

#include <jansson.h>

#include "matrix.h"

enum format {
	FORMAT_LINES,
	FORMAT_NULL,   /* lines that end in a NUL, so that they may hold newlines */
	FORMAT_JSON,   /* one object a line */
	FORMAT_GITHUB, /* one object: a matrix for GitHub Actions */
	FORMAT_NAMES,
	FORMAT_END,
};

struct emit {
	struct matrix *m;
	enum format format;
	struct piece out;     /* where run directories go, with a slash at the end */
	char *vmm;	      /* further words of options, quoted, a blank before each */
	char *program, *args; /* the command's first word, and the others, likewise */
	char *buffer;
	size_t room;
	json_t *include; /* FORMAT_GITHUB: what has been visited */
};

/* The name of a format, NULL beyond the last. */
const char *format_name(enum format f);

/*
 * Get ready to print variants of @m; @vmm and @command are NULL-terminated. All words must be fit
 * for the format. Release with emit_free().
 */
void emit_init(struct emit *e, struct matrix *m, enum format format, const char *out,
	       const char *const *vmm, const char *const *command);
void emit_free(struct emit *e);

/* Print a variant; for variants_walk(), with a struct emit as its context. */
void emit_variant(void *emit, const struct variant *v);

/* Print what goes at the end, if anything was visited. Write errors show in ferror(stdout). */
void emit_finish(struct emit *e);

#endif
