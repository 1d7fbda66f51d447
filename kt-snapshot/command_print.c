// SPDX-License-Identifier: GPL-2.0
/* kt-snapshot print: a snapshot for people. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "commands.h"
#include "diag.h"
#include "document.h"
#include "exits.h"
#include "options.h"
#include "table.h"
#include "text.h"

/* What member @key of @o says, in one cell; "-" where there is none. */
static char *cell(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);
	char *text = v && !json_is_null(v) ? text_of_value(v, false) : NULL;

	return text ? text : xstrdup("-");
}

/* "comm[pid]" */
static char *task_cell(const json_t *task)
{
	_cleanup_free_ char *comm = cell(task, "comm"), *pid = cell(task, "pid");

	return json_is_object(task) ? xasprintf("%s[%s]", comm, pid) : xstrdup("-");
}

static void print_head(const json_t *doc, bool colour)
{
	_cleanup_free_ char *name = cell(doc, "name"), *trigger = cell(doc, "trigger");
	_cleanup_free_ char *kernel = cell(doc, "kernel");
	const json_t *missing = json_object_get(doc, "missing");
	size_t i;

	printf("%s%s%s  trigger %s  kernel %s\n", colour ? "\033[1m" : "", name,
	       colour ? "\033[0m" : "", trigger, kernel);
	printf("at %.6f s of the guest's time; it stood still for %.3f ms\n",
	       json_number_value(json_object_get(doc, "t_ns")) / 1e9,
	       json_number_value(json_object_get(doc, "frozen_ns")) / 1e6);
	for (i = 0; i < json_array_size(missing); i++) {
		_cleanup_free_ char *text = text_of_value(json_array_get(missing, i), false);

		printf("missing: %.*s\n", 70, text ? text : "?");
	}
}

static void print_cpus(const json_t *doc, bool colour)
{
	static const char *const heads[] = {"CPU",	"NR",	    "SCX",   "LOCAL DSQ",
					    "SWITCHES", "CLOCK ms", "<TASK", NULL};
	struct table t = {.heads = heads};
	const json_t *cpus = json_object_get(doc, "cpu"), *curr;
	json_t *cpu;
	size_t i;

	json_array_foreach((json_t *)cpus, i, cpu)
	{
		curr = json_object_get(cpu, "curr");
		table_add(&t, (char *[]){
				      cell(cpu, "cpu"),
				      cell(cpu, "nr_running"),
				      cell(cpu, "scx_nr_running"),
				      cell(cpu, "local_dsq_depth"),
				      cell(cpu, "nr_switches"),
				      xasprintf("%.1f", json_number_value(
								json_object_get(cpu, "clock_ns")) /
								1e6),
				      task_cell(curr),
			      });
	}
	table_print(&t, "CPUs", colour);
}

static void print_scx(const json_t *doc, bool colour)
{
	static const char *const heads[] = {"<", "<", NULL}; /* names and values need none */
	const json_t *scx = json_object_get(doc, "scx");
	struct table t = {.heads = heads};
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)scx, key, v)
	{
		const json_t *name = json_object_get(v, "name");

		if (json_is_array(v) || !strcmp(key, "events"))
			continue;
		table_add(&t, (char *[]){text_visible(key, strlen(key)),
					 json_is_string(name) ? cell(v, "name") : cell(scx, key)});
	}
	table_print(&t, "sched_ext", colour);
	json_object_foreach(json_object_get(scx, "events"), key, v)
	{
		if (json_integer_value(v))
			table_add(&t, (char *[]){text_visible(key, strlen(key)),
						 text_of_value(v, false)});
	}
	table_print(&t, "sched_ext events", colour);
}

static char *dsq_place(const json_t *dsq)
{
	static const char *const places[] = {"cpu", "node", "id"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_free_ char *number = cell(dsq, places[i]);

		if (json_object_get(dsq, places[i]))
			return xasprintf("%s %s", places[i], number);
	}
	return xstrdup("-");
}

/* Queues with tasks in them, and those of the scheduler's own. */
static void print_dsqs(const json_t *doc, bool colour)
{
	static const char *const heads[] = {"<TYPE", "<WHERE", "TASKS", "<FIRST", NULL};
	const json_t *list = json_object_get(json_object_get(doc, "scx"), "dsq");
	struct table t = {.heads = heads};
	json_t *dsq;
	size_t i;

	json_array_foreach((json_t *)list, i, dsq)
	{
		const json_t *tasks = json_object_get(dsq, "tasks");

		if (!json_integer_value(json_object_get(dsq, "nr")) && !json_object_get(dsq, "id"))
			continue;
		table_add(&t, (char *[]){cell(dsq, "type"), dsq_place(dsq), cell(dsq, "nr"),
					 task_cell(json_array_get(tasks, 0))});
	}
	table_print(&t, "Dispatch queues", colour);
}

static void print_tasks(const json_t *doc, bool colour)
{
	static const char *const heads[] = {"CPU", "<TASK", "PRIO", "<MODE", "<IN", NULL};
	const json_t *cpus = json_object_get(doc, "cpu");
	struct table t = {.heads = heads};
	json_t *cpu, *curr;
	size_t i;

	json_array_foreach((json_t *)cpus, i, cpu)
	{
		const json_t *stack = json_object_get(cpu, "stack");

		curr = json_object_get(cpu, "curr");
		if (!json_integer_value(json_object_get(curr, "pid")))
			continue;
		table_add(&t,
			  (char *[]){cell(cpu, "cpu"), task_cell(curr), cell(curr, "prio"),
				     cell(cpu, "mode"), cell(json_array_get(stack, 0), "symbol")});
	}
	table_print(&t, "Running tasks", colour);
}

static void print_maps(const json_t *doc, bool colour)
{
	static const char *const heads[] = {"ID",    "<NAME", "<TYPE",	 "KEY",
					    "VALUE", "MAX",   "ENTRIES", NULL};
	const json_t *maps = json_object_get(doc, "map");
	struct table t = {.heads = heads};
	json_t *map;
	size_t i;

	json_array_foreach((json_t *)maps, i, map)
	{
		const json_t *entries = json_object_get(map, "entries");

		table_add(&t, (char *[]){
				      cell(map, "id"),
				      cell(map, "name"),
				      cell(map, "type"),
				      cell(map, "key_size"),
				      cell(map, "value_size"),
				      cell(map, "max_entries"),
				      json_is_array(entries)
					      ? xasprintf("%zu", json_array_size(entries))
					      : xstrdup("-"),
			      });
	}
	table_print(&t, "BPF maps", colour);
}

static void print_variables(const json_t *doc, bool colour)
{
	static const char *const heads[] = {"<NAME", "<VALUE", NULL};
	const json_t *maps = json_object_get(doc, "map");
	struct table t = {.heads = heads};
	const char *key;
	json_t *map, *v;
	size_t i;

	json_array_foreach((json_t *)maps, i, map)
	{
		_cleanup_free_ char *name = cell(map, "name");
		_cleanup_free_ char *title = xasprintf("Variables of %.60s", name);

		json_object_foreach(json_object_get(map, "vars"), key, v)
		{
			table_add(&t, (char *[]){text_visible(key, strlen(key)),
						 text_of_value(v, false)});
		}
		table_print(&t, title, colour);
	}
}

static void (*const parts[])(const json_t *doc, bool colour) = {
	print_head, print_cpus, print_tasks, print_scx, print_dsqs, print_maps, print_variables,
};

int command_print(int argc, char **argv)
{
	struct options o = {
		.synopsis = "print FILE|-",
		.summary = "Print a snapshot for people: tables of 80 columns.",
		.argc = argc,
		.argv = argv,
	};
	bool colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	_cleanup_free_ char *why = NULL;
	const char *value;
	char **operands;
	json_t *doc;
	size_t i;
	int err;

	options_next(&o, &value);
	operands = options_operands(&o);
	if (!operands[0] || operands[1])
		die(EXIT_USAGE, "print: expected one snapshot's file, or - for standard input");
	err = documents_load(operands, 1, &doc, &why);
	if (err)
		die(err == -EBADMSG ? EXIT_BAD_INPUT : EXIT_USAGE, "%s", why);
	for (i = 0; i < ARRAY_SIZE(parts); i++)
		parts[i](doc, colour);
	json_decref(doc);
	if (fflush(stdout) || ferror(stdout))
		die(EXIT_INTERNAL, "cannot write: %s", strerror(errno));
	return 0;
}
