/* SPDX-License-Identifier: GPL-2.0 */
/* What a payload printed, and the figures in it. */
#ifndef KT_PAYLOAD_OUTPUT_H
#define KT_PAYLOAD_OUTPUT_H

#include <jansson.h>

#include "payload.h"

#define OUTPUT_MAX (4 << 20) /* bytes that are kept; what comes after is read and dropped */

struct payload_output {
	int fd; /* read end of its stdout, or -1 */
	char *text;
	size_t len, size;
	bool cut; /* there was more */
};

/* Read what is there, without blocking; closes the descriptor at its end. */
void payload_output_read(struct payload_output *o);

/*
 * The figures as an object of numbers: of a JSON document (all that was printed, or its last line)
 * every number by its dotted path, and what the patterns of @def find, the last match counting. New
 * reference; empty when there are none.
 */
json_t *payload_output_metrics(const struct payload_output *o, const struct payload_def *def);

void payload_output_free(struct payload_output *o);

#endif
