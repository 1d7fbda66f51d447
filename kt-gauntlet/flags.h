/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A scheduler's flags, as a declaration file lists them (kt-flags(5)), and the profiles that can be
 * made of them: sets of flags, as bits by the flags' order in the file.
 */
#ifndef KT_GAUNTLET_FLAGS_H
#define KT_GAUNTLET_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define FLAGS_MAX    64
#define PROFILES_MAX 1000000

struct flag {
	char *name;
	char *args;	/* shell words */
	uint64_t needs; /* all of them, those that its own ones require included, and itself */
	uint64_t conflicts;
	char *requires_text, *conflicts_text; /* as written, or NULL */
	unsigned int line;
};

struct flags {
	char *scheduler; /* pattern for the base names of scheduler files */
	char *args;	 /* what every profile gets, or NULL */
	struct flag rows[FLAGS_MAX];
	size_t n;
};

/*
 * Read a declaration from @in; @file is what messages call it. Returns 0, or -EINVAL with *@why
 * (caller frees), "FILE:LINE: ...". Release with flags_free() in both cases.
 */
int flags_read(struct flags *f, FILE *in, const char *file, char **why);
void flags_free(struct flags *f);

/* The index of the flag called @name, or -1. */
int flag_find(const struct flags *f, const char *name);

/*
 * All sets of flags that have what their members require and no two that conflict, with all of
 * @require and none of @exclude, in numeric order: *@masks (caller frees) of *@n. With none, *@n is
 * 0. Returns 0, or -E2BIG when there are more than PROFILES_MAX.
 */
int profiles_expand(const struct flags *f, uint64_t require, uint64_t exclude, uint64_t **masks,
		    size_t *n);

/* Is there any such set? */
bool profiles_any(const struct flags *f, uint64_t require, uint64_t exclude);

/* "default", or "a+b". Caller frees. */
char *profile_name(const struct flags *f, uint64_t mask);

/* The scheduler's arguments, as shell words; NULL when there are none. Caller frees. */
char *profile_args(const struct flags *f, uint64_t mask);

#endif
