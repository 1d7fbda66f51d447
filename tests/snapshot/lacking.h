/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a kernel lacks turns off what needs it, by name, and nothing else. Each symbol, type and
 * member that a capture has asked for and got is taken away in turn, and each section captured:
 * one that never asked for it is as it was, and one that has changed says the name in "missing".
 */
#ifndef KT_TESTS_LACKING_H
#define KT_TESTS_LACKING_H

#include "image.h"

/* Print what is otherwise, then a count. Returns 0 or 1. */
int lacking(struct image *im);

#endif
