/* SPDX-License-Identifier: GPL-2.0 */
/* The tables' layout, from ACPI 6.5 chapter 5.2; each struct names its section. */
#ifndef KT_ACPI_LAYOUT_H
#define KT_ACPI_LAYOUT_H

#include <stdint.h>

#define PACKED __attribute__((packed))

struct acpi_rsdp { /* 5.2.5.3 */
	char signature[8] __attribute__((nonstring));
	uint8_t checksum; /* of the first RSDP_V1_LENGTH bytes */
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt, length;
	uint64_t xsdt;
	uint8_t long_checksum, reserved[3];
} PACKED;

#define RSDP_V1_LENGTH 20

struct acpi_header { /* 5.2.6 */
	char signature[4] __attribute__((nonstring));
	uint32_t length;
	uint8_t revision, checksum;
	char oem_id[6], oem_table[8];
	uint32_t oem_revision;
	char creator[4];
	uint32_t creator_revision;
} PACKED;

#define ACPI_SPACE_IO 1

struct acpi_address { /* 5.2.3.2, generic address structure */
	uint8_t space, bits, bit_offset, access;
	uint64_t address;
} PACKED;

/* Boot architecture and fixed feature flags, 5.2.9.3 and 5.2.9. */
#define FADT_LEGACY_DEVICES  (1 << 0)
#define FADT_NO_VGA	     (1 << 2)
#define FADT_WBINVD	     (1U << 0)
#define FADT_PROC_C1	     (1U << 2)
#define FADT_NO_POWER_BUTTON (1U << 4) /* no fixed one */
#define FADT_NO_SLEEP_BUTTON (1U << 5)
#define FADT_RESET_REGISTER  (1U << 10)

struct acpi_fadt { /* 5.2.9, behind the header */
	uint32_t facs, dsdt;
	uint8_t reserved0, profile;
	uint16_t sci_irq;
	uint32_t smi_command;
	uint8_t acpi_enable, acpi_disable, s4bios, pstate_control;
	uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer;
	uint32_t gpe0, gpe1;
	uint8_t pm1_event_len, pm1_control_len, pm2_control_len, pm_timer_len;
	uint8_t gpe0_len, gpe1_len, gpe1_base, cst_control;
	uint16_t c2_latency, c3_latency, flush_size, flush_stride;
	uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
	uint16_t boot_flags;
	uint8_t reserved1;
	uint32_t flags;
	struct acpi_address reset;
	uint8_t reset_value;
	uint16_t arm_boot_flags;
	uint8_t minor;
	uint64_t x_facs, x_dsdt;
	struct acpi_address x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control;
	struct acpi_address x_pm2_control, x_pm_timer, x_gpe0, x_gpe1;
	struct acpi_address sleep_control, sleep_status;
	uint64_t hypervisor_vendor;
} PACKED;

struct acpi_facs { /* 5.2.10 */
	char signature[4] __attribute__((nonstring));
	uint32_t length, hardware, waking_vector, global_lock, flags;
	uint64_t x_waking_vector;
	uint8_t version, reserved[31];
} PACKED;

struct madt_head { /* 5.2.12, behind the header; its entries 5.2.12.2 and on */
	uint32_t lapic, flags;
} PACKED;

struct madt_lapic {
	uint8_t type, length, uid, apic_id;
	uint32_t flags;
} PACKED;

struct madt_ioapic {
	uint8_t type, length, id, reserved;
	uint32_t address, gsi_base;
} PACKED;

struct madt_override {
	uint8_t type, length, bus, source;
	uint32_t gsi;
	uint16_t flags;
} PACKED;

struct madt_lapic_nmi {
	uint8_t type, length, uid;
	uint16_t flags;
	uint8_t lint;
} PACKED;

struct madt_x2apic {
	uint8_t type, length;
	uint16_t reserved;
	uint32_t apic_id, flags, uid;
} PACKED;

struct madt_x2apic_nmi {
	uint8_t type, length;
	uint16_t flags;
	uint32_t uid;
	uint8_t lint, reserved[3];
} PACKED;

struct srat_lapic { /* 5.2.16.1 */
	uint8_t type, length, node_low, apic_id;
	uint32_t flags;
	uint8_t sapic_eid, node_high[3];
	uint32_t clock_domain;
} PACKED;

struct srat_memory { /* 5.2.16.2 */
	uint8_t type, length;
	uint32_t node;
	uint16_t reserved0;
	uint64_t base, len;
	uint32_t reserved1, flags;
	uint64_t reserved2;
} PACKED;

struct srat_x2apic { /* 5.2.16.3 */
	uint8_t type, length;
	uint16_t reserved0;
	uint32_t node, apic_id, flags, clock_domain, reserved1;
} PACKED;

#define HMAT_LATENCY	 0 /* of reads and writes, 5.2.27.4 */
#define HMAT_BANDWIDTH	 3
#define HMAT_PICOSECONDS 1000 /* the unit of latencies, so that an entry is one of ns */

struct hmat_domain { /* 5.2.27.3 */
	uint16_t type, reserved0;
	uint32_t length;
	uint16_t flags, reserved1;
	uint32_t initiator, memory, reserved2;
	uint64_t reserved3[2];
} PACKED;

struct hmat_matrix { /* 5.2.27.4; initiators, targets and 16-bit entries follow */
	uint16_t type, reserved0;
	uint32_t length;
	uint8_t flags, data_type, transfer, reserved1;
	uint32_t initiators, targets, reserved2;
	uint64_t unit;
} PACKED;

struct mcfg_body { /* PCI Firmware Specification 3.3, 4.1.2; one segment, bus 0 only */
	uint64_t reserved0, base;
	uint16_t segment;
	uint8_t first_bus, last_bus;
	uint32_t reserved1;
} PACKED;

#endif
