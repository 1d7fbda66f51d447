// SPDX-License-Identifier: GPL-2.0
#include "apic_id.h"

/* How many bits tell @count things apart. */
static unsigned int field_width(unsigned int count)
{
	return count > 1 ? 32 - __builtin_clz(count - 1) : 0;
}

void apic_layout(const struct topology *t, struct apic_layout *l)
{
	l->core_shift = field_width(t->threads);
	l->llc_shift = l->core_shift + field_width(t->cores);
	l->package_shift = l->llc_shift + field_width(t->llcs / t->numa_nodes);
}

uint32_t apic_id(const struct topology *t, unsigned int cpu)
{
	unsigned int thread = cpu % t->threads;
	unsigned int core = cpu / t->threads % t->cores;
	unsigned int llc = cpu / t->threads / t->cores;
	unsigned int node_llcs = t->llcs / t->numa_nodes;
	struct apic_layout l;

	apic_layout(t, &l);
	return thread | core << l.core_shift | (llc % node_llcs) << l.llc_shift |
	       (llc / node_llcs) << l.package_shift;
}

uint32_t apic_id_max(const struct topology *t)
{
	return apic_id(t, topology_cpus(t) - 1);
}
