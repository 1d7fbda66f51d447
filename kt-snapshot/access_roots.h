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
	const struct btf
		*module; /* a module's types, upon the kernel's; NULL: the kernel's alone */
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
int root_module(struct access *a, struct target *t);

/*
 * From a kernel or module symbol's address to the member that the steps and the type behind the
 * colon lead to. @room: how many bytes the symbol has, 0: unknown. Returns 0 or as above.
 */
int access_walk_symbol(struct access *a, struct target *t, uint64_t room);

/* The type in @btf, from its type @first on, of variable @name. Whether there is one. */
bool access_variable(const struct btf *btf, uint32_t first, const char *name, struct target *t,
		     bool *per_cpu);

/* Take the next step if it is of @kind; or NULL. */
const struct jsonpath_step *access_step(struct access *a, enum jsonpath_kind kind);

/* From @t, a whole variable, by the steps that are left, to a member. Returns 0 or as above. */
int access_walk(struct access *a, struct target *t);

/* Make the message, which begins with the path as far as it was taken. Returns @err. */
int access_fail(struct access *a, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
