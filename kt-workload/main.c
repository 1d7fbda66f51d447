// SPDX-License-Identifier: GPL-2.0
/* kt-workload: run a scenario of cgroups and workers, and measure what they get. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "exits.h"
#include "options.h"
#include "quantity.h"
#include "run.h"
#include "stats.h"

enum {
	OPT_LINE = 1,
	OPT_DURATION,
	OPT_WORKERS,
	OPT_WORK,
	OPT_SEED,
	OPT_LIST_WORK,
	OPT_DRY_RUN,
	OPT_VERBOSE
};

static const struct option_row rows[] = {
	{"line", 'e', "LINE", "a line of the scenario; repeat for more, instead of a file",
	 OPT_LINE},
	{"duration", 'd', "T", "how long to run, whatever the scenario says (12s)", OPT_DURATION},
	{"workers", 'w', "N", "workers of a cgroup that does not say (2)", OPT_WORKERS},
	{"work", 0, "TYPE", "the work type of swappable cgroups, whatever the scenario says",
	 OPT_WORK},
	{"seed", 's', "N", "what choices are drawn from (KT_SEED)", OPT_SEED},
	{"dry-run", 'n', NULL, "print the resolved scenario as JSON and start nothing",
	 OPT_DRY_RUN},
	{"list-work", 0, "[FORMAT]", "list the work types and exit: text (default) or scdoc",
	 OPT_LIST_WORK},
	{"verbose", 'v', NULL, "say what is done; -vv says more", OPT_VERBOSE},
};

struct settings {
	const char *file;
	const char **lines;
	size_t n_lines;
	struct scenario_defaults defaults;
	bool seeded, dry_run;
	uint64_t seed;
};

static uint64_t parse_seed(const char *text, const char *from)
{
	int64_t seed;

	if (number_parse(text, 0, INT64_MAX, &seed))
		die(EXIT_USAGE, "%s '%s': expected a number from 0 to 9223372036854775807", from,
		    text);
	return seed;
}

static const char *parse_work(const char *text)
{
	struct work_spec spec;
	char *why;

	if (work_spec_parse(text, &spec, &why))
		die(EXIT_USAGE, "--work: %s", why);
	work_spec_free(&spec);
	return text;
}

static void parse_option(struct settings *s, int id, const char *value)
{
	int64_t n;

	switch (id) {
	case OPT_LINE:
		ptrlist_add(&s->lines, &s->n_lines, value);
		break;
	case OPT_DURATION:
		if (duration_parse(value, &s->defaults.duration_ns) || !s->defaults.duration_ns ||
		    s->defaults.duration_ns > SCENARIO_DURATION_MAX_NS)
			die(EXIT_USAGE,
			    "--duration '%s': expected a time above 0 and up to 24h, "
			    "for example 20s",
			    value);
		break;
	case OPT_WORKERS:
		if (number_parse(value, 1, SCENARIO_WORKERS_MAX, &n))
			die(EXIT_USAGE, "--workers '%s': expected a number from 1 to %d", value,
			    SCENARIO_WORKERS_MAX);
		s->defaults.workers = n;
		break;
	case OPT_WORK:
		s->defaults.work = parse_work(value);
		break;
	case OPT_SEED:
		s->seed = parse_seed(value, "--seed");
		s->seeded = true;
		break;
	case OPT_DRY_RUN:
		s->dry_run = true;
		break;
	case OPT_LIST_WORK:
		if (work_list_print(value ? value : "text"))
			die(EXIT_USAGE, "--list-work '%s': expected text or scdoc", value);
		exit(fflush(stdout) ? EXIT_INTERNAL : 0);
	case OPT_VERBOSE:
		diag_set_verbosity(diag_verbosity() + 1);
		break;
	}
}

static void parse_arguments(struct settings *s, int argc, char **argv)
{
	struct options o = {
		.synopsis = "[OPTIONS] FILE|-",
		.summary = "Run a scenario: cgroups and workers over time; print what they got as "
			   "JSON.",
		.epilogue = "Scenario scripts are described in kt-scenario(5), work types in "
			    "kt-work(7).",
		.rows = rows,
		.n_rows = ARRAY_SIZE(rows),
		.permute = 1,
		.argc = argc,
		.argv = argv,
	};
	const char *value, *seed = getenv("KT_SEED");
	char **operands;
	int id;

	while ((id = options_next(&o, &value)))
		parse_option(s, id, value);
	operands = options_operands(&o);
	s->file = operands[0];
	if (s->file && operands[1])
		die(EXIT_USAGE, "'%s' after '%s': expected one scenario", operands[1], operands[0]);
	if (s->file && s->lines)
		die(EXIT_USAGE, "'%s' and -e: expected a file or lines, not both", s->file);
	if (!s->file && !s->lines)
		die(EXIT_USAGE, "no scenario: expected FILE, - for stdin, or -e LINE (--help tells "
				"more)");
	if (!s->seeded && seed && *seed) {
		s->seed = parse_seed(seed, "KT_SEED");
		s->seeded = true;
	}
}

static int run_and_report(const struct settings *s, const struct scenario *sc,
			  const struct machine *m, const char *sysfs)
{
	struct run run = {.sc = sc, .machine = m, .seeded = s->seeded, .seed = s->seed};
	int ret, status;

	run_scenario(&run, sysfs);
	ret = stats_write(&run, stdout);
	info("the end and the report took %.3f s", (clock_now() - run.stop_ns) / 1e9);
	status = run.signal ? 128 + run.signal : run.n_errors ? 1 : 0;
	run_free(&run);
	if (ret)
		die(EXIT_INTERNAL, "cannot write the stats: %s", strerror(-ret));
	return status;
}

int main(int argc, char **argv)
{
	struct settings s = {};
	const char *sysfs = getenv("KT_SYSFS");
	struct scenario *sc;
	struct machine m;
	int ret;

	diag_init("kt-workload");
	parse_arguments(&s, argc, argv);
	if (!sysfs || !*sysfs)
		sysfs = "/sys";
	machine_read(&m, sysfs);
	sc = scenario_read(s.file, s.lines, &s.defaults, &m);
	if (!sc)
		exit(EXIT_USAGE);
	if (s.defaults.work && !sc->swaps)
		warn("--work '%s' changes nothing: no cgroup of the scenario is swappable",
		     s.defaults.work);
	if (s.dry_run) {
		ret = plan_write(sc, &m, stdout);
		if (ret)
			die(EXIT_INTERNAL, "cannot write the plan: %s", strerror(-ret));
	} else {
		ret = run_and_report(&s, sc, &m, sysfs);
	}
	scenario_free(sc);
	machine_free(&m);
	free(s.lines);
	return ret;
}
