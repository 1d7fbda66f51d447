/* SPDX-License-Identifier: GPL-2.0 */
/* Inside stats.h: the reader's state, shared by its files and by nobody else. */
#ifndef KT_ASSERT_STATS_READER_H
#define KT_ASSERT_STATS_READER_H

#include "bind.h"
#include "stats.h"

#define CGROUPS_MAX 65536

/* A worker on its way into the list: its pages are added to its cgroup's. */
struct read_worker {
	struct worker worker;
	struct bind_counts pages;
};

/* A step's cgroup: the roll-up as the document has it. */
struct read_cgroup {
	struct cgroup cg;
	int64_t workers, cpus, migrations, iterations;
};

struct stats_reader {
	struct bind *bind;
	const char *step; /* which to keep */
	struct stats s;
	struct read_worker worker;
	struct cgroup cgroup;
	struct measured next_step;
	struct read_cgroup step_cgroup;
	struct numa_node node;
	/* How many elements the lists had. */
	int64_t n_cgroups, n_workers, n_steps, n_nodes, n_step_cgroups, n_step_workers;
};

/* The document's tables, for a struct stats_reader as the base. */
extern const struct bind_type stats_type;

/*
 * The document is complete: check references, and put each step's cgroups where the run's are.
 * Returns NULL, or what was expected, with *@key set, as struct bind_type's end().
 */
const char *stats_settle(struct stats_reader *r, const char **key);

void measured_free(struct measured *m);

#endif
