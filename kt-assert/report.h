/* SPDX-License-Identifier: GPL-2.0 */
/* Verdicts in words and as JSON. */
#ifndef KT_ASSERT_REPORT_H
#define KT_ASSERT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "judge.h"

/*
 * A line for a pass; otherwise the header, a line for each finding, and the sections that have
 * something in them. @verbose adds them to a pass too. The wording is a contract: kt-assert(1).
 */
void report_text(const struct judgement *j, FILE *out, bool colour, bool verbose);

/* One line of JSON, schema kt-verdict/1. */
void report_json(const struct judgement *j, FILE *out);

/* The checks: name, unit, when it fails, default. */
void report_checks_text(FILE *out);
void report_checks_json(FILE *out);

#endif
