/* SPDX-License-Identifier: GPL-2.0 */
/* Which kernel to boot: a cache label (docs/kernel-cache.md), a file or a built tree. */
#ifndef KT_KERNEL_H
#define KT_KERNEL_H

#include <stdbool.h>

struct kernel {
	char *image;   /* ELF with a PVH note, or bzImage */
	bool packed;   /* a bzImage */
	char *config;  /* its configuration, or NULL */
	char *modules; /* directory of its KVM modules, or NULL */
	char *release; /* as far as it is known before the boot, or NULL */
};

/*
 * Resolve @spec: NULL or "" is the newest in the cache; a word with a slash or that names a file is
 * a path. Returns 0, or -errno with *@why a malloc'ed phrase for the user.
 */
int kernel_find(const char *spec, struct kernel *k, char **why);
void kernel_free(struct kernel *k);

#endif
