/* SPDX-License-Identifier: GPL-2.0 */
/* A number in the guest's memory, found once and then read by one plain load while it changes. */
#ifndef KT_SNAPSHOT_SPOT_H
#define KT_SNAPSHOT_SPOT_H

#include "kernel.h"

struct spot {
	const uint8_t *at; /* in the mapped RAM; NULL: not to be read */
	uint8_t size;	   /* 1, 2, 4 or 8 bytes */
};

/* The @size bytes at @va, or a spot with at NULL when they are not in memory or not in one page. */
struct spot spot_at(struct kernel *k, uint64_t va, uint32_t size);

/*
 * The @size bytes at @va in the mapped RAM, or NULL when they are not in memory or not in one page.
 * They change while they are looked at.
 */
const uint8_t *spot_bytes(struct kernel *k, uint64_t va, uint32_t size);

/* What @f describes of the object at @va; a bit field or an array cannot be read so. */
struct spot spot_field(struct kernel *k, const struct field *f, uint64_t va);

/* The same for member @path of struct @type. */
struct spot spot_member(struct kernel *k, const char *type, const char *path, uint64_t va);

/* The kernel variable @name of @size bytes. */
struct spot spot_symbol(struct kernel *k, const char *name, uint32_t size);

/* Its value, zero-extended; 0 where there is none. */
uint64_t spot_load(struct spot s);

/*
 * Have the @n spots on their way into the cache, those in one line in a row: they are loaded soon.
 * The guest's memory is cold after a pause, and so many misses cost as much as one.
 */
void spot_prefetch(const struct spot *s, size_t n);

#endif
