/* SPDX-License-Identifier: GPL-2.0 */
/* The schedulers of the matrix, each with its profiles. */
#ifndef KT_GAUNTLET_SUBJECTS_H
#define KT_GAUNTLET_SUBJECTS_H

#include <stddef.h>

#include "constraints.h"
#include "flags.h"
#include "matrix.h"

struct declarations {
	struct flags *rows;
	const char **files; /* what each was read from; NULL-terminated */
	size_t n;
};

/*
 * Fill DIM_SUBJECT: each of @scheds (NULL-terminated files, "none" for the kernel's own; NULL when
 * none is given) with each of its profiles that the flag constraints of @c allow. @d belongs to
 * the caller and must outlive @m. Returns 0; -EINVAL for names that do not fit together; -ENOENT
 * when nothing is left; both with *@why (caller frees).
 */
int subjects_add(struct matrix *m, const char *const *scheds, const struct declarations *d,
		 const struct constraints *c, char **why);

#endif
