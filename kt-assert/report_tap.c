// SPDX-License-Identifier: GPL-2.0
/* TAP version 13 (testanything.org): one test point a run, its report as diagnostic lines. */
#include "report.h"

#include <string.h>

#include "cleanup.h"
#include "text.h"

static void tap_begin(struct report *r)
{
	fprintf(r->out, "TAP version 13\n1..%zu\n", r->n_runs);
}

/* A description ends at an unescaped '#', where a directive begins. */
static void put_description(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '#' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void put_diagnostics(FILE *out, char *text)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		if (text || *line)
			fprintf(out, *line ? "# %s\n" : "#%s\n", line);
	}
}

static size_t runs_so_far(const struct report *r)
{
	return r->counts[VERDICT_SKIP] + r->counts[VERDICT_PASS] + r->counts[VERDICT_INCONCLUSIVE] +
	       r->counts[VERDICT_FAIL] + r->unreadable;
}

static void tap_verdict(struct report *r, const struct judgement *j)
{
	_cleanup_free_ char *title = NULL, *text = NULL;
	bool ok = j->verdict <= VERDICT_PASS;
	FILE *f = text_stream(&title);

	report_title(j, f);
	fclose(f);
	fprintf(r->out, "%s %zu - ", ok ? "ok" : "not ok", runs_so_far(r));
	put_description(r->out, title);
	if (ok && report_note(j))
		fprintf(r->out, j->verdict == VERDICT_SKIP ? " # SKIP %s" : " (%s)",
			report_note(j));
	fputc('\n', r->out);
	if (ok && !r->verbose)
		return;
	if (r->n_runs > 1) {
		fprintf(r->out, "# ");
		text_print_safe(r->out, j->source);
		fprintf(r->out, ":\n");
	}
	f = text_stream(&text);
	report_text(j, f, false, r->verbose);
	fclose(f);
	put_diagnostics(r->out, text);
}

static void tap_unreadable(struct report *r, const char *source, const char *message)
{
	_cleanup_free_ char *title = text_safe(source);

	fprintf(r->out, "not ok %zu - ", runs_so_far(r));
	put_description(r->out, title);
	fprintf(r->out, "\n# ");
	text_print_safe(r->out, message);
	fputc('\n', r->out);
}

const struct report_format report_format_tap = {
	.name = "tap",
	.begin = tap_begin,
	.verdict = tap_verdict,
	.unreadable = tap_unreadable,
};
