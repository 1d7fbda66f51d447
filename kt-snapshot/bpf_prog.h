/* SPDX-License-Identifier: GPL-2.0 */
/* The names of BPF programs, for what points to them. */
#ifndef KT_SNAPSHOT_BPF_PROG_H
#define KT_SNAPSHOT_BPF_PROG_H

#include "bpf.h"

struct bpf_prog_id {
	uint32_t id;
	char name[17];
};

/* Read ids and names of all programs, once a capture. */
void bpf_progs_read(struct bpf *b);

/* The name of the program @id as last read, or NULL. */
const char *bpf_prog_name(const struct bpf *b, uint64_t id);

/* A new capture begins. */
void bpf_progs_forget(struct bpf *b);

#endif
