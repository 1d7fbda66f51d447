/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Thresholds and the layers they come from: built-in defaults (relaxed ones for an emulated VM),
 * policy files in order, the command line. The last layer that sets a key wins. kt-policy(5)
 * specifies the files.
 */
#ifndef KT_ASSERT_POLICY_H
#define KT_ASSERT_POLICY_H

#include <stdbool.h>
#include <stdio.h>

#include "checks.h"

/* The layer that policy_asked() looks for. */
#define COMMAND_LINE "command line"

struct setting {
	bool on;
	bool chosen; /* set by a policy file or the command line, not by a default */
	double threshold;
	char *from;	 /* "default", "relaxed: ...", "FILE:LINE", "command line" */
	char *overrides; /* the layers below, the nearest first: "20 (FILE:LINE), 15 (default)" */
};

struct policy {
	struct setting set[CHECKS_MAX]; /* by position in checks[] */
};

void policy_init(struct policy *p);
void policy_free(struct policy *p);
void policy_copy(struct policy *to, const struct policy *from); /* into a freed or new @to */

/* Put the relaxed defaults where nothing was chosen; @why follows "relaxed: " in .from. */
void policy_relax(struct policy *p, const char *why);

/*
 * Set @c from @text: on or off for a switch (NULL: on), a number or off otherwise. Returns 0, or
 * -EINVAL with *@expected set to a static phrase ("a percentage from 0 to 100, or off").
 */
int policy_set(struct policy *p, const struct check *c, const char *text, const char *from,
	       const char **expected);

/*
 * Lay the file @path over @p. Returns 0, or -EBADMSG (malformed) or another negative errno;
 * *@message is then one line that names the file and, for a malformed one, the line.
 */
int policy_read(struct policy *p, const char *path, char **message);

/* Whether the check is on, once the default of those that go with not-starved is considered. */
bool policy_on(const struct policy *p, const struct check *c);

/* Was it set on the command line? Then it is to be judged in this very run. */
bool policy_asked(const struct policy *p, const struct check *c);

const struct setting *policy_setting(const struct policy *p, const struct check *c);

/*
 * Write @p in the form of a policy file, each line with a comment that says where it is from and
 * what it overrides.
 */
void policy_print(const struct policy *p, FILE *out);

#endif
