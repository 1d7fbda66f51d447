/* SPDX-License-Identifier: GPL-2.0 */
/* A guest's other CPUs. */
#ifndef KT_GUEST_SMP_H
#define KT_GUEST_SMP_H

#include "io.h"

#define SMP_MAX 512 /* CPUs, this one included */

/*
 * Start all CPUs but this one with INIT and SIPI (Intel SDM 3A 9.4 and 11.12), through the x2APIC
 * where there is one. Each calls smp_main() with a number of its own, from 1 on, and stops. Returns
 * how many have come back, when it is @cpus - 1 or nobody comes any more.
 */
uint32_t smp_start(uint32_t cpus);

/* The guest's own, on a stack of 1 KiB. */
void smp_main(uint32_t number);

#endif
