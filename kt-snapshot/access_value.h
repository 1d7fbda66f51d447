/* SPDX-License-Identifier: GPL-2.0 */
/* Text to a value of a BTF type, when it fits. */
#ifndef KT_SNAPSHOT_ACCESS_VALUE_H
#define KT_SNAPSHOT_ACCESS_VALUE_H

#include "access.h"

#define ACCESS_MAX_BYTES 4096 /* of one value */

/*
 * Put @text as a value of @t's type into the t->size bytes at @data, which hold what is there now.
 * Returns 0 or -ERANGE with *@expected a phrase, malloc'ed ("a number from 0 to 255").
 */
int value_encode(const struct target *t, const char *text, uint8_t *data, char **expected);

/* What may follow a struct, union or array that is no value: "one of its members a, b". Caller
 * frees. */
char *value_parts(const struct btf *btf, uint32_t type);

#endif
