/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers with units as people write them. All return 0, or -EINVAL (not a quantity) or -ERANGE. */
#ifndef KT_QUANTITY_H
#define KT_QUANTITY_H

#include <stdint.h>

/* "250ms", "1.5s", "20" (seconds) to nanoseconds. Units: ns us ms s m h. */
int duration_parse(const char *text, uint64_t *ns);

/* "512M", "2G", "4096" (bytes) to bytes. Units K M G T, powers of 1024; an optional "iB" or "B". */
int size_parse(const char *text, uint64_t *bytes);

/* A whole number in [@min, @max], decimal or 0x. */
int number_parse(const char *text, int64_t min, int64_t max, int64_t *out);

/* A decimal fraction; NaN and infinities are refused. */
int fraction_parse(const char *text, double *out);

#endif
