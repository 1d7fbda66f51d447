// SPDX-License-Identifier: GPL-2.0
/*
 * JUnit XML as CI servers read it: one suite, one test case a run. It has all that the schema of
 * Ant's reports wants, the strictest of those in use; others take it, too.
 */
#include "report.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "exits.h"
#include "text.h"

/* The suite's element counts its cases, so they wait in a file until all are known. */
static void junit_begin(struct report *r)
{
	r->body = tmpfile();
	if (!r->body)
		die(EXIT_INTERNAL, "cannot make a temporary file: %s", strerror(errno));
}

static void put_attribute(FILE *out, const char *name, const char *value)
{
	fprintf(out, " %s=\"", name);
	text_print_xml(out, value, true);
	fputc('"', out);
}

/* @wall_ns: BIND_NONE when it is not known, which the schemas have no word for. */
static void put_time(FILE *out, int64_t wall_ns)
{
	fprintf(out, " time=\"%.3f\"", wall_ns == BIND_NONE ? 0 : wall_ns / 1e9);
}

static void put_case(FILE *out, const char *name, const char *source, int64_t wall_ns)
{
	fprintf(out, "    <testcase");
	put_attribute(out, "name", name);
	put_attribute(out, "classname", source);
	put_time(out, wall_ns);
}

/* How long the run took: the VM, or the workload alone. */
static int64_t run_wall(const struct judgement *j)
{
	if (j->run.wall_ns != BIND_NONE)
		return j->run.wall_ns;
	return j->has_stats ? j->stats.wall_ns : BIND_NONE;
}

/* The first finding of the verdict, in one line. */
static const char *first_finding(const struct judgement *j, enum verdict v)
{
	size_t i, k;

	for (i = 0; i < j->completed.n_findings; i++) {
		if (j->completed.findings[i].verdict == v)
			return j->completed.findings[i].text;
	}
	for (k = 0; k < checks_n; k++) {
		for (i = 0; i < j->results[k].n_findings; i++) {
			if (j->results[k].findings[i].verdict == v)
				return j->results[k].findings[i].text;
		}
	}
	for (k = 0; k < j->trends.n; k++) {
		const struct result *r = &j->trends.results[k].result;

		for (i = 0; i < r->n_findings; i++) {
			if (r->findings[i].verdict == v)
				return r->findings[i].text;
		}
	}
	return verdict_name(v);
}

static void put_problem(const struct report *r, const struct judgement *j, const char *element)
{
	_cleanup_free_ char *surprise = report_surprise(j), *text = NULL;
	FILE *f = text_stream(&text);

	report_text(j, f, false, r->verbose);
	fclose(f);
	fprintf(r->body, ">\n      <%s", element);
	put_attribute(r->body, "type", verdict_name(j->verdict));
	put_attribute(r->body, "message", surprise ? surprise : first_finding(j, j->verdict));
	fputc('>', r->body);
	text_print_xml(r->body, text, false);
	fprintf(r->body, "</%s>\n    </testcase>\n", element);
}

static void junit_verdict(struct report *r, const struct judgement *j)
{
	_cleanup_free_ char *title = NULL;
	FILE *f = text_stream(&title);

	report_title(j, f);
	fclose(f);
	put_case(r->body, title, j->source, run_wall(j));
	if (run_wall(j) != BIND_NONE)
		add_saturated(&r->wall_ns, run_wall(j));
	switch (j->verdict) {
	case VERDICT_FAIL:
		put_problem(r, j, "failure");
		break;
	case VERDICT_INCONCLUSIVE:
		put_problem(r, j, "error");
		break;
	case VERDICT_SKIP:
		fprintf(r->body, ">\n      <skipped message=\"%s\"/>\n    </testcase>\n",
			report_note(j));
		break;
	case VERDICT_PASS:
		fprintf(r->body, "/>\n");
	}
}

static void junit_unreadable(struct report *r, const char *source, const char *message)
{
	put_case(r->body, source, source, BIND_NONE);
	fprintf(r->body, ">\n      <error type=\"unreadable\"");
	put_attribute(r->body, "message", message);
	fprintf(r->body, "/>\n    </testcase>\n");
}

/* When and where it was judged. */
void report_junit_origin(FILE *out)
{
	char host[HOST_NAME_MAX + 1] = "", when[32];
	time_t now = time(NULL);
	struct tm tm;

	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", gmtime_r(&now, &tm));
	put_attribute(out, "timestamp", when);
	gethostname(host, sizeof(host) - 1);
	put_attribute(out, "hostname", host[0] ? host : "localhost");
}

static void junit_end(struct report *r)
{
	char chunk[BUFSIZ];
	size_t n;

	fprintf(r->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
	fprintf(r->out,
		"  <testsuite id=\"0\" package=\"kt\" name=\"kt-assert\" tests=\"%zu\" "
		"failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\"",
		r->n_runs, r->counts[VERDICT_FAIL], r->counts[VERDICT_INCONCLUSIVE] + r->unreadable,
		r->counts[VERDICT_SKIP]);
	report_junit_origin(r->out);
	put_time(r->out, r->wall_ns);
	fprintf(r->out, ">\n    <properties/>\n");
	rewind(r->body);
	while ((n = fread(chunk, 1, sizeof(chunk), r->body)))
		fwrite(chunk, 1, n, r->out);
	if (ferror(r->body))
		die(EXIT_INTERNAL, "cannot keep the verdicts in a temporary file: %s",
		    strerror(errno));
	fclose(take_ptr(r->body));
	fprintf(r->out, "    <system-out/>\n    <system-err/>\n  </testsuite>\n</testsuites>\n");
}

const struct report_format report_format_junit = {
	.name = "junit",
	.begin = junit_begin,
	.verdict = junit_verdict,
	.unreadable = junit_unreadable,
	.end = junit_end,
};
