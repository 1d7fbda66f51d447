/* SPDX-License-Identifier: GPL-2.0 */
/* kt-vmm's command line. */
#ifndef KT_SETTINGS_H
#define KT_SETTINGS_H

#include "guest.h"
#include "machine.h"
#include "triggers.h"

/* All that the command line said. */
struct settings {
	struct machine_options machine;
	struct guest_options guest;
	const char *kernel, *append, *rundir, *engine, *accel;
	uint64_t timeout_ns;
	struct trigger_options triggers;
	const char *dump_tables;
	bool dry_run, no_stdin, seed_given, nested, probe, perf;
	size_t n_modules, n_node_memory, n_distances, n_latencies, n_bandwidths, n_includes, n_env;
};

/* Read the command line into @s, all zero before. What is wrong with it ends the program. */
void settings_read(struct settings *s, int argc, char **argv);

#endif
