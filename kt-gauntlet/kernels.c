// SPDX-License-Identifier: GPL-2.0
#include "kernels.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "kernel_cache.h"

static struct kernel *release_find(struct kernels *k, const char *release)
{
	size_t i;

	for (i = 0; i < k->n; i++) {
		if (k->rows[i].release && !strcmp(k->rows[i].release, release))
			return &k->rows[i];
	}
	return NULL;
}

static void row_append(struct kernels *k, const char *label, const char *release, bool ranged)
{
	k->rows = xrealloc(k->rows, (k->n + 1) * sizeof(*k->rows));
	k->rows[k->n++] = (struct kernel){
		.label = xstrdup(label),
		.release = release ? xstrdup(release) : NULL,
		.ranged = ranged,
	};
}

/* "kernel '8': not in the cache; known: ..." */
static char *unknown(const char *text, char **releases)
{
	char *out = NULL;
	size_t size = 0, i;
	FILE *message = open_memstream(&out, &size);

	fprintf(message, "kernel '%s': ", text);
	if (!releases[0])
		fputs("the cache is empty, expected 'kt-kernel fetch' to have been run", message);
	for (i = 0; releases[i]; i++)
		fprintf(message, "%s%s", i ? ", " : "not in the cache; known: ", releases[i]);
	fclose(message);
	return out;
}

static int label_add(struct kernels *k, const char *label, char **releases, size_t n, char **why)
{
	struct kernel *same;

	while (n-- > 0) { /* newest first */
		if (kernel_label_matches(label, releases[n]))
			break;
	}
	if (n == (size_t)-1) {
		*why = unknown(label, releases);
		return -EINVAL;
	}
	same = release_find(k, releases[n]);
	if (same && same->ranged) {
		return 0;
	} else if (same) {
		*why = xasprintf("kernels '%s' and '%s' are the same, %s", same->label, label,
				 releases[n]);
		return -EINVAL;
	}
	row_append(k, label, releases[n], false);
	return 0;
}

/* Both ends count, and an end is all that its label stands for: 7.3.4 is in 7.0..7.3. */
static bool in_range(const char *from, const char *to, const char *release)
{
	return (!*from || kernel_label_matches(from, release) || strverscmp(release, from) >= 0) &&
	       (!*to || kernel_label_matches(to, release) || strverscmp(release, to) <= 0);
}

static int range_add(struct kernels *k, const char *text, const char *dots, char **releases,
		     char **why)
{
	_cleanup_free_ char *from = xstrndup(text, dots - text);
	const char *to = dots + 2;
	bool found = false;
	size_t i;

	for (i = 0; releases[i]; i++) {
		if (!in_range(from, to, releases[i]))
			continue;
		found = true;
		if (!release_find(k, releases[i]))
			row_append(k, releases[i], releases[i], true);
	}
	if (found)
		return 0;
	*why = unknown(text, releases);
	return -EINVAL;
}

int kernels_add(struct kernels *k, const char *text, char **why)
{
	_cleanup_free_ char *dir = NULL;
	const char *dots = strstr(text, "..");
	char **releases;
	size_t n;
	int err;

	/* The order of kt-vmm -k. */
	if (strchr(text, '/') || (text[0] && access(text, F_OK) == 0)) {
		row_append(k, text, NULL, false);
		return 0;
	}
	dir = kernel_cache_dir();
	releases = kernel_cache_list(dir, &n);
	err = dots ? range_add(k, text, dots, releases, why) : label_add(k, text, releases, n, why);
	kernel_cache_free(releases);
	return err;
}

void kernels_free(struct kernels *k)
{
	size_t i;

	for (i = 0; i < k->n; i++) {
		free(k->rows[i].label);
		free(k->rows[i].release);
	}
	free(k->rows);
	*k = (struct kernels){0};
}
