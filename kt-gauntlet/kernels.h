/* SPDX-License-Identifier: GPL-2.0 */
/* The kernels of the matrix: labels and ranges of what is cached, and files. */
#ifndef KT_GAUNTLET_KERNELS_H
#define KT_GAUNTLET_KERNELS_H

#include <stdbool.h>
#include <stddef.h>

struct kernel {
	char *label;   /* for kt-vmm -k, and for the variant's name */
	char *release; /* what it stands for in the cache; NULL for a file */
	bool ranged;   /* not named itself but found in a range */
};

struct kernels {
	struct kernel *rows;
	size_t n;
};

/*
 * Add what @text names: a label or a range "FROM..TO" of labels, either of them may be empty, in
 * the cache; or a file, when it holds a slash or exists. A range leaves out what was named before.
 * Returns 0, or -EINVAL with *@why (caller frees), which lists what is known.
 */
int kernels_add(struct kernels *k, const char *text, char **why);
void kernels_free(struct kernels *k);

#endif
