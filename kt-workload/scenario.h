/* SPDX-License-Identifier: GPL-2.0 */
/* A scenario as parsed: everything resolved and checked, nothing started. */
#ifndef KT_SCENARIO_H
#define KT_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "affinity.h"
#include "cpuset.h"
#include "identity.h"
#include "machine.h"
#include "mempolicy.h"
#include "policy.h"
#include "work.h"

#define SCENARIO_WORKERS_MAX 10000 /* in all; what one machine can be expected to start */

#define SCENARIO_DURATION_MAX_NS (24 * 3600 * NSEC_PER_SEC)

struct op_row;
struct payload_def;
struct request;

/* A file of a cgroup's and what is written to it: "cpu.max", "50000 100000". */
struct cgroup_setting {
	const char *file;
	char *value;
};

/* A cgroup, or (at_root) what is outside of all of them: the run's own place. */
struct cgroup_def {
	char *name;
	bool at_root; /* the name is "/" then */
	int line;
	size_t index;  /* position in the script */
	size_t step;   /* where it is made; 0 is the backdrop */
	bool confined; /* has cpuset= */
	struct cpuset cpus;
	bool has_mems; /* has mems= */
	struct cpuset mems;
	struct cgroup_setting *settings;
	size_t n_settings;
	struct group_def **groups; /* its workers, in the script's order */
	size_t n_groups;
	char **options; /* what its line says of workers, by key; its "work" lines inherit it */
	/* As far as the script has been read: what its ops have done to it, and in which line. */
	int removed_line, frozen_line;
	bool confined_now;
	struct cpuset cpus_now;
};

/* Workers that are alike: those of a cgroup's line, of a "work" line or of a "spawn-root" line. */
struct group_def {
	struct cgroup_def *cgroup;
	int line;
	size_t index; /* position in the script, among all groups */
	size_t step;  /* where they start */
	unsigned int workers;
	struct work_spec work;
	struct policy policy;
	bool has_nice;
	int nice;
	struct affinity affinity;
	struct mempolicy mempolicy;
	struct identity identity;
	bool swappable; /* kt-workload --work may replace its work type */
	char comm[16];	/* TASK_COMM_LEN */
	char pcomm[16]; /* of the leader whose threads they are, or "" */
	bool threads;	/* they are threads of one process */
	/* Groups that have one leader (pcomm): the first of them, and the next one or NULL. */
	struct group_def *first, *mate;
	/* As far as the script has been read. */
	struct cgroup_def *where;
	int stopped_line;
};

struct op {
	const struct op_row *row;
	int line;
	char *text;			   /* as written, words joined by blanks */
	struct cgroup_def *cgroup;	   /* the cgroup it makes; belongs to the scenario */
	struct group_def *group;	   /* the workers it starts; belongs to the cgroup */
	struct cgroup_def *target, *other; /* those that it acts on */
	bool clear;			   /* cpuset: confine no more */
	struct cpuset cpus;
	struct affinity affinity;
	uint64_t ns;
	struct payload_def *payload; /* the program that it starts or ends */
	int signal;
	struct request *request; /* what is asked of the host; the op's own */
};

enum hold_kind { HOLD_MISSING, HOLD_FULL, HOLD_PERCENT, HOLD_TIME };

struct step {
	char *name; /* NULL for the backdrop */
	int line;
	struct op **ops;
	size_t n_ops;
	enum hold_kind hold;
	double hold_percent;
	int hold_line;
	uint64_t hold_ns;  /* resolved */
	uint64_t loop_ns;  /* its ops are repeated that often, or 0 */
	uint64_t sleep_ns; /* of its ops, together */
};

struct scenario {
	const char *file; /* it is from: "-" for stdin, "-e" for lines of the command line */
	char *name;	  /* for the stats */
	uint64_t duration_ns;
	unsigned int workers;	     /* of cgroups that do not say */
	bool confines;		     /* something in it has or sets a cpuset */
	struct cgroup_def **cgroups; /* the root, if it has workers, is the last */
	size_t n_cgroups;
	struct group_def **groups; /* those of the cgroups */
	size_t n_groups;
	struct cgroup_def *root;
	bool swaps; /* some are swappable */
	struct payload_def **payloads;
	size_t n_payloads;
	struct step **steps; /* [0] is the backdrop: what comes before the first step */
	size_t n_steps;
};

/* What the command line sets; 0 where it does not. */
struct scenario_defaults {
	uint64_t duration_ns; /* wins over the script's */
	unsigned int workers;
	const char *work; /* for swappable cgroups */
};

/*
 * Read a scenario from @file ("-" for stdin), or from @lines (NULL-terminated, with @file NULL).
 * Every mistake is reported on stderr as FILE:LINE: what is wrong. Returns NULL when there was
 * one. Release with scenario_free().
 */
struct scenario *scenario_read(const char *file, const char *const *lines,
			       const struct scenario_defaults *defaults, const struct machine *m);
void scenario_free(struct scenario *sc);

#endif
