/* SPDX-License-Identifier: GPL-2.0 */
/*
 * APIC ids from the declared topology: bit fields, lowest first, for thread, core, LLC (die) and
 * node (package), each as wide as its count needs. A count that is no power of two leaves ids out,
 * so that every LLC and every package keeps bits of its own (Intel SDM 3A 9.9.3).
 */
#ifndef KT_APIC_ID_H
#define KT_APIC_ID_H

#include <stdint.h>

#include "topology.h"

/* The highest id that an 8-bit APIC id field can hold: 255 is the broadcast address. */
#define APIC_ID_MAX_8BIT 254

/*
 * How far an id is shifted right to get the number of its core, LLC and package, as CPUID leaves
 * 0xB and 0x1F tell it. The field below core_shift is the thread.
 */
struct apic_layout {
	unsigned int core_shift;    /* bits of the thread number */
	unsigned int llc_shift;	    /* and of the core number in its LLC */
	unsigned int package_shift; /* and of the LLC number in its package */
};

void apic_layout(const struct topology *t, struct apic_layout *l);

/* The id of CPU @cpu, 0 to topology_cpus() - 1. Rises with the CPU number. */
uint32_t apic_id(const struct topology *t, unsigned int cpu);

/* The highest id in use. */
uint32_t apic_id_max(const struct topology *t);

#endif
