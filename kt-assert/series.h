/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A series of samples over time: snapshot files, each one document, or streams with a sample on
 * each line. A sample is an object with the key t_ns, its time in nanoseconds.
 */
#ifndef KT_ASSERT_SERIES_H
#define KT_ASSERT_SERIES_H

#include <stddef.h>
#include <stdint.h>

#include "fields.h"
#include "jsonpath.h"

/* Where and when a sample was. */
struct sample {
	uint64_t number;  /* from 1, over all files */
	const char *file; /* its name without directory; NULL in a series of one file */
	uint64_t line;	  /* of the file */
	int64_t t_ns;
	int64_t since_ns; /* since the first sample */
};

struct series_input;

/*
 * The files behind @operands ("-": stdin): a file itself, of a directory its *.json, and of a run
 * directory those of its snapshots/. Several are put in the order of their first samples' times.
 * Returns 0, or -EBADMSG or another negative errno with *@message one line for the caller to free.
 * Free @s with series_close().
 */
int series_open(char *const *operands, size_t n, struct series_input **s, char **message);
void series_close(struct series_input *s);
size_t series_files(const struct series_input *s);

/*
 * Read all samples and hand each to @take with the fields of @paths, in their order; both are gone
 * after the call, but for .file. Times never fall. Returns as series_open() does; no sample at all
 * is an error, too.
 */
int series_read(struct series_input *s, const struct jsonpath *const *paths, size_t n_paths,
		void (*take)(void *ctx, const struct sample *at, const struct field *found),
		void *ctx, char **message);

#endif
