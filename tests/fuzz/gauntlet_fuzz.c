// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target for what kt-gauntlet reads from files: declarations of flags, and the constraint
 * lines of scenarios. No input may crash it; a mistake has a message, and what is accepted gives
 * the profiles that trying all sets gives.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "constraints.h"
#include "flags.h"

#define FLAGS_TRIED 10

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Has the set what its members require, and no two that conflict? By the rows, one by one. */
static bool set_valid(const struct flags *f, uint64_t set)
{
	size_t i;

	for (i = 0; i < f->n; i++) {
		const struct flag *flag = &f->rows[i];

		if (set >> i & 1 && ((flag->needs & ~set) || (flag->conflicts & set)))
			return false;
	}
	return true;
}

static void profiles_check(const struct flags *f, uint64_t require, uint64_t exclude)
{
	uint64_t *masks, set;
	size_t n, at = 0;

	if (profiles_expand(f, require, exclude, &masks, &n))
		abort();
	for (set = 0; set < 1ULL << f->n; set++) {
		if ((set & require) != require || set & exclude || !set_valid(f, set))
			continue;
		if (at == n || masks[at++] != set)
			abort();
		free(profile_name(f, set));
		free(profile_args(f, set));
	}
	if (at != n || !!n != profiles_any(f, require, exclude))
		abort();
	free(masks);
}

static void declaration_fuzz(FILE *in)
{
	char *why = NULL;
	struct flags f;
	int err = flags_read(&f, in, "in", &why);

	if (!err != !why)
		abort();
	if (!err && f.n <= FLAGS_TRIED) {
		profiles_check(&f, 0, 0);
		profiles_check(&f, f.n ? 1 : 0, 0);
		profiles_check(&f, f.n > 1 ? 2 : 0, f.n ? 1 : 0);
	}
	flags_free(&f);
	free(why);
}

static void constraints_fuzz(FILE *in)
{
	struct constraints c = {0};
	char *why = NULL;
	size_t i;

	if (!constraints_read(&c, in, "in", &why) != !why)
		abort();
	for (i = 0; i < c.n; i++) {
		if (!c.rows[i].origin || c.rows[i].id >= CONSTRAINT_END)
			abort();
	}
	constraints_free(&c);
	free(why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *in;

	if (!size)
		return 0;
	in = fmemopen((void *)data, size, "r");
	declaration_fuzz(in);
	rewind(in);
	constraints_fuzz(in);
	fclose(in);
	return 0;
}
