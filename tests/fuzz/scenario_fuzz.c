// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target for kt-workload's parser: no script may crash it, and what it accepts must be
 * printed as a plan. Each script is read on two machines, one of them with nodes and threads.
 * tests/fuzz/run builds and runs it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "diag.h"
#include "scenario.h"
#include "stats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 2n2l2c2t, and 1n1l1c1t. */
static void machines_make(struct machine *big, struct machine *small)
{
	unsigned int i;

	*big = (struct machine){.n_llcs = 2, .n_nodes = 2, .n_cores = 4};
	big->llcs = xcalloc(2, sizeof(*big->llcs));
	big->nodes = xcalloc(2, sizeof(*big->nodes));
	big->cores = xcalloc(4, sizeof(*big->cores));
	for (i = 0; i < 8; i++) {
		cpuset_add(&big->online, i);
		cpuset_add(&big->llcs[i / 4], i);
		cpuset_add(&big->nodes[i / 4], i);
		cpuset_add(&big->cores[i / 2], i);
	}
	cpuset_add_range(&big->usable, 0, 6);
	cpuset_add_range(&big->memory_nodes, 0, 1);
	*small = (struct machine){.n_llcs = 1, .n_nodes = 1, .n_cores = 1};
	small->llcs = xcalloc(1, sizeof(*small->llcs));
	cpuset_add(&small->llcs[0], 0);
	small->nodes = small->cores = small->llcs;
	small->online = small->usable = small->memory_nodes = small->llcs[0];
}

/* Read the script that is in @path. */
static void try(const char *path, const struct machine *m, const char *work, FILE *out)
{
	const struct scenario_defaults defaults = {.work = work};
	struct scenario *sc = scenario_read(path, NULL, &defaults, m);

	if (!sc)
		return;
	plan_write(sc, m, out);
	scenario_free(sc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct machine big, small;
	static char path[32];
	static FILE *out;
	static int fd;

	if (!out) {
		diag_init("fuzz");
		machines_make(&big, &small);
		out = fopen("/dev/null", "w");
		fd = memfd_create("scenario", 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	try(path, &big, NULL, out);
	try(path, &small, "mixed", out);
	return 0;
}
