// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target for kt-assert's stats reader: no input may crash it, and what it accepts must
 * be judged and reported without a crash. The first byte picks the size of the pieces that the
 * document is fed in, so that tokens are cut anywhere. tests/fuzz/run builds and runs it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "bind.h"
#include "checks.h"
#include "result.h"
#include "stats.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const struct stats *s)
{
	static FILE *out;
	size_t i, k;

	if (!out)
		out = fopen("/dev/null", "w");
	for (i = 0; i < CHECKS_N; i++) {
		struct result r;

		result_init(&r);
		check_judge(&checks[i], s, checks[i].threshold, &r);
		for (k = 0; k < r.n_findings; k++)
			text_print_safe(out, r.findings[k].text);
		result_free(&r);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t piece = size ? data[0] % 64 + 1 : 1, at;
	struct stats s;
	struct bind *b;
	int err = 0;

	stats_init(&s);
	b = bind_open(&stats_type, &s);
	/* The first byte is part of the document too: the corpus is plain JSON. */
	for (at = 0; !err && at < size; at += piece)
		err = bind_feed(b, data + at, size - at < piece ? size - at : piece);
	if (!err)
		err = bind_finish(b);
	if (!err != !bind_error(b))
		abort();
	if (!err) {
		stats_rollup(&s);
		judge(&s);
	}
	bind_close(b);
	stats_free(&s);
	return 0;
}
