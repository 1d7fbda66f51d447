/* SPDX-License-Identifier: GPL-2.0 */
/* What was asked for on the command line, and the matrix that follows from it. */
#ifndef KT_GAUNTLET_SETTINGS_H
#define KT_GAUNTLET_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "constraints.h"
#include "emit.h"
#include "kernels.h"
#include "matrix.h"
#include "pairwise.h"
#include "presets.h"
#include "subjects.h"
#include "walk.h"

struct words {
	const char **list; /* NULL-terminated, or NULL */
	size_t n;
};

struct settings {
	struct presets all;
	struct constraints constraints;
	struct declarations declarations;
	struct kernels kernels;
	struct words topologies, globs, scheds, works, seeds, vmm, histories;
	struct words given; /* every word that gets into a line */
	const char *out;
	const char *const *command; /* may be empty with --list */
	uint64_t reps;		    /* 0: not given */
	uint64_t budget_ns;	    /* 0: none */
	uint64_t estimate_ns;	    /* 0: as the scenario says */
	struct shard shard;
	enum format format;
	enum pairwise_of pairwise;
	bool list, no_scenario;
};

void words_add(struct words *w, const char *word);

/* End the program with EXIT_USAGE when @word cannot be said in the format. */
void word_check(enum format format, const char *word);

/*
 * Make the matrix of @s; it refers to it. *@run_ns is what the command is expected to take. Ends
 * the program with EXIT_USAGE on names that do not fit, with EXIT_FAILURE when a constraint leaves
 * nothing.
 */
void matrix_make(struct matrix *m, struct settings *s, uint64_t *run_ns);

/* End the program because the patterns match none of so many variants; say what is in the way. */
void globs_die(const struct settings *s, uint64_t variants) __attribute__((noreturn));

void settings_free(struct settings *s);

#endif
