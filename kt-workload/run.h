/* SPDX-License-Identifier: GPL-2.0 */
/* Carrying out a scenario: steps, their ops and holds, and the ways in which a run can end. */
#ifndef KT_RUN_H
#define KT_RUN_H

#include "cgroup.h"
#include "events.h"
#include "member.h"
#include "spill.h"
#include "scenario.h"
#include "sched_ext.h"

enum confinement { CONFINED_NONE, CONFINED_CPUSET, CONFINED_AFFINITY };

struct run {
	const struct scenario *sc;
	const struct machine *machine;
	bool seeded;
	uint64_t seed;

	uint64_t draw_seed, draws; /* of CPU affinities, and how many there were */

	const char *sysfs;
	struct sched_ext sched;
	struct events events;
	struct cgroup_tree tree;
	enum confinement confinement;
	struct spawn spawn;

	struct place *places;	/* by cgroup index */
	struct crew *crews;	/* by group index */
	struct member **by_pid; /* our children, by PID; a leader's is its first thread */
	struct crew **made;	/* those whose op was applied, in order */
	size_t n_made;
	struct start_line *lines; /* by step; shared with the workers */
	struct window *windows;	  /* by step; [0] is unused */
	struct spill spill;	  /* what crews did in steps that are over */
	size_t step;		  /* the current one */
	int op_line;		  /* of the op that is being applied, or 0 */

	struct payload **payloads; /* by definition; NULL before the first */
	struct json_t *requests;   /* those that were answered; NULL before the first */
	int n_requests;		   /* sent */

	int sigfd;
	int signal; /* that interrupted the run, or 0 */
	bool dead;  /* the run is to end at once */
	char **errors;
	size_t n_errors;
	uint64_t begin_ns;	    /* of the preparations */
	uint64_t start_ns, stop_ns; /* common start and stop, CLOCK_MONOTONIC */
};

/*
 * Run @sc to its end. The result is in @run: errors, the signal, and the crews' records. Prints
 * nothing on stdout. Ends the program with EXIT_INTERNAL when not even the first cgroup can be
 * made. Release with run_free().
 */
void run_scenario(struct run *run, const char *sysfs);
void run_free(struct run *run);

/* Add to the run's errors, as FILE:LINE: when it is of the script's line @line (0: of none). */
void run_error(struct run *run, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Wait for signals until @until_ns, and handle them. Returns after the first one. */
void run_wait_signal(struct run *run, uint64_t until_ns);

/* Let the load run until @until_ns, or until something ends the run. */
void run_hold(struct run *run, uint64_t until_ns);

/* End the run if its scheduler is no longer there, or one of the CPUs. */
void run_check(struct run *run);

/* Make a cgroup. Returns 0 or -errno, with the error noted. */
int run_make_cgroup(struct run *run, const struct cgroup_def *def);

/* Kill what is in it and remove it. */
void run_remove_cgroup(struct run *run, const struct cgroup_def *def);

/* Start workers where they belong; they wait at their line. As run_make_cgroup(). */
int run_start_group(struct run *run, const struct group_def *def);

#endif
