// SPDX-License-Identifier: GPL-2.0
/* kt-snapshot: look into a VM's kernel from outside. */
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "commands.h"
#include "diag.h"
#include "exits.h"
#include "options.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"btf", command_btf, "write the kernel's types, as BTF"},
	{"capture", command_capture, "print a snapshot of a live VM"},
	{"diff", command_diff, "print what changed between two snapshots"},
	{"get", command_get, "print values of a snapshot, by path"},
	{"monitor", command_monitor, "sample a live VM while it runs on"},
	{"print", command_print, "print a snapshot for people"},
	{"read", command_read, "print variables of a live VM"},
	{"set", command_set, "write variables of a live VM"},
	{"serve", command_serve, "serve a run of kt-vmm, which starts it"},
	{"symbol", command_symbol, "print the addresses of kernel symbols"},
	{"vmcore", command_vmcore, "write a live VM's memory as a core file"},
	{"watchdog", command_watchdog, "set the scheduler's watchdog timeout"},
};

static void help(void)
{
	size_t i;

	printf("usage: kt-snapshot COMMAND [OPTIONS] ARGS...\n\n"
	       "Look into a VM's kernel from outside: its runqueues, tasks, schedulers, BPF maps and symbols.\n\n"
	       "COMMANDS\n");
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-10s %s\n", commands[i].name, commands[i].help);
	printf("\nkt-snapshot COMMAND --help tells more of each.\n");
}

int main(int argc, char **argv)
{
	const char *names[ARRAY_SIZE(commands) + 1] = {};
	const char *name = argc > 1 ? argv[1] : NULL, *near;
	size_t i;

	diag_init("kt-snapshot");
	if (!name)
		die(EXIT_USAGE, "no command: expected capture or another one (--help lists them)");
	if (!strcmp(name, "--help") || !strcmp(name, "-h")) {
		help();
		return fflush(stdout) ? EXIT_INTERNAL : 0;
	}
	if (!strcmp(name, "--version")) {
		printf("kt-snapshot %s\n", KT_VERSION);
		return fflush(stdout) ? EXIT_INTERNAL : 0;
	}
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(commands[i].name, name))
			return commands[i].run(argc - 1, argv + 1);
		names[i] = commands[i].name;
	}
	near = nearest_name(name, names);
	die(EXIT_USAGE, "unknown command '%s'%s%s%s (--help lists them)", name,
	    near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
}
