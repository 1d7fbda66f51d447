/* SPDX-License-Identifier: GPL-2.0 */
/* The cache of kernels that kt-kernel fills; docs/kernel-cache.md is the specification. */
#ifndef KT_KERNEL_CACHE_H
#define KT_KERNEL_CACHE_H

#include <stdbool.h>
#include <stddef.h>

/* The directory that holds one entry for each kernel. Caller frees. It may not exist. */
char *kernel_cache_dir(void);

/*
 * The releases in the cache @dir, oldest first by version order, NULL-terminated; empty when there
 * is no cache. *@n, if not NULL, gets their number. Caller frees with kernel_cache_free().
 */
char **kernel_cache_list(const char *dir, size_t *n);
void kernel_cache_free(char **releases);

/*
 * Is @label @release, or a leading part of it that ends at a '.', '-' or '+'? The empty label and
 * "newest" match every release.
 */
bool kernel_label_matches(const char *label, const char *release);

#endif
