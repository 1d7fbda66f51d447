/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What makes a run's snapshots beside the scenario's own requests: points in time, the end of a
 * scheduler, a panic, a time limit; and what else the reader is set to at the beginning.
 */
#ifndef KT_TRIGGERS_H
#define KT_TRIGGERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define TRIGGERS_MAX_PERIODIC 1000

struct vm;

/* What the command line asks for. */
struct trigger_options {
	unsigned int periodic; /* snapshots within the scenario */
	uint64_t monitor_ns;   /* interval; 0: no monitor */
	uint64_t watchdog_ns;  /* 0: as the scheduler has it */
	bool scheduler;	       /* there is one: its error exit is wanted */
};

struct triggers {
	uint64_t begin_ns,
		duration_ns; /* of the scenario, in host time without that frozen; 0: none */
	unsigned int taken;  /* periodic ones asked for */
	enum { LAST_NONE, LAST_UNDER_WAY, LAST_DONE } last; /* capture before the run ends */
};

/* The guest is up. */
void triggers_hello(struct vm *vm);

/* The guest sent @event. */
void triggers_event(struct vm *vm, const json_t *event);

/* When the next point in time is, by now_ns(); UINT64_MAX: never. And take what is due. */
uint64_t triggers_due(const struct vm *vm);
void triggers_run(struct vm *vm);

/* The guest stood still for @ns: it does not count. */
void triggers_thawed(struct vm *vm, uint64_t ns);

/*
 * The run is about to end, by @name ("panic", "timeout"): one more snapshot, the guest frozen from
 * now until it is there. Returns whether it is under way; when it no longer is, @done, if not NULL,
 * is called.
 */
bool triggers_last(struct vm *vm, const char *name, void (*done)(struct vm *vm));

#endif
