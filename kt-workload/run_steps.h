/* SPDX-License-Identifier: GPL-2.0 */
/* A scenario's steps one after the other: their ops, their start lines and their holds. */
#ifndef KT_RUN_STEPS_H
#define KT_RUN_STEPS_H

#include "run.h"

/*
 * Start what comes before the first step, take the steps, and end it all: at its time, or at once
 * when the run is dead. Sets run->start_ns and stop_ns.
 */
void run_steps(struct run *run);

#endif
