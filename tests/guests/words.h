/* SPDX-License-Identifier: GPL-2.0 */
/* What the command line tells a guest: words of the form NAME=NUMBER, after "guest.". */
#ifndef KT_GUEST_WORDS_H
#define KT_GUEST_WORDS_H

#include "io.h"

/* The number (decimal) of the word guest.@name= on the command line at @cmdline, 0 if none. */
static inline uint32_t word_number(uint32_t cmdline, const char *name)
{
	static const char prefix[] = "guest.";
	const char *at = ram(cmdline);

	for (; *at; at++) {
		unsigned int i = 0, k = 0;
		uint32_t value = 0;

		while (i < sizeof(prefix) - 1 && at[i] == prefix[i])
			i++;
		if (i < sizeof(prefix) - 1)
			continue;
		while (name[k] && at[i + k] == name[k])
			k++;
		if (name[k] || at[i + k] != '=')
			continue;
		for (i += k + 1; at[i] >= '0' && at[i] <= '9'; i++)
			value = value * 10 + (at[i] - '0');
		return value;
	}
	return 0;
}

#endif
