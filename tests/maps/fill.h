/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KT_MAPS_FILL_H
#define KT_MAPS_FILL_H

#include <bpf/libbpf.h>
#include <sys/types.h>

#include "maps.h"

/* Fill all maps of @obj, and make those that have no types. Ends the program when one fails. */
void maps_fill(struct bpf_object *obj, const pid_t tasks[N_TASKS]);

/* The cgroups that maps_fill() has made. */
void cgroups_remove(void);

#endif
