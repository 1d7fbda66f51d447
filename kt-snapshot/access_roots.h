/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files that find variables (access.h). */
#ifndef KT_SNAPSHOT_ACCESS_ROOTS_H
#define KT_SNAPSHOT_ACCESS_ROOTS_H

#include "access.h"
#include "jsonpath.h"

/* One search. */
struct access {
	struct session *s;
	struct kernel *k;
	struct jsonpath path;
	size_t step;	  /* the next one */
	const char *type; /* behind a colon, or NULL */
	char **why;
};

/*
 * Each finds the variable that the path from a->step on means, and goes on to the member that it
 * ends at. They return as target_find() does.
 */
int root_variable(struct access *a, struct target *t);
int root_map(struct access *a, struct target *t);
int root_scheduler(struct access *a, struct target *t);
int root_kernel(struct access *a, struct target *t);

/* Take the next step if it is of @kind; or NULL. */
const struct jsonpath_step *access_step(struct access *a, enum jsonpath_kind kind);

/* From @t, a whole variable, by the steps that are left, to a member. Returns 0 or as above. */
int access_walk(struct access *a, struct target *t);

/* Make the message, which begins with the path as far as it was taken. Returns @err. */
int access_fail(struct access *a, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
