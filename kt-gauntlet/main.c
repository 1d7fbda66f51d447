// SPDX-License-Identifier: GPL-2.0
/* kt-gauntlet: expand and select the test matrix, one line of kt-vmm arguments for each variant. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "choose.h"
#include "cleanup.h"
#include "diag.h"
#include "exits.h"
#include "line.h"
#include "options.h"
#include "print.h"
#include "quantity.h"
#include "settings.h"

#define REPS_MAX 1000000000

enum {
	OPT_PRESET = 1,
	OPT_TOPOLOGY,
	OPT_ONLY,
	OPT_KERNEL,
	OPT_SCHED,
	OPT_FLAGS,
	OPT_WORK,
	OPT_SEED,
	OPT_REPS,
	OPT_VMM,
	OPT_OUT,
	OPT_NO_SCENARIO,
	OPT_SHARD,
	OPT_PAIRWISE,
	OPT_BUDGET,
	OPT_HISTORY,
	OPT_ESTIMATE,
	OPT_FORMAT,
	OPT_LIST,
	OPT_VERBOSE,
	OPT_CONSTRAINT, /* and on: enum constraint_id */
};

static const struct option_row rows[] = {
	{NULL, 0, NULL, "Topologies"},
	{"preset", 'p', "NAME", "take this preset (repeatable; default: all)", OPT_PRESET},
	{"topology", 't', "SPEC",
	 "take this topology, such as 1n2l4c1t, instead of the\npresets, or beside those that are named (repeatable)",
	 OPT_TOPOLOGY},
	{"min-llcs", 0, "N", "keep those with at least N LLCs", OPT_CONSTRAINT + MIN_LLCS},
	{"max-llcs", 0, "N", "... at most N (default 12)", OPT_CONSTRAINT + MAX_LLCS},
	{"min-cpus", 0, "N", "keep those with at least N CPUs", OPT_CONSTRAINT + MIN_CPUS},
	{"max-cpus", 0, "N", "... at most N (default 192)", OPT_CONSTRAINT + MAX_CPUS},
	{"min-numa-nodes", 0, "N", "keep those with at least N NUMA nodes",
	 OPT_CONSTRAINT + MIN_NUMA_NODES},
	{"max-numa-nodes", 0, "N", "... at most N (default 1)", OPT_CONSTRAINT + MAX_NUMA_NODES},
	{"requires-smt", 0, NULL, "keep those with several threads per core",
	 OPT_CONSTRAINT + REQUIRES_SMT},
	{"no-smt", 0, NULL, "keep those with one thread per core", OPT_CONSTRAINT + NO_SMT},
	{NULL, 0, NULL, "Further dimensions (repeatable; each value with each)"},
	{"sched", 's', "FILE", "a scheduler, as kt-vmm --sched takes it; none: without", OPT_SCHED},
	{"flags", 0, "FILE", "a scheduler's flags, kt-flags(5): each valid set is a\nprofile",
	 OPT_FLAGS},
	{"require-flag", 0, "F[,F...]", "keep profiles with this flag",
	 OPT_CONSTRAINT + REQUIRE_FLAG},
	{"exclude-flag", 0, "F[,F...]", "keep profiles without it", OPT_CONSTRAINT + EXCLUDE_FLAG},
	{"kernel", 'k', "LABEL",
	 "a kernel, as kt-vmm -k takes it, or a range of cached\nones, 7.0..7.3", OPT_KERNEL},
	{"work", 'w', "TYPE",
	 "a work type for the scenario's swappable cgroups;\nown: as the scenario has it",
	 OPT_WORK},
	{"seed", 0, "N[..M]", "deterministic runs with this seed, or these", OPT_SEED},
	{"reps", 'r', "N", "repeat each variant N times", OPT_REPS},
	{NULL, 0, NULL, "Runs"},
	{"vmm", 0, "WORD", "one more word of kt-vmm options, as it is (repeatable)", OPT_VMM},
	{"output", 'o', "DIR", "run directories are DIR/NAME (default: runs)", OPT_OUT},
	{"no-scenario", 0, NULL, "pass over a scenario's '# gauntlet:' lines", OPT_NO_SCENARIO},
	{NULL, 0, NULL, "Choice"},
	{"only", 0, "GLOB",
	 "keep variants whose name matches, or a part of it\n(repeatable: one match is enough)",
	 OPT_ONLY},
	{"pairwise", 0, "[flags]",
	 "keep few variants that cover all pairs of values; =flags:\nof single flags, not of profiles",
	 OPT_PAIRWISE},
	{"budget", 0, "TIME", "keep variants that cover most in this time", OPT_BUDGET},
	{"history", 0, "DIR", "take durations from run directories in here (repeatable)",
	 OPT_HISTORY},
	{"estimate", 0, "TIME",
	 "what one run of the command takes (default: the\nscenario's duration, or 12s)",
	 OPT_ESTIMATE},
	{"shard", 0, "I/N", "keep the I-th of N parts, divided by name", OPT_SHARD},
	{NULL, 0, NULL, "Output"},
	{"format", 'f', "FORMAT", "lines (default), null, json, github-matrix or names",
	 OPT_FORMAT},
	{"list", 'l', NULL, "print a table of the selected topologies instead", OPT_LIST},
	{"verbose", 'v', NULL, "say how many variants there are", OPT_VERBOSE},
	{NULL, 0, NULL, "Common"},
};

static void preset_option(struct settings *s, const char *name)
{
	_cleanup_free_ const char **names = NULL;
	_cleanup_free_ char *known = NULL;
	const char *near;
	size_t n = 0, i;

	if (!presets_name(&s->all, name, &near))
		return;
	if (near)
		die(EXIT_USAGE, "unknown preset '%s': did you mean '%s'? (--list shows them)", name,
		    near);
	for (i = 0; i < s->all.n; i++)
		ptrlist_add(&names, &n, s->all.rows[i].name);
	known = words_quote(names);
	die(EXIT_USAGE, "unknown preset '%s'; known:%s", name, known);
}

static void flags_option(struct settings *s, const char *file)
{
	_cleanup_fclose_ FILE *in = fopen(file, "re");
	struct declarations *d = &s->declarations;
	_cleanup_free_ char *why = NULL;
	size_t n = d->n;

	if (!in)
		die(EXIT_USAGE, "--flags %s: %s", file, strerror(errno));
	d->rows = xrealloc(d->rows, (n + 1) * sizeof(*d->rows));
	ptrlist_add(&d->files, &d->n, file);
	if (flags_read(&d->rows[n], in, file, &why))
		die(EXIT_USAGE, "%s", why);
}

static void kernel_option(struct settings *s, const char *text)
{
	_cleanup_free_ char *why = NULL;

	word_check(FORMAT_LINES, text); /* no kernel has a newline, whatever the format */
	if (kernels_add(&s->kernels, text, &why))
		die(EXIT_USAGE, "%s", why);
}

static uint64_t duration_option(const char *option, const char *text)
{
	uint64_t ns;

	if (duration_parse(text, &ns) || !ns)
		die(EXIT_USAGE, "%s '%s': expected a time such as 90s or 10m", option, text);
	return ns;
}

static void format_option(struct settings *s, const char *name)
{
	const char *names[FORMAT_END + 1] = {NULL}, *near;
	int f;

	for (f = 0; f < FORMAT_END; f++) {
		names[f] = format_name(f);
		if (!strcmp(name, names[f])) {
			s->format = f;
			return;
		}
	}
	near = nearest_name(name, names);
	die(EXIT_USAGE, "unknown format '%s': %s%s%s", name,
	    near ? "did you mean '" : "expected lines, null, json, github-matrix or names",
	    near ? near : "", near ? "'?" : "");
}

static void pairwise_option(struct settings *s, const char *value)
{
	if (value && strcmp(value, "flags"))
		die(EXIT_USAGE, "--pairwise '%s': expected nothing, or flags", value);
	s->pairwise = value ? PAIRWISE_FLAGS : PAIRWISE_PROFILES;
}

static void reps_option(struct settings *s, const char *value)
{
	int64_t n;

	if (number_parse(value, 1, REPS_MAX, &n))
		die(EXIT_USAGE, "--reps '%s': expected a number from 1 to %d", value, REPS_MAX);
	s->reps = n;
}

static void constraint_option(struct settings *s, enum constraint_id id, const char *value)
{
	_cleanup_free_ char *why = NULL;

	if (constraints_option(&s->constraints, id, value, &why))
		die(EXIT_USAGE, "%s", why);
}

/* A value that is given twice would be two variants of one name. */
static void distinct_option(struct words *w, const char *option, const char *value)
{
	size_t i;

	for (i = 0; i < w->n; i++) {
		if (!strcmp(w->list[i], value))
			die(EXIT_USAGE, "%s '%s' is given twice", option, value);
	}
	words_add(w, value);
}

/* Options that add a value to a dimension. Returns false for others. */
static bool dimension_option(struct settings *s, int id, const char *value)
{
	switch (id) {
	case OPT_PRESET:
		preset_option(s, value);
		return true;
	case OPT_TOPOLOGY:
		words_add(&s->topologies, value);
		return true;
	case OPT_KERNEL:
		words_add(&s->given, value);
		kernel_option(s, value);
		return true;
	case OPT_SCHED:
		words_add(&s->given, value);
		distinct_option(&s->scheds, "--sched", value);
		return true;
	case OPT_FLAGS:
		flags_option(s, value);
		return true;
	case OPT_WORK:
		words_add(&s->given, value);
		distinct_option(&s->works, "--work", value);
		return true;
	case OPT_SEED:
		words_add(&s->seeds, value);
		return true;
	case OPT_REPS:
		reps_option(s, value);
		return true;
	default:
		return false;
	}
}

static void other_option(struct settings *s, int id, const char *value)
{
	switch (id) {
	case OPT_VMM:
		words_add(&s->given, value);
		words_add(&s->vmm, value);
		break;
	case OPT_OUT:
		words_add(&s->given, value);
		s->out = value;
		break;
	case OPT_NO_SCENARIO:
		s->no_scenario = true;
		break;
	case OPT_ONLY:
		words_add(&s->globs, value);
		break;
	case OPT_PAIRWISE:
		pairwise_option(s, value);
		break;
	case OPT_BUDGET:
		s->budget_ns = duration_option("--budget", value);
		break;
	case OPT_HISTORY:
		words_add(&s->histories, value);
		break;
	case OPT_ESTIMATE:
		s->estimate_ns = duration_option("--estimate", value);
		break;
	case OPT_SHARD:
		if (shard_parse(value, &s->shard))
			die(EXIT_USAGE, "--shard '%s': expected I/N with I from 1 to N", value);
		break;
	case OPT_FORMAT:
		format_option(s, value);
		break;
	case OPT_LIST:
		s->list = true;
		break;
	case OPT_VERBOSE:
		diag_set_verbosity(diag_verbosity() + 1);
		break;
	default:
		constraint_option(s, id - OPT_CONSTRAINT, value);
	}
}

int main(int argc, char **argv)
{
	struct options o = {
		.synopsis = "[OPTIONS] -- COMMAND [ARG...]\n"
			    "       kt-gauntlet [OPTIONS] --list",
		.summary = "Print the test matrix: for each variant one line of kt-vmm arguments.",
		.epilogue =
			"Example:\n"
			"  kt-gauntlet --min-llcs 2 --max-cpus 8 -- kt-workload x.kt | xargs -P2 -L1 kt-vmm > /dev/null\n"
			"  kt-assert runs/x/*/*",
		.rows = rows,
		.n_rows = ARRAY_SIZE(rows),
		.argc = argc,
		.argv = argv,
	};
	struct settings s = {.out = "runs"};
	struct picks picks = {0};
	struct matrix m;
	const char *value;
	uint64_t run_ns;
	int id;

	diag_init("kt-gauntlet");
	setvbuf(stdout, NULL, _IOFBF, 1 << 18);
	presets_init(&s.all);
	while ((id = options_next(&o, &value))) {
		if (!dimension_option(&s, id, value))
			other_option(&s, id, value);
	}
	s.command = (const char *const *)options_operands(&o);
	if (!*s.command && !s.list)
		die(EXIT_USAGE, "expected a command after --, for example -- kt-workload x.kt");
	if (!s.budget_ns && (s.histories.n || s.estimate_ns))
		die(EXIT_USAGE, "--%s: expected --budget with it",
		    s.histories.n ? "history" : "estimate");
	matrix_make(&m, &s, &run_ns);
	if (s.pairwise || s.budget_ns)
		variants_choose(&m, &s, run_ns, &picks);
	matrix_print(&m, &s, s.pairwise || s.budget_ns ? &picks : NULL);
	if (fflush(stdout) || ferror(stdout))
		die(EXIT_INTERNAL, "writing to stdout: %s", strerror(errno));
	matrix_free(&m);
	free(picks.index);
	settings_free(&s);
	return EXIT_SUCCESS;
}
