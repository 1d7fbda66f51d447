/* SPDX-License-Identifier: GPL-2.0 */
/* The times that are judged: the whole run, or the steps that were asked for. */
#ifndef KT_ASSERT_VIEWS_H
#define KT_ASSERT_VIEWS_H

#include "judge.h"

/*
 * Make @j->views, @j->monitors and @j->timed by @j->options->step from the stats read, and find in
 * the run's events when the steps were. A run that ended before the step was reached gets an
 * inconclusive finding and no view. Returns 0, or -ESRCH with *@message one line that says which
 * steps are known.
 */
int views_make(struct judgement *j, char **message);
void views_free(struct judgement *j);

#endif
