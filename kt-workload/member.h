/* SPDX-License-Identifier: GPL-2.0 */
/* Workers as their parent sees them: forked, placed, watched and brought to an end. */
#ifndef KT_MEMBER_H
#define KT_MEMBER_H

#include <sys/types.h>

#include "latencies.h"
#include "scenario.h"
#include "telemetry.h"

enum member_state { MEMBER_PLANNED, MEMBER_ALIVE, MEMBER_GONE };

struct member {
	enum member_state state;
	pid_t pid;	/* or thread ID, once known */
	uint32_t index; /* within its group */
	struct crew *crew;
	struct record *rec;
	int status;	     /* as wait(2) gives it, once gone */
	bool late;	     /* a thread that came up too late to be put in its place */
	bool oom;	     /* killed for want of memory */
	bool timed_out;	     /* did not stop in time */
	uint64_t gone_ns;    /* when it was found gone or given up */
	bool usage_known;    /* the parent read the record's "after" */
	int last_cpu;	     /* where it was then, or -1 */
	struct allowed now;  /* the CPUs that it is confined to */
	struct allowed life; /* the CPUs that it was confined to at any time, if it ever was */
	/* What has been taken out of its record (crew_steps.h), up to step @taken. */
	struct tally kept;
	struct cpuset kept_cpus;
	uint32_t taken;
	bool complete;	  /* the parent wrote its end, as it could not itself */
	struct gap reach; /* then: the gap that it ended with */
};

/* A cgroup of the scenario as its ops change it. */
struct place {
	const struct cgroup_def *def;
	bool made;	    /* and not removed */
	struct allowed now; /* the CPUs that what is in it is confined to */
	bool frozen;
	long oom_kills; /* that are known of */
};

/* A group of workers and the memory that they share with the parent. */
struct crew {
	const struct group_def *def;
	struct place *place; /* the cgroup that they are in */
	struct start_line *line;
	struct member *members; /* def->workers of them */
	uint32_t n_alive;
	struct record **peers; /* the members' records, for the workers */
	pid_t leader;	       /* the process of those that are threads, else 0 */
	struct crew *mate;     /* the next one with the same leader, or NULL */
	struct gate *gate;     /* that it waits at before it makes them */
	struct cpuset *masks;  /* their own CPU affinities, or NULL */
	void *memory;
	size_t memory_size;
	struct latencies wake, request; /* of the step that they live through */
	bool in_step;
	struct spill *spill; /* where its steps are kept, from steps_at on */
	off_t steps_at;
	uint64_t stopped_ns; /* when an op stopped it, or 0 */
};

/* What spawning needs to know beyond the crew. */
struct spawn {
	uint64_t units_per_check;
	bool ticks_usable; /* worker_clock_usable() */
	bool seeded;
	uint64_t seed;
	/*
	 * Put the new process @pid, which is @m or the leader of its threads, in its cgroup, and
	 * the waiting worker @m on its CPUs and in its class. Each returns 0 or -errno, having told
	 * why.
	 */
	int (*settle)(void *ctx, struct member *m, pid_t pid);
	int (*dress)(void *ctx, const struct member *m);
	/* Pass the time until @until_ns; who dies meanwhile is noted. */
	void (*wait)(void *ctx, uint64_t until_ns);
	void *ctx;
};

/*
 * Lay out the crew's memory; with @steps for workers that live through more than one. Returns 0 or
 * -errno. Release with crew_free().
 */
int crew_init(struct crew *crew, const struct group_def *def, struct start_line *line, bool steps);
void crew_free(struct crew *crew);

/*
 * Fork the crew and its mates; each process is placed and then waits at its start line. Returns 0
 * or -errno; members that could not be started stay planned.
 */
int crew_spawn(struct crew *crew, const struct spawn *spawn);

/* The stop time for all of them, set ahead. */
void crew_stop_at(struct crew *crew, uint64_t ns);

/* From now on the crew may run on the CPUs of @to; @online are all that there are. */
void crew_allow(struct crew *crew, const struct allowed *to, const struct cpuset *online);

/* What the kernel makes of a cgroup's CPUs @to and the worker's own affinity. */
struct allowed member_effective(const struct member *m, const struct allowed *to);

/* The same, but its CPUs so far count as well. */
void crew_allow_also(struct crew *crew, const struct allowed *to, const struct cpuset *online);

/* A worker's own view of itself at its start. */
void crew_worker(const struct crew *crew, uint32_t index, const struct spawn *spawn,
		 struct worker *w);

/* End the waits of those who are alive, so that they see the stop time. */
void crew_poke(const struct crew *crew);

/* How many are alive. */
size_t crew_alive(const struct crew *crew);

/*
 * Release all who wait at @line, now, to stop @run_ns later (UINT64_MAX: when told so). Of @crews
 * those at the line are meant.
 */
void start_line_release(struct start_line *line, struct crew *const *crews, size_t n,
			uint64_t run_ns);

/* Take note of the end of the process that was settled for @m (a zombie still), and reap it. */
void member_note_end(struct member *m);

/* Give up on who is still there: note what is known and kill it. */
void crew_give_up(struct crew *crew);

/*
 * Complete the records of those who did not come to the end by themselves, with a gap up to the
 * stop or their death.
 */
void crew_complete(struct crew *crew);

#endif
