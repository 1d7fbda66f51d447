/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests to the host: the ops snapshot, watch, read, write and sched. Each is one JSON object on
 * the socket of the events (docs/channel.md) and blocks until the reply to it. On a host that does
 * not serve it, and without a host, the op is an error at its line.
 */
#ifndef KT_REQUEST_H
#define KT_REQUEST_H

#include <jansson.h>

#include "parser.h"

struct request_row;

/* An op's request as parsed. */
struct request {
	const struct request_row *row;
	char **operands; /* NULL-terminated */
};

void parse_request(struct parser *p, char **words, struct op *op);
/* NULL is fine. */
void request_free(struct request *r);

/* Send it and wait for the reply. Returns 0, or -errno with the error in the run's list. */
int apply_request(struct run *run, const struct op *op);

/* Those that were answered, as the stats have them. */
json_t *requests_json(const struct run *run);

#endif
