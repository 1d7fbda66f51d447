/* SPDX-License-Identifier: GPL-2.0 */
/* JSON numbers (RFC 8259 section 6) as their text, already known to be well formed, to C's. */
#ifndef KT_ASSERT_NUMBER_H
#define KT_ASSERT_NUMBER_H

#include <stddef.h>
#include <stdint.h>

/* Returns 0, or -ERANGE when it is not finite as a double or longer than 127 characters. */
int json_real_parse(const char *s, size_t len, double *out);

/*
 * A whole number from 0 to INT64_MAX; "5.0" and "2e10" are whole too, up to 2^53. Returns 0,
 * -EINVAL (negative, or a fraction) or -ERANGE.
 */
int json_int_parse(const char *s, size_t len, int64_t *out);

#endif
