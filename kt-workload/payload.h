/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Payload programs: the user's own, started by the op "run" beside the workers. A payload lives
 * until it ends, an op kills it or what made it is over: its step, or the run for those that come
 * before the first step. What it prints on stdout is searched for figures.
 */
#ifndef KT_PAYLOAD_H
#define KT_PAYLOAD_H

#include <jansson.h>
#include <poll.h>
#include <regex.h>

#include "parser.h"

#define PAYLOADS_MAX	64 /* in a scenario */
#define PAYLOAD_FDS_MAX (2 * PAYLOADS_MAX)

/* One metric option. */
struct payload_pattern {
	char *name; /* of the figure; NULL: the expression's first group is its name */
	regex_t regex;
};

struct payload_def {
	char *name;
	int line, gone_line; /* gone_line: of the op that waits for it or kills it, or 0 */
	size_t index, step;
	struct cgroup_def *cgroup; /* NULL: one of its own */
	char **argv;
	char *text; /* the command as written */
	struct payload_pattern *patterns;
	size_t n_patterns;
};

struct payload;

void parse_run(struct parser *p, char **words, struct op *op);
void parse_wait(struct parser *p, char **words, struct op *op);
void parse_kill(struct parser *p, char **words, struct op *op);
/* A cgroup that goes must not take a program with it unsaid. */
void check_no_payload(struct parser *p, const struct cgroup_def *def);

void payload_def_free(struct payload_def *def);

/* Each returns 0, or -errno with the error in the run's list. */
int apply_run(struct run *run, const struct op *op);
int apply_wait(struct run *run, const struct op *op);
int apply_kill(struct run *run, const struct op *op);

/* Take note of the end of child @pid if it is a payload (a zombie still). Returns whether it was;
 * the caller reaps it. */
bool payloads_note_end(struct run *run, pid_t pid);

/* Add the descriptors on which payloads may tell something to @fds (room for PAYLOAD_FDS_MAX);
 * returns how many. */
size_t payloads_poll(const struct run *run, struct pollfd *fds);

/* Take what they have printed so far, and whether they run; never blocks. */
void payloads_read(struct run *run);

/* End those that @step (0: the backdrop) made and that still run. */
void payloads_finish(struct run *run, size_t step);

/* All of them, as the stats have them. */
json_t *payloads_json(const struct run *run);

void payloads_free(struct run *run);

#endif
