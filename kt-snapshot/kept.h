/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A snapshot that kt-vmm keeps in the run directory: it hands out a file without a name, which gets
 * one when the document is whole (docs/control.md).
 */
#ifndef KT_SNAPSHOT_KEPT_H
#define KT_SNAPSHOT_KEPT_H

#include "vm.h"

struct kept {
	struct vm *vm;
	json_t *answer; /* with the file's number, and the name that it will have */
	int fd;
};

/*
 * Ask for the file that will be called @name, or @name and a number. Returns 0 or -errno with *@why
 * malloc'ed. kept_finish() or kept_drop() is to follow.
 */
int kept_open(struct kept *f, struct vm *vm, const char *name, char **why);

/* The name that it will have; the file's. */
const char *kept_name(const struct kept *f);

/*
 * Write @doc, and have it kept. Returns {"ok":true,"file":"snapshots/NAME.json",...}, a new
 * reference, or NULL with *@why malloc'ed: then nothing is left of it.
 */
json_t *kept_finish(struct kept *f, const json_t *doc, char **why);

/* There is nothing to keep. */
void kept_drop(struct kept *f);

#endif
