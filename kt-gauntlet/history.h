/* SPDX-License-Identifier: GPL-2.0 */
/* How long variants took before, from the run.json of kept run directories (docs/run.md). */
#ifndef KT_GAUNTLET_HISTORY_H
#define KT_GAUNTLET_HISTORY_H

#include <stddef.h>
#include <stdint.h>

struct record {
	char *name; /* of the variant, without its repetition */
	uint64_t ns;
};

struct history {
	struct record *rows;
	size_t n, room;
	size_t parts; /* of a name, without its repetition */
};

/*
 * Add the runs in @dir and below it. A run's name is the end of its directory's path: as many parts
 * as @parts says, and a repetition after them if there is one. A run.json that is malformed is
 * warned about and passed over; runs that were interrupted, or that kt-vmm failed at, do not count.
 * Returns 0, or -errno when @dir cannot be read.
 */
int history_read(struct history *h, const char *dir);

/* Bring the rows into the order that history_find() needs, once all are there. */
void history_sort(struct history *h);

/* The mean wall time of the runs called @name (without a repetition), or 0 when there is none. */
uint64_t history_find(const struct history *h, const char *name);

void history_free(struct history *h);

#endif
