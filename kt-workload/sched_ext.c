// SPDX-License-Identifier: GPL-2.0
#include "sched_ext.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"

/* The first line of a file, or "" when there is none. */
static void line_read(const char *dir, const char *file, char *buf, size_t size)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, file);
	_cleanup_fclose_ FILE *f = fopen(path, "re");

	buf[0] = '\0';
	if (f && fgets(buf, size, f))
		buf[strcspn(buf, "\n")] = '\0';
}

void sched_ext_renew(struct sched_ext *se)
{
	char state[32], name[128];

	free(take_ptr(se->name));
	line_read(se->dir, "state", state, sizeof(state));
	if (strcmp(state, "enabled"))
		return;
	line_read(se->dir, "root/ops", name, sizeof(name));
	line_read(se->dir, "enable_seq", se->seq, sizeof(se->seq));
	se->name = xstrdup(name);
}

void sched_ext_read(struct sched_ext *se, const char *sysfs)
{
	*se = (struct sched_ext){.dir = xasprintf("%s/kernel/sched_ext", sysfs)};
	sched_ext_renew(se);
	se->first = se->name ? xstrdup(se->name) : NULL;
}

void sched_ext_free(struct sched_ext *se)
{
	free(se->dir);
	free(se->name);
	free(se->first);
	*se = (struct sched_ext){};
}

char *sched_ext_fault(const struct sched_ext *se)
{
	char state[32], seq[32];

	if (!se->name)
		return NULL;
	line_read(se->dir, "state", state, sizeof(state));
	if (strcmp(state, "enabled"))
		return xasprintf("scheduler '%s' ended (sched_ext is %s)", se->name,
				 state[0] ? state : "gone");
	line_read(se->dir, "enable_seq", seq, sizeof(seq));
	if (strcmp(seq, se->seq))
		return xasprintf("scheduler '%s' was replaced", se->name);
	return NULL;
}
