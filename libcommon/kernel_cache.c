// SPDX-License-Identifier: GPL-2.0
#include "kernel_cache.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"

char *kernel_cache_dir(void)
{
	const char *kt = getenv("KT_CACHE"), *xdg = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");

	if (kt && kt[0])
		return xasprintf("%s/kernels", kt);
	if (xdg && xdg[0])
		return xasprintf("%s/kt/kernels", xdg);
	return xasprintf("%s/.cache/kt/kernels", home ? home : "");
}

/* Names that begin with a dot are kt-kernel's own. */
static int is_entry(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

char **kernel_cache_list(const char *dir, size_t *n)
{
	char **releases = xcalloc(2, sizeof(*releases)); /* as ptrlist_add() grows it from 0 */
	struct dirent **entries = NULL;
	int found = scandir(dir, &entries, is_entry, versionsort), i;
	size_t listed = 0;

	for (i = 0; i < found; i++) {
		ptrlist_add(&releases, &listed, xstrdup(entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
	if (n)
		*n = listed;
	return releases;
}

void kernel_cache_free(char **releases)
{
	size_t i;

	for (i = 0; releases && releases[i]; i++)
		free(releases[i]);
	free(releases);
}

bool kernel_label_matches(const char *label, const char *release)
{
	size_t n = strlen(label);

	return !n || !strcmp(label, "newest") ||
	       (!strncmp(label, release, n) && strchr(".-+", release[n]));
}
