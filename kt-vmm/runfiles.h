/* SPDX-License-Identifier: GPL-2.0 */
/* The files of a run: where its streams are collected, and how they get their names at its end. */
#ifndef KT_RUNFILES_H
#define KT_RUNFILES_H

#include "report.h"
#include "rundir.h"
#include "vm.h"

/*
 * Open the unnamed files that the guest's streams go to. If it cannot, it closes @r and ends the
 * program with 125.
 */
void sinks_open(struct sinks *s, struct rundir *r);

/*
 * Write run.json and name the run's files. Empty logs that would say nothing by being there are
 * left out. A failure is a warning: the run itself is over.
 */
void runfiles_publish(struct rundir *dir, const struct report *r);

/* Print the last lines of the scheduler's log @fd to stderr: why it did not work is in there. */
void sched_log_say(int fd);

#endif
