/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's tables of numbered objects (lib/idr.c over lib/xarray.c). */
#ifndef KT_SNAPSHOT_BPF_IDR_H
#define KT_SNAPSHOT_BPF_IDR_H

#include "bpf_layout.h"
#include "kernel.h"

#define BPF_IDR_MAX_OBJECTS 65536
#define BPF_IDR_MAX_NODES   16384

/*
 * The objects of the table at @address, in the order of their numbers: a malloc'ed array of @*n.
 * Returns NULL with *@n 0 when it is empty. *@why is set (a constant) when the table is broken or
 * larger than the limits above: what was found until then is returned.
 */
uint64_t *bpf_idr_read(struct kernel *k, const struct bpf_layout *l, uint64_t address, size_t *n,
		       const char **why);

#endif
