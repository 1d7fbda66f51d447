// SPDX-License-Identifier: GPL-2.0
#include "acpi.h"

#include <errno.h>
#include <string.h>

#include "acpi_layout.h"
#include "apic_id.h"
#include "cleanup.h"
#include "irqchip.h"
#include "platform.h"
#include "state.h"

/* A local APIC entry holds 8 bits of processor UID and of APIC id. */
static bool cpu_needs_x2apic(const struct topology *t, unsigned int cpu)
{
	return cpu > APIC_ID_MAX_8BIT || apic_id(t, cpu) > APIC_ID_MAX_8BIT;
}

static void checksum_set(uint8_t *data, size_t len, size_t at)
{
	uint8_t sum = 0;
	size_t i;

	data[at] = 0;
	for (i = 0; i < len; i++)
		sum += data[i];
	data[at] = -sum;
}

static size_t table_begin(struct acpi_tables *a, const char *name)
{
	struct acpi_table *t = &a->table[a->n];

	blob_align(&a->blob, 64);
	memcpy(t->name, name, 4);
	t->offset = a->blob.len;
	return t->offset;
}

/* A table that begins with the common header, of revision @revision. */
static void header_begin(struct acpi_tables *a, const char *name, uint8_t revision)
{
	struct acpi_header h = {
		.revision = revision,
		.oem_id = "KT",
		.oem_table = "KTVMM",
		.oem_revision = 1,
		.creator = "KT",
		.creator_revision = 1,
	};

	table_begin(a, name);
	memcpy(h.signature, name, 4);
	blob_put(&a->blob, &h, sizeof(h));
}

static void table_end(struct acpi_tables *a)
{
	struct acpi_table *t = &a->table[a->n++];

	t->len = a->blob.len - t->offset;
}

static void header_end(struct acpi_tables *a)
{
	struct acpi_table *t = &a->table[a->n];
	uint8_t *data = a->blob.data + t->offset;
	uint32_t len;

	table_end(a);
	len = t->len;
	memcpy(data + offsetof(struct acpi_header, length), &len, sizeof(len));
	checksum_set(data, t->len, offsetof(struct acpi_header, checksum));
}

static uint64_t table_address(const struct acpi_tables *a, const char *name)
{
	unsigned int i;

	for (i = 0; i < a->n; i++) {
		if (!strcmp(a->table[i].name, name))
			return a->base + a->table[i].offset;
	}
	return 0;
}

static void dsdt_build(struct acpi_tables *a)
{
	header_begin(a, "DSDT", 2);
	acpi_dsdt_body(&a->blob);
	header_end(a);
}

static void facs_build(struct acpi_tables *a)
{
	struct acpi_facs f = {.signature = "FACS", .length = sizeof(f), .version = 2};

	table_begin(a, "FACS");
	blob_put(&a->blob, &f, sizeof(f));
	table_end(a);
}

static struct acpi_address io_address(uint64_t port, uint8_t bits, uint8_t access)
{
	return (struct acpi_address){
		.space = ACPI_SPACE_IO, .bits = bits, .access = access, .address = port};
}

static void fadt_build(struct acpi_tables *a)
{
	struct acpi_fadt f = {
		.facs = table_address(a, "FACS"),
		.dsdt = table_address(a, "DSDT"),
		.sci_irq = GSI_SCI,
		.pm1a_event = PORT_PM1_EVENT,
		.pm1a_control = PORT_PM1_CNTRL,
		.pm_timer = PORT_PM_TIMER,
		.pm1_event_len = 4,
		.pm1_control_len = 2,
		.pm_timer_len = 4,
		.c2_latency = 0xfff, /* no such state */
		.c3_latency = 0xffff,
		.boot_flags = FADT_LEGACY_DEVICES | FADT_NO_VGA,
		.flags = FADT_WBINVD | FADT_PROC_C1 | FADT_NO_POWER_BUTTON | FADT_NO_SLEEP_BUTTON |
			 FADT_RESET_REGISTER,
		.reset = io_address(PORT_RESET, 8, 1),
		.reset_value = RESET_VALUE,
		.minor = 5,
		.x_dsdt = table_address(a, "DSDT"),
		.x_pm1a_event = io_address(PORT_PM1_EVENT, 32, 2),
		.x_pm1a_control = io_address(PORT_PM1_CNTRL, 16, 2),
		.x_pm_timer = io_address(PORT_PM_TIMER, 32, 3),
	};

	header_begin(a, "FACP", 6);
	blob_put(&a->blob, &f, sizeof(f));
	header_end(a);
}

static void madt_cpus(struct blob *b, const struct topology *t)
{
	unsigned int cpu;

	for (cpu = 0; cpu < topology_cpus(t); cpu++) {
		struct madt_lapic l = {.type = 0,
				       .length = sizeof(l),
				       .uid = cpu,
				       .apic_id = apic_id(t, cpu),
				       .flags = 1};
		struct madt_x2apic x = {.type = 9,
					.length = sizeof(x),
					.apic_id = apic_id(t, cpu),
					.flags = 1,
					.uid = cpu};

		if (cpu_needs_x2apic(t, cpu))
			blob_put(b, &x, sizeof(x));
		else
			blob_put(b, &l, sizeof(l));
	}
}

static void madt_build(struct acpi_tables *a, const struct machine *m)
{
	const struct topology *t = &m->topology;
	bool wide = apic_id_max(t) > APIC_ID_MAX_8BIT;
	struct madt_head head = {.lapic = LAPIC_BASE, .flags = wide ? 0 : 1 /* has PICs */};
	struct madt_ioapic io = {
		.type = 1, .length = sizeof(io), .id = IOAPIC_ID, .address = IOAPIC_BASE};
	struct madt_override sci = {.type = 2,
				    .length = sizeof(sci),
				    .source = GSI_SCI,
				    .gsi = GSI_SCI,
				    .flags = 0xd /* level-triggered, active high */};
	struct madt_lapic_nmi nmi = {.type = 4, .length = sizeof(nmi), .uid = 0xff, .lint = 1};
	struct madt_x2apic_nmi wide_nmi = {
		.type = 0xa, .length = sizeof(wide_nmi), .uid = 0xffffffff, .lint = 1};

	header_begin(a, "APIC", 5);
	blob_put(&a->blob, &head, sizeof(head));
	madt_cpus(&a->blob, t);
	blob_put(&a->blob, &io, sizeof(io));
	blob_put(&a->blob, &sci, sizeof(sci));
	blob_put(&a->blob, &nmi, sizeof(nmi));
	if (wide)
		blob_put(&a->blob, &wide_nmi, sizeof(wide_nmi));
	header_end(a);
}

static void srat_memory(struct blob *b, unsigned int node, uint64_t base, uint64_t len)
{
	struct srat_memory s = {
		.type = 1, .length = sizeof(s), .node = node, .base = base, .len = len, .flags = 1};

	if (len)
		blob_put(b, &s, sizeof(s));
}

static void srat_cpu(struct blob *b, const struct topology *t, unsigned int cpu)
{
	unsigned int node = cpu / topology_node_cpus(t);
	struct srat_lapic l = {.type = 0,
			       .length = sizeof(l),
			       .node_low = node,
			       .apic_id = apic_id(t, cpu),
			       .flags = 1,
			       .node_high = {node >> 8, node >> 16, node >> 24}};
	struct srat_x2apic x = {.type = 2,
				.length = sizeof(x),
				.node = node,
				.apic_id = apic_id(t, cpu),
				.flags = 1};

	if (cpu_needs_x2apic(t, cpu))
		blob_put(b, &x, sizeof(x));
	else
		blob_put(b, &l, sizeof(l));
}

static void srat_build(struct acpi_tables *a, const struct machine *m)
{
	static const uint8_t head[12] = {1};
	uint64_t below = kvm_ram_below_4g(m), at = 0;
	unsigned int i;

	header_begin(a, "SRAT", 3);
	blob_put(&a->blob, head, sizeof(head));
	for (i = 0; i < topology_cpus(&m->topology); i++)
		srat_cpu(&a->blob, &m->topology, i);
	for (i = 0; i < m->nodes; i++) {
		uint64_t len = m->node_memory[i];
		uint64_t low = at >= below ? 0 : len < below - at ? len : below - at;

		srat_memory(&a->blob, i, at, low);
		srat_memory(&a->blob, i, at + low - below + RAM_ABOVE_4G, len - low);
		at += len;
	}
	header_end(a);
}

static void slit_build(struct acpi_tables *a, const struct machine *m)
{
	unsigned int i;

	header_begin(a, "SLIT", 1);
	blob_put64(&a->blob, m->nodes);
	for (i = 0; i < m->nodes; i++)
		blob_put(&a->blob, m->distance[i], m->nodes);
	header_end(a);
}

/* One matrix: from each node with CPUs to each node. */
static void hmat_matrix(struct blob *b, const struct machine *m, uint8_t type, uint64_t unit,
			const uint32_t value[][MACHINE_MAX_NODES])
{
	unsigned int from = m->topology.numa_nodes, to = m->nodes, i, j;
	struct hmat_matrix h = {
		.type = 1,
		.length = sizeof(h) + 4 * from + 4 * to + 2 * from * to,
		.data_type = type,
		.initiators = from,
		.targets = to,
		.unit = unit,
	};

	blob_put(b, &h, sizeof(h));
	for (i = 0; i < from; i++)
		blob_put32(b, i);
	for (i = 0; i < to; i++)
		blob_put32(b, i);
	for (i = 0; i < from; i++) {
		for (j = 0; j < to; j++)
			blob_put16(b, value[i][j]);
	}
}

static void hmat_build(struct acpi_tables *a, const struct machine *m)
{
	unsigned int i;

	header_begin(a, "HMAT", 2);
	blob_put32(&a->blob, 0);
	for (i = 0; i < m->nodes; i++) {
		struct hmat_domain d = {.length = sizeof(d),
					.flags = 1, /* the initiator is told */
					.initiator = machine_initiator(m, i),
					.memory = i};

		blob_put(&a->blob, &d, sizeof(d));
	}
	hmat_matrix(&a->blob, m, HMAT_LATENCY, HMAT_PICOSECONDS, m->latency_ns);
	hmat_matrix(&a->blob, m, HMAT_BANDWIDTH, 1, m->bandwidth_mbs);
	header_end(a);
}

static void mcfg_build(struct acpi_tables *a)
{
	struct mcfg_body body = {.base = PCI_ECAM_BASE};

	header_begin(a, "MCFG", 1);
	blob_put(&a->blob, &body, sizeof(body));
	header_end(a);
}

static void xsdt_build(struct acpi_tables *a)
{
	unsigned int i, n = a->n;

	header_begin(a, "XSDT", 1);
	for (i = 0; i < n; i++) {
		const char *name = a->table[i].name;

		if (strcmp(name, "RSDP") && strcmp(name, "DSDT") && strcmp(name, "FACS"))
			blob_put64(&a->blob, a->base + a->table[i].offset);
	}
	header_end(a);
}

void acpi_tables_build(struct acpi_tables *a, const struct machine *m, uint64_t base)
{
	struct acpi_rsdp rsdp = {
		.signature = "RSD PTR ", .oem_id = "KT", .revision = 2, .length = sizeof(rsdp)};

	*a = (struct acpi_tables){.base = base};
	table_begin(a, "RSDP");
	blob_put(&a->blob, &rsdp, sizeof(rsdp));
	table_end(a);
	dsdt_build(a);
	facs_build(a);
	fadt_build(a);
	madt_build(a, m);
	srat_build(a, m);
	if (m->nodes > 1)
		slit_build(a, m);
	if (m->hmat)
		hmat_build(a, m);
	mcfg_build(a);
	xsdt_build(a);
	rsdp.xsdt = table_address(a, "XSDT");
	checksum_set((uint8_t *)&rsdp, RSDP_V1_LENGTH, offsetof(struct acpi_rsdp, checksum));
	checksum_set((uint8_t *)&rsdp, sizeof(rsdp), offsetof(struct acpi_rsdp, long_checksum));
	memcpy(a->blob.data, &rsdp, sizeof(rsdp));
}

void acpi_tables_free(struct acpi_tables *a)
{
	blob_free(&a->blob);
}

int acpi_load(struct kvm_vm *vm, uint64_t *base, uint64_t *len)
{
	_cleanup_(acpi_tables_free) struct acpi_tables a;

	acpi_tables_build(&a, vm->config->machine, ACPI_BASE);
	if (a.blob.len > ACPI_END - ACPI_BASE) {
		acpi_tables_free(&a);
		acpi_tables_build(&a, vm->config->machine, HIGH_RAM_BASE);
	}
	*base = a.base;
	*len = a.blob.len;
	memcpy(kvm_ram_at(vm, a.base, a.blob.len), a.blob.data, a.blob.len);
	return 0;
}
