/* SPDX-License-Identifier: GPL-2.0 */
/* A text to look for: TEXT itself, or /REGEX/, a POSIX extended regular expression. */
#ifndef KT_ASSERT_PATTERN_H
#define KT_ASSERT_PATTERN_H

#include <regex.h>
#include <stdbool.h>

struct pattern {
	const char *text; /* as given, not copied; NULL: no pattern */
	bool is_regex;
	regex_t regex;
};

/*
 * Take @text. Returns 0, or -EINVAL with *@wrong set to a phrase that says what is wrong and
 * what was expected, which the caller frees: a regular expression that is not one, or a pattern
 * that matches the empty string, which would match whatever it is held against.
 */
int pattern_init(struct pattern *p, const char *text, char **wrong);
void pattern_free(struct pattern *p);

/* Is it found anywhere in @in? NULL has nothing in it. */
bool pattern_found(const struct pattern *p, const char *in);

#endif
