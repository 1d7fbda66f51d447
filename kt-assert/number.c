// SPDX-License-Identifier: GPL-2.0
#include "number.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int json_real_parse(const char *s, size_t len, double *out)
{
	char text[128];

	if (len >= sizeof(text))
		return -ERANGE;
	memcpy(text, s, len);
	text[len] = '\0';
	*out = strtod(text, NULL);
	return isfinite(*out) ? 0 : -ERANGE;
}

int json_int_parse(const char *s, size_t len, int64_t *out)
{
	int64_t v = 0;
	double real;
	size_t i;
	int err;

	for (i = 0; i < len && i < 18 && isdigit((unsigned char)s[i]); i++)
		v = v * 10 + (s[i] - '0');
	if (i == len) {
		*out = v;
		return 0;
	}
	for (; i < len && isdigit((unsigned char)s[i]); i++) {
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, s[i] - '0', &v))
			return -ERANGE;
	}
	if (i == len) {
		*out = v;
		return 0;
	}
	/* 2e10, 5.0: other writers' whole numbers, exact up to 2^53. */
	err = json_real_parse(s, len, &real);
	if (err)
		return err;
	if (real < 0 || real != floor(real))
		return -EINVAL;
	if (real > 0x1p53)
		return -ERANGE;
	*out = real;
	return 0;
}
