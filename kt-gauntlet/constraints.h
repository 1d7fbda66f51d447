/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Constraints on the matrix, from the command line and from a scenario's "# gauntlet:" lines. All
 * of them hold together; each knows where it was said, for the message when nothing is left.
 */
#ifndef KT_GAUNTLET_CONSTRAINTS_H
#define KT_GAUNTLET_CONSTRAINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum constraint_id {
	MIN_LLCS,
	MAX_LLCS,
	MIN_CPUS,
	MAX_CPUS,
	MIN_NUMA_NODES,
	MAX_NUMA_NODES,
	REQUIRES_SMT,
	NO_SMT,
	BOUND_END, /* bounds on the topology end here */
	REQUIRE_FLAG = BOUND_END,
	EXCLUDE_FLAG,
	CONSTRAINT_END,
};

struct constraint {
	enum constraint_id id;
	unsigned int number; /* of a bound that takes one */
	char *flag;	     /* of REQUIRE_FLAG and EXCLUDE_FLAG */
	char *origin;	     /* "--min-llcs 2", or "x.kt:3: min-llcs=2" */
	bool in_scenario;
};

struct constraints {
	struct constraint *rows;
	size_t n;
};

/*
 * Add the constraint @id with @value (NULL for one that takes none) as an option of the command
 * line. A bound that is given again replaces the earlier one. Returns 0, or -EINVAL with *@why
 * (caller frees).
 */
int constraints_option(struct constraints *c, enum constraint_id id, const char *value, char **why);

/*
 * Add those of the lines of @in that begin with "# gauntlet:". @file is what messages call it.
 * Returns 0, or -EINVAL with *@why (caller frees), "FILE:LINE: ...".
 */
int constraints_read(struct constraints *c, FILE *in, const char *file, char **why);

void constraints_free(struct constraints *c);

#endif
