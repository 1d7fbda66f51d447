/* SPDX-License-Identifier: GPL-2.0 */
/* The figures of a run that are compared with those of other runs, one row each. */
#ifndef KT_ASSERT_METRICS_H
#define KT_ASSERT_METRICS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct metric {
	const char *name, *unit;
	bool higher_is_better;
	double absolute; /* default of the absolute gate, in the unit */
	/* Over one cgroup's workers (an array of objects of kt-stats/1) and the cgroup itself; NAN
	 * when it could not be measured. */
	double (*measure)(const json_t *cgroup, const json_t *workers);
};

#define METRICS_N 9

extern const struct metric metrics[METRICS_N];

const struct metric *metric_find(const char *name); /* NULL if there is none */

struct run_cgroup {
	char *name;
	double values[METRICS_N];
};

/* What is compared of a run, and what says with which others. Strings are NULL where unknown. */
struct run_figures {
	char *path; /* as found */
	char *scenario, *topology, *kernel, *sched;
	struct run_cgroup *cgroups;
	size_t n_cgroups;
};

enum figures {
	FIGURES_FOUND,
	FIGURES_LEFT_OUT, /* no complete run: *why says why */
	FIGURES_BAD,	  /* malformed or unreadable: *why is the whole line */
};

/*
 * Read the run directory or stats file @path into @f. *@why is for the caller to free. Free @f
 * with figures_free() whatever it returned.
 */
enum figures figures_read(const char *path, struct run_figures *f, char **why);
void figures_free(struct run_figures *f);

#endif
