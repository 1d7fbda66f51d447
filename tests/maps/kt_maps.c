// SPDX-License-Identifier: GPL-2.0
/*
 * kt-maps [--big BYTES] COMMAND ARGS...: make BPF maps of every type with known contents, run
 * COMMAND while they stand still, and end with its status. What a kernel has not got is said on
 * stderr.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "cleanup.h"
#include "diag.h"
#include "exits.h"
#include "fill.h"

extern const unsigned char kt_maps_object[], kt_maps_object_end[];

static pid_t tasks[N_TASKS];

/* Types that not every kernel has, or has enabled. */
static const char *const optional[] = {"a_cgrp_storage", "a_inode_storage", "a_bloom"};

static struct bpf_object *object_load(size_t big)
{
	const struct bpf_object_open_opts opts = {.sz = sizeof(opts), .object_name = "kt_maps"};
	struct bpf_object *obj =
		bpf_object__open_mem(kt_maps_object, kt_maps_object_end - kt_maps_object, &opts);
	struct bpf_map *map;
	size_t i;

	if (!obj)
		die(EXIT_FAILURE, "cannot open the BPF object: %s", strerror(errno));
	map = bpf_object__find_map_by_name(obj, "big");
	bpf_map__set_max_entries(map, big / sizeof(struct page_of_numbers));
	bpf_map__set_autocreate(map, big);
	for (i = 0; i < ARRAY_SIZE(optional); i++) {
		map = bpf_object__find_map_by_name(obj, optional[i]);
		if (libbpf_probe_bpf_map_type(bpf_map__type(map), NULL) != 1) {
			warn("no %s", optional[i]);
			bpf_map__set_autocreate(map, false);
		}
	}
	if (bpf_object__load(obj))
		die(EXIT_FAILURE, "cannot load the BPF object: %s", strerror(errno));
	return obj;
}

/* Tasks that only have a name, for what belongs to them. */
static void tasks_start(void)
{
	char name[16];
	int i;

	for (i = 0; i < N_TASKS; i++) {
		tasks[i] = fork();
		if (tasks[i] < 0)
			die(EXIT_FAILURE, "fork: %s", strerror(errno));
		if (!tasks[i]) {
			snprintf(name, sizeof(name), "kt-task-%d", i);
			prctl(PR_SET_NAME, name);
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
	}
}

static void tasks_end(void)
{
	int i;

	for (i = 0; i < N_TASKS; i++) {
		kill(tasks[i], SIGKILL);
		waitpid(tasks[i], NULL, 0);
	}
}

/* Run each program, with statistics: fill_what_only_a_program_can() eight times. */
static void programs_run(struct bpf_object *obj)
{
	struct bpf_program *prog =
		bpf_object__find_program_by_name(obj, "fill_what_only_a_program_can");
	int stats = bpf_enable_stats(BPF_STATS_RUN_TIME), i;

	for (i = 0; i < 8; i++) {
		struct bpf_test_run_opts opts = {.sz = sizeof(opts)};

		if (bpf_prog_test_run_opts(bpf_program__fd(prog), &opts) || opts.retval)
			die(EXIT_FAILURE, "cannot run the BPF program: %s", strerror(errno));
	}
	close(stats);
}

static int command_run(char **argv)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		execvp(argv[0], argv);
		die(EXIT_FAILURE, "cannot execute '%s': %s", argv[0], strerror(errno));
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		die(EXIT_FAILURE, "fork: %s", strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	struct bpf_object *obj;
	size_t big = 0;
	int status;

	diag_init("kt-maps");
	argv++;
	if (argc > 2 && !strcmp(argv[0], "--big")) {
		big = strtoull(argv[1], NULL, 10);
		argv += 2;
	}
	if (!argv[0])
		die(EXIT_USAGE, "expected a command");
	obj = object_load(big);
	tasks_start();
	maps_fill(obj, tasks);
	programs_run(obj);
	status = command_run(argv);
	tasks_end();
	cgroups_remove();
	bpf_object__close(obj);
	return status;
}
