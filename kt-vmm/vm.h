/* SPDX-License-Identifier: GPL-2.0 */
/* One boot of the machine, from its creation to its end. */
#ifndef KT_VM_H
#define KT_VM_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine.h"
#include "outcome.h"
#include "rundir.h"
#include "triggers.h"

/* Where the guest's streams go, beside the program's own stdout and stderr. */
struct sinks {
	int stats, err, sched, events; /* unnamed files of the run directory */
};

struct vm_signals {
	int all;    /* signalfd(2) of all that are caught */
	int ending; /* readable when one of those that end a run is there */
};

struct vm_options {
	const struct engine_ops *engine;
	struct engine_config config; /* console, channel and RAM are made for each boot */
	struct rundir *rundir;
	struct vm_signals signals;
	struct sinks sinks;
	const struct perf *perf;  /* --perf, or NULL */
	uint64_t boot_timeout_ns; /* from start to HELLO */
	uint64_t timeout_ns;	  /* from HELLO on; 0: none */
	struct trigger_options triggers;
	bool forward_stdin;
	bool terminal; /* --shell: raw terminal, window size */
};

/* What one boot brought. */
struct vm_result {
	struct outcome outcome;
	struct console console; /* fd: the complete log, the caller's to close */
	bool hello;
	char *kernel; /* the guest's release, NULL before HELLO */
	unsigned int cpus;
	uint64_t vmcoreinfo_addr, vmcoreinfo_size; /* guest-physical; 0: the kernel has none */
	uint64_t boot_ns;			   /* start to HELLO */
	uint64_t wall_ns;
	bool emulated;
	unsigned int snapshots; /* that were kept */
	uint64_t reader_ns;	/* from the reader's start until it was ready; 0: never */
	json_t *unmet;		/* strings: what was asked for and not to be had; or NULL */
};

/* From here on the signals that end or stop a run are read from descriptors. */
void vm_signals_open(struct vm_signals *s);

/* Boot, run to the end, take down. @r is filled in whatever happens; vm_result_free() releases it.
 */
void vm_run(const struct vm_options *o, struct vm_result *r);
void vm_result_free(struct vm_result *r);

#endif
