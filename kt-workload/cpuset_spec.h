/* SPDX-License-Identifier: GPL-2.0 */
/* CPU sets as scenarios write them: llc:0, numa:1, range:0-0.5, disjoint:0/2, overlap:0/2:0.5,
 * 0-3,6. */
#ifndef KT_CPUSET_SPEC_H
#define KT_CPUSET_SPEC_H

#include "cpuset.h"
#include "machine.h"

/* The known forms, for messages and help. */
#define CPUSET_SPEC_FORMS \
	"llc:I, numa:I, range:A-B, disjoint:I/N, overlap:I/N:FRAC or a list like 0-3,6"

/*
 * Resolve @text on machine @m into @set. Returns 0, or -EINVAL with *@why saying what is wrong and
 * what was expected (caller frees); an empty set and a CPU outside the machine are such errors.
 */
int cpuset_spec_resolve(const char *text, const struct machine *m, struct cpuset *set, char **why);

#endif
