// SPDX-License-Identifier: GPL-2.0
#include "group_fds.h"

#include <stdlib.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"

int group_fds_open(struct group_fds *g, const struct work_spec *spec)
{
	unsigned int i;
	int ret;

	*g = (struct group_fds){};
	if (!spec->fds)
		return 0;
	g->fds = xcalloc(spec->fds, sizeof(*g->fds));
	g->n = spec->fds;
	for (i = 0; i < g->n; i++)
		g->fds[i] = -1;
	ret = spec->type->prepare(spec, g->fds);
	if (ret)
		group_fds_close(g);
	return ret;
}

void group_fds_close(struct group_fds *g)
{
	unsigned int i;

	for (i = 0; i < g->n; i++)
		cleanup_closep(&g->fds[i]);
	free(g->fds);
	*g = (struct group_fds){};
}

void group_fds_close_others(const struct group_fds *g)
{
	int from = STDERR_FILENO + 1;

	for (;;) {
		int next = -1;
		unsigned int i;

		/* The lowest one that is to stay open. */
		for (i = 0; i < g->n; i++) {
			if (g->fds[i] >= from && (next < 0 || g->fds[i] < next))
				next = g->fds[i];
		}
		if (next < 0)
			break;
		if (next > from)
			close_range(from, next - 1, 0);
		from = next + 1;
	}
	close_range(from, ~0U, 0);
}
