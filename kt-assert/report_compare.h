/* SPDX-License-Identifier: GPL-2.0 */
/* A comparison as a table, as JSON (kt-comparison/1), as TAP and as JUnit XML. */
#ifndef KT_ASSERT_REPORT_COMPARE_H
#define KT_ASSERT_REPORT_COMPARE_H

#include <stdio.h>

#include "compare.h"

/* Print in the format named text, json, tap or junit. */
void report_comparison(const struct comparison *c, const char *format, FILE *out);

/* Why runs of the two sides cannot be compared at all. Caller frees. */
char *comparison_mismatch(const struct comparison *c);

#endif
