/* SPDX-License-Identifier: GPL-2.0 */
/* What is in the maps of kt-maps: every kind of member that BTF can describe. */
#ifndef KT_MAPS_H
#define KT_MAPS_H

#include <linux/types.h>

/* Maps that an older linux/bpf.h does not know. */
#define MAP_CGRP_STORAGE 32
#define MAP_ARENA	 33

enum color {
	COLOR_ODD = -2,
	COLOR_NONE = 0,
	COLOR_RED = 7,
	COLOR_BLUE = 70000,
};

enum wide {
	WIDE_ONE = 1,
	WIDE_HUGE = 0x123456789abcULL,
};

struct point {
	__s32 x, y;
};

struct everything {
	__u64 huge;
	__s64 lowest;
	__s32 minus;
	__s16 small_minus;
	__s8 tiny_minus;
	__u8 byte;
	__u32 large;
	_Bool yes, no;
	__u32 zeros; /* bpftool 7.1 takes four bytes for a bool */
	enum color color, odd, unknown;
	enum wide wide;
	char name[16];
	char full[4]; /* without a NUL */
	__u8 bytes[3];
	__u32 low : 3, mid : 13, : 4, high : 12;
	__s32 signed_bits : 5;
	__u64 wide_bits : 40, rest : 24;
	struct point points[2];
	union {
		__u32 word;
		__u8 parts[4];
	};
	struct {
		__s16 in;
		struct {
			__s16 deep;
		};
	};
	__s32 grid[2][3];
	struct everything *self, *none;
};

struct hash_key {
	__u32 id;
	__s16 kind;
	__u8 pad[2];
};

struct hash_value {
	__u64 square;
	__s64 minus;
	char name[8];
};

/* A list in the program's own variables, closed to a ring. */
struct node {
	struct node *next;
	struct node *self;
	__u64 n;
};

struct page_of_numbers {
	__u64 v[512];
};

#define N_EVERYTHING 4
#define N_POINTS     3
#define N_HASH	     2000
#define N_SMALL	     50
#define N_NODES	     3
#define N_TASKS	     3

#endif
