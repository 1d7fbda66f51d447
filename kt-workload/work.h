/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Work types: what a worker does between start and stop. One file per family, work_FAMILY.c; a
 * type is one row of its family's table and one function. A row's run() works, calls
 * worker_checkpoint() at least every 100 us of running, and returns once that says stop.
 */
#ifndef KT_WORK_H
#define KT_WORK_H

#include <stddef.h>
#include <stdint.h>

#include "telemetry.h"

#define WORK_PARAMS_MAX 8
#define WORK_PHASES_MAX 64

enum work_param_kind { PARAM_COUNT, PARAM_DURATION, PARAM_SIZE, PARAM_CHOICE };

struct work_param {
	const char *name;
	enum work_param_kind kind;
	uint64_t preset; /* its value when the scenario gives none */
	uint64_t min, max;
	const char *help;
	const char *const *choices; /* PARAM_CHOICE: names, then NULL; the value is an index */
};

struct work_spec;

struct work_type {
	const char *name;
	const char *family;
	const char *unit; /* what one work unit is */
	const char *path; /* the kernel path it exercises */
	/* For kt-work(7): what it does, and the moment that its wake latency counts from. */
	const char *about, *wake;
	struct work_param params[WORK_PARAMS_MAX];
	bool ordered;		/* params may repeat, in any order, and make a sequence of phases */
	bool command;		/* what follows the colon is a command, not parameters */
	bool blocks;		/* has wake latencies */
	bool requests;		/* has request latencies */
	bool in_cgroup;		/* works on its own cgroup, which has to be one of the scenario's */
	unsigned int group;	/* workers that belong together; 0 and 1: none */
	const char *group_text; /* where complete() sets the group: what it is, "1 + fan-out" */
	size_t shared_size;	/* memory a group shares */
	unsigned int fds;	/* descriptors a group shares */
	/*
	 * Where they depend on the parameters: check those and set spec->group, shared_size, fds.
	 * Returns 0, or -EINVAL with *@why (caller frees).
	 */
	int (*complete)(struct work_spec *spec, char **why);
	/*
	 * Before anything starts: whether this machine has what it takes. Returns 0, or -errno with
	 * *@why (caller frees).
	 */
	int (*check)(const struct work_spec *spec, char **why);
	/*
	 * In the parent, before a group's first worker: open its spec->fds descriptors (pipes and
	 * the like), close-on-exec. They are -1 before and may stay so; its workers find them in
	 * worker.fds, the caller closes them. Returns 0 or -errno.
	 */
	int (*prepare)(const struct work_spec *spec, int *fds);
	/* Before the start: get what run() needs. Returns 0 or -errno with rec->why filled in. */
	int (*setup)(struct worker *w);
	void (*run)(struct worker *w);
};

struct work_phase {
	unsigned int param; /* index into the type's params */
	uint64_t value;
};

/* A work type with its parameters, as a scenario names it. */
struct work_spec {
	const struct work_type *type;
	uint64_t values[WORK_PARAMS_MAX];
	struct work_phase phases[WORK_PHASES_MAX]; /* ordered types only */
	size_t n_phases;
	unsigned int group; /* workers that belong together; at least 1 */
	size_t shared_size; /* memory that such a group shares */
	unsigned int fds;   /* descriptors that it shares */
	char *text;	    /* as written */
};

/* The families' tables; each ends with a row without a name. */
extern const struct work_type work_cpu_types[];
extern const struct work_type work_core_types[];
extern const struct work_type work_burst_types[];
extern const struct work_type work_cache_types[];
extern const struct work_type work_wakeup_types[];
extern const struct work_type work_ring_types[];
extern const struct work_type work_fan_types[];
extern const struct work_type work_epoll_types[];
extern const struct work_type work_timer_types[];
extern const struct work_type work_net_types[];
extern const struct work_type work_task_types[];
extern const struct work_type work_affinity_types[];
extern const struct work_type work_cgroup_types[];
extern const struct work_type work_memory_types[];
extern const struct work_type work_lock_types[];
extern const struct work_type work_signal_types[];
extern const struct work_type work_io_types[];
extern const struct work_type work_sequence_types[];
extern const struct work_type work_schbench_types[];
extern const struct work_type work_taobench_types[];
extern const struct work_type work_exec_types[];

/* The @i-th type of all families, or NULL beyond the last. */
const struct work_type *work_type_at(size_t i);

/*
 * Parse "TYPE[:k=v,...]". Returns 0, or -EINVAL with *@why saying what is wrong (caller frees).
 * Release with work_spec_free().
 */
int work_spec_parse(const char *text, struct work_spec *spec, char **why);
void work_spec_free(struct work_spec *spec);

/*
 * Print the table of all types (--list-work), as @format says: "text", or "scdoc" for the part of
 * kt-work(7) that follows from it. Returns 0, or -EINVAL for another format.
 */
int work_list_print(const char *format);

/* "a number from 0 to 100": what the parameter may be. Caller frees. */
char *work_param_expected(const struct work_param *p);

/* @value as it is written. Caller frees. */
char *work_param_format(const struct work_param *p, uint64_t value);

/*
 * Fixed amounts of CPU work. A spin unit is WORK_SPIN_TURNS turns of an empty loop, an ALU unit as
 * many dependent multiplications; they keep to registers.
 */
#define WORK_SPIN_TURNS 256

static inline void work_spin_turns(uint64_t turns)
{
	while (turns) {
		turns--;
		__asm__ volatile("" : "+r"(turns));
	}
}

static inline void work_spin(uint64_t units)
{
	work_spin_turns(units * WORK_SPIN_TURNS);
}

static inline void work_alu(uint64_t units)
{
	uint64_t turns = units * WORK_SPIN_TURNS, x = turns | 1;

	while (turns--) {
		x *= 6364136223846793005ULL;
		__asm__ volatile("" : "+r"(x));
	}
}

/* How many spin units take about 20 us on this CPU; at least 1. */
uint64_t work_calibrate(void);

/* Spin @units, with checkpoints. Returns what worker_checkpoint() does. */
bool work_spin_checked(struct worker *w, uint64_t units);

/* Spin @turns of the loop, with checkpoints, as part of a bigger unit: counts none itself. */
bool work_spin_turns_checked(struct worker *w, uint64_t turns);

/* The same without the checkpoint at its end: one follows in what comes next. */
bool work_spin_turns_open(struct worker *w, uint64_t turns);

#endif
