// SPDX-License-Identifier: GPL-2.0
/* kt-gauntlet: expand and select the test matrix, one line of kt-vmm arguments for each variant. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "diag.h"
#include "exits.h"
#include "line.h"
#include "options.h"
#include "presets.h"
#include "quantity.h"
#include "select.h"

enum {
	OPT_PRESET = 1,
	OPT_TOPOLOGY,
	OPT_ONLY,
	OPT_KERNEL,
	OPT_SCHED,
	OPT_VMM,
	OPT_OUT,
	OPT_LIST,
	OPT_VERBOSE,
	OPT_BOUND, /* and on: enum bound_id */
};

static const struct option_row rows[] = {
	{NULL, 0, NULL, "Topologies"},
	{"preset", 'p', "NAME", "take this preset (repeatable; default: all)", OPT_PRESET},
	{"topology", 't', "SPEC",
	 "take this topology, such as 1n2l4c1t, instead of the\npresets, or beside those that are named (repeatable)",
	 OPT_TOPOLOGY},
	{"only", 0, "GLOB", "keep those whose name matches (repeatable)", OPT_ONLY},
	{"min-llcs", 0, "N", "keep those with at least N LLCs", OPT_BOUND + MIN_LLCS},
	{"max-llcs", 0, "N", "... at most N (default 12)", OPT_BOUND + MAX_LLCS},
	{"min-cpus", 0, "N", "keep those with at least N CPUs", OPT_BOUND + MIN_CPUS},
	{"max-cpus", 0, "N", "... at most N (default 192)", OPT_BOUND + MAX_CPUS},
	{"min-numa-nodes", 0, "N", "keep those with at least N NUMA nodes",
	 OPT_BOUND + MIN_NUMA_NODES},
	{"max-numa-nodes", 0, "N", "... at most N (default 1)", OPT_BOUND + MAX_NUMA_NODES},
	{"requires-smt", 0, NULL, "keep those with several threads per core",
	 OPT_BOUND + REQUIRES_SMT},
	{"no-smt", 0, NULL, "keep those with one thread per core", OPT_BOUND + NO_SMT},
	{NULL, 0, NULL, "Runs"},
	{"kernel", 'k', "LABEL",
	 "a kernel, as kt-vmm -k takes it (repeatable:\neach topology with each)", OPT_KERNEL},
	{"sched", 's', "FILE", "the scheduler, as kt-vmm --sched takes it", OPT_SCHED},
	{"vmm", 0, "WORD", "one more word of kt-vmm options, as it is (repeatable)", OPT_VMM},
	{"output", 'o', "DIR",
	 "run directories are DIR/SCENARIO/TOPOLOGY[/KERNEL]\n(default: runs)", OPT_OUT},
	{NULL, 0, NULL, "Output"},
	{"list", 'l', NULL, "print a table of the selected topologies instead", OPT_LIST},
	{"verbose", 'v', NULL, "say how many variants there are", OPT_VERBOSE},
	{NULL, 0, NULL, "Common"},
};

struct settings {
	struct presets all;
	struct selection selection;
	const char **topologies, **kernels, **vmm;
	size_t n_topologies, n_globs, n_kernels, n_vmm;
	const char *sched, *out;
	bool list;
};

/* A copy of @word fit for a message of one line. Caller frees. */
static char *one_line(const char *word)
{
	char *copy = xstrdup(word), *p;

	for (p = copy; (p = strchr(p, '\n'));)
		*p = '?';
	return copy;
}

static const char *checked_word(const char *word)
{
	if (!line_word_ok(word)) {
		_cleanup_free_ char *shown = one_line(word);

		die(EXIT_USAGE, "'%s': a newline cannot stand in a line of arguments", shown);
	}
	return word;
}

static void preset_option(struct settings *s, const char *name)
{
	const char *near;

	if (!presets_name(&s->all, name, &near))
		return;
	if (near)
		die(EXIT_USAGE, "unknown preset '%s': did you mean '%s'? (--list shows them)", name,
		    near);
	die(EXIT_USAGE,
	    "unknown preset '%s' (--list --max-llcs 16 --max-cpus 256 "
	    "--max-numa-nodes 4 shows all)",
	    name);
}

static void bound_option(struct settings *s, enum bound_id id, const char *value)
{
	const char *name = NULL;
	int64_t n = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].id == (int)(OPT_BOUND + id))
			name = rows[i].name;
	}
	if (value && number_parse(value, 1, TOPOLOGY_MAX_CPUS, &n))
		die(EXIT_USAGE, "--%s '%s': expected a number from 1 to %d", name, value,
		    TOPOLOGY_MAX_CPUS);
	selection_bound(&s->selection, id, n);
}

static void topologies_add(struct settings *s)
{
	const char *why;
	size_t i;
	int err;

	for (i = 0; i < s->n_topologies; i++) {
		err = presets_add(&s->all, s->topologies[i], &why);
		if (err == -EEXIST)
			die(EXIT_USAGE, "topology '%s' is given twice", s->topologies[i]);
		if (err)
			die(EXIT_USAGE, "topology '%s': %s", s->topologies[i], why);
	}
}

static void options_parse(struct options *o, struct settings *s)
{
	const char *value;
	int id;

	while ((id = options_next(o, &value))) {
		switch (id) {
		case OPT_PRESET:
			preset_option(s, value);
			break;
		case OPT_TOPOLOGY:
			ptrlist_add(&s->topologies, &s->n_topologies, value);
			break;
		case OPT_ONLY:
			ptrlist_add(&s->selection.globs, &s->n_globs, value);
			break;
		case OPT_KERNEL:
			ptrlist_add(&s->kernels, &s->n_kernels, checked_word(value));
			break;
		case OPT_SCHED:
			if (s->sched)
				die(EXIT_USAGE, "--sched is given twice");
			s->sched = checked_word(value);
			break;
		case OPT_VMM:
			ptrlist_add(&s->vmm, &s->n_vmm, checked_word(value));
			break;
		case OPT_OUT:
			s->out = checked_word(value);
			break;
		case OPT_LIST:
			s->list = true;
			break;
		case OPT_VERBOSE:
			diag_set_verbosity(diag_verbosity() + 1);
			break;
		default:
			bound_option(s, id - OPT_BOUND, value);
		}
	}
}

static void list_print(const struct presets *all)
{
	size_t i;

	printf("%-20s %-12s %5s %5s %5s  %s\n", "NAME", "TOPOLOGY", "CPUS", "LLCS", "NODES", "SMT");
	for (i = 0; i < all->n; i++) {
		const struct topology *t = &all->rows[i].topology;
		_cleanup_free_ char *text = topology_format(t);

		printf("%-20s %-12s %5u %5u %5u  %s\n", all->rows[i].name, text, topology_cpus(t),
		       t->llcs, t->numa_nodes, t->threads > 1 ? "yes" : "no");
	}
}

/* Two kernels whose runs would be kept in one directory are a mistake. */
static void kernels_check(const struct settings *s)
{
	size_t i, j;

	for (i = 0; i < s->n_kernels; i++) {
		_cleanup_free_ char *a = kernel_dirname(s->kernels[i]);

		if (!a)
			die(EXIT_USAGE, "kernel '%s': expected a label or a file", s->kernels[i]);
		for (j = 0; j < i; j++) {
			_cleanup_free_ char *b = kernel_dirname(s->kernels[j]);

			if (!strcmp(a, b))
				die(EXIT_USAGE, "kernels '%s' and '%s' would share run directories",
				    s->kernels[j], s->kernels[i]);
		}
	}
}

static void variant_print(const struct settings *s, const struct preset *row, const char *kernel,
			  const char *scenario, char **command)
{
	_cleanup_free_ char *topology = topology_format(&row->topology);
	_cleanup_free_ char *name = kernel ? kernel_dirname(kernel) : NULL;
	_cleanup_free_ char *dir = xasprintf("%s/%s/%s%s%s", s->out, scenario, row->name,
					     name ? "/" : "", name ? name : "");
	_cleanup_free_ const char **words = NULL;
	size_t n = 0, i;

	ptrlist_add(&words, &n, "-t");
	ptrlist_add(&words, &n, topology);
	if (kernel) {
		ptrlist_add(&words, &n, "-k");
		ptrlist_add(&words, &n, kernel);
	}
	if (s->sched) {
		ptrlist_add(&words, &n, "--sched");
		ptrlist_add(&words, &n, s->sched);
	}
	for (i = 0; i < s->n_vmm; i++)
		ptrlist_add(&words, &n, s->vmm[i]);
	ptrlist_add(&words, &n, "-o");
	ptrlist_add(&words, &n, dir);
	ptrlist_add(&words, &n, "--");
	for (; *command; command++)
		ptrlist_add(&words, &n, *command);
	line_write(stdout, words);
}

static void lines_print(const struct settings *s, char **command)
{
	_cleanup_free_ char *scenario = NULL;
	size_t i, k;

	if (!*command)
		die(EXIT_USAGE, "expected a command after --, for example -- kt-workload x.kt");
	for (i = 0; command[i]; i++)
		checked_word(command[i]);
	scenario = scenario_name((const char *const *)command);
	if (!scenario)
		die(EXIT_USAGE, "command '%s': expected the name of a program", command[0]);
	kernels_check(s);
	for (i = 0; i < s->all.n; i++) {
		if (!s->n_kernels)
			variant_print(s, &s->all.rows[i], NULL, scenario, command);
		for (k = 0; k < s->n_kernels; k++)
			variant_print(s, &s->all.rows[i], s->kernels[k], scenario, command);
	}
	info("%zu variants of %zu topologies", s->all.n * (s->n_kernels ? s->n_kernels : 1),
	     s->all.n);
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
			"  kt-assert runs/x/*",
		.rows = rows,
		.n_rows = ARRAY_SIZE(rows),
		.argc = argc,
		.argv = argv,
	};
	struct settings s = {.out = "runs"};
	_cleanup_free_ char *why = NULL;

	diag_init("kt-gauntlet");
	presets_init(&s.all);
	options_parse(&o, &s);
	topologies_add(&s);
	presets_keep_named(&s.all);
	if (selection_apply(&s.selection, &s.all, &why))
		die(EXIT_FAILURE, "%s", why);
	if (s.list)
		list_print(&s.all);
	else
		lines_print(&s, options_operands(&o));
	if (fflush(stdout) || ferror(stdout))
		die(EXIT_INTERNAL, "writing to stdout: %s", strerror(errno));
	presets_free(&s.all);
	free(s.topologies);
	free(s.selection.globs);
	free(s.kernels);
	free(s.vmm);
	return EXIT_SUCCESS;
}
