// SPDX-License-Identifier: GPL-2.0
#include "quantity.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cleanup.h"

struct unit {
	const char *name;
	uint64_t factor;
};

/* Parse "NUMBER[UNIT]": the fraction is kept exact for the integer part. */
static int quantity_parse(const char *text, const struct unit *units, size_t n_units, uint64_t *out)
{
	unsigned long long whole;
	double fraction = 0;
	const char *p;
	char *end;
	size_t i;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	whole = strtoull(text, &end, 10);
	if (errno)
		return -ERANGE;
	p = end;
	if (*p == '.') {
		double place = 0.1;

		if (!isdigit((unsigned char)*++p))
			return -EINVAL;
		for (; isdigit((unsigned char)*p); p++, place /= 10)
			fraction += (*p - '0') * place;
	}
	for (i = 0; i < n_units; i++) {
		if (!strcasecmp(p, units[i].name)) {
			uint64_t f = units[i].factor, scaled;

			if (__builtin_mul_overflow(whole, f, &scaled) ||
			    __builtin_add_overflow(scaled, (uint64_t)llround(fraction * f), out))
				return -ERANGE;
			return 0;
		}
	}
	return -EINVAL;
}

int duration_parse(const char *text, uint64_t *ns)
{
	static const struct unit units[] = {
		{"", 1000000000ULL},
		{"ns", 1},
		{"us", 1000},
		{"ms", 1000000},
		{"s", 1000000000ULL},
		{"m", 60000000000ULL},
		{"min", 60000000000ULL},
		{"h", 3600000000000ULL},
	};

	return quantity_parse(text, units, ARRAY_SIZE(units), ns);
}

int size_parse(const char *text, uint64_t *bytes)
{
	static const struct unit units[] = {
		{"", 1},
		{"B", 1},
		{"K", 1ULL << 10},
		{"KiB", 1ULL << 10},
		{"M", 1ULL << 20},
		{"MiB", 1ULL << 20},
		{"G", 1ULL << 30},
		{"GiB", 1ULL << 30},
		{"T", 1ULL << 40},
		{"TiB", 1ULL << 40},
		{"KB", 1ULL << 10},
		{"MB", 1ULL << 20},
		{"GB", 1ULL << 30},
		{"TB", 1ULL << 40},
	};

	return quantity_parse(text, units, ARRAY_SIZE(units), bytes);
}

int number_parse(const char *text, int64_t min, int64_t max, int64_t *out)
{
	char *end;
	long long v;

	if (!isdigit((unsigned char)text[0]) && text[0] != '-')
		return -EINVAL;
	errno = 0;
	v = strtoll(text, &end, 0);
	if (*end || end == text)
		return -EINVAL;
	if (errno || v < min || v > max)
		return -ERANGE;
	*out = v;
	return 0;
}

int fraction_parse(const char *text, double *out)
{
	char *end;
	double v;

	if (!isdigit((unsigned char)text[0]) && text[0] != '-' && text[0] != '.')
		return -EINVAL;
	errno = 0;
	v = strtod(text, &end);
	if (*end || end == text || !isfinite(v))
		return -EINVAL;
	*out = v;
	return 0;
}
