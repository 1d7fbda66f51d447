// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target for kt-assert's stats reader: no input may crash it, and what it accepts must
 * be judged and reported without a crash. The first byte picks the size of the pieces that the
 * document is fed in, so that tokens are cut anywhere. tests/fuzz/run builds and runs it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "checks.h"
#include "result.h"
#include "stats.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static FILE *sink(void)
{
	static FILE *out;

	if (!out)
		out = fopen("/dev/null", "w");
	return out;
}

static void judge(const struct measured *m)
{
	size_t i, k;

	for (i = 0; i < checks_n; i++) {
		struct result r;

		result_init(&r);
		if (!check_judge(&checks[i], m, checks[i].threshold, &r))
			check_nothing(&checks[i], &r);
		for (k = 0; k < r.n_findings; k++)
			text_print_safe(sink(), r.findings[k].text);
		result_free(&r);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t piece = size ? data[0] % 64 + 1 : 1, at, i;
	struct stats_reader *r = stats_open(size % 2 ? STEP_EACH : "a");
	struct stats s = {NULL};
	int err = 0;

	/* The first byte is part of the document too: the corpus is plain JSON. */
	for (at = 0; !err && at < size; at += piece)
		err = stats_feed(r, data + at, size - at < piece ? size - at : piece);
	if (!err)
		err = stats_finish(r, &s);
	if (!err != !stats_error(r))
		abort();
	if (!err)
		judge(&s.run);
	for (i = 0; i < s.n_steps; i++)
		judge(&s.steps[i]);
	stats_close(r);
	stats_free(&s);
	return 0;
}
