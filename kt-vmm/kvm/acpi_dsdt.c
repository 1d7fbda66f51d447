// SPDX-License-Identifier: GPL-2.0
/* The DSDT: power-off, the PCI root, the serial port and the clock. */
#include "acpi.h"
#include "aml.h"
#include "platform.h"

#define PCI_SLOTS 32
#define PCI_PINS  4

static void serial_describe(struct blob *b)
{
	size_t dev = aml_device_begin(b, "COM1"), crs;

	aml_name_eisaid(b, "_HID", "PNP0501");
	aml_name_integer(b, "_UID", 1);
	crs = aml_resources_begin(b);
	aml_io(b, PORT_COM1, 8);
	aml_irq(b, GSI_COM1);
	aml_resources_end(b, crs);
	aml_end(b, dev);
}

static void rtc_describe(struct blob *b)
{
	size_t dev = aml_device_begin(b, "RTC_"), crs;

	aml_name_eisaid(b, "_HID", "PNP0B00");
	crs = aml_resources_begin(b);
	aml_io(b, PORT_RTC, 2);
	aml_irq(b, GSI_RTC);
	aml_resources_end(b, crs);
	aml_end(b, dev);
}

/* ACPI 6.5 6.2.13: device address (all functions), pin, no link device, GSI. */
static void pci_routes(struct blob *b)
{
	uint64_t rows[PCI_SLOTS * PCI_PINS][4];
	unsigned int slot, pin, n = 0;

	for (slot = 0; slot < PCI_SLOTS; slot++) {
		for (pin = 0; pin < PCI_PINS; pin++, n++) {
			rows[n][0] = (uint64_t)slot << 16 | 0xffff;
			rows[n][1] = pin;
			rows[n][2] = 0;
			rows[n][3] = GSI_PCI + (slot + pin) % PCI_PINS;
		}
	}
	aml_name_rows(b, "_PRT", rows, n);
}

static void pci_describe(struct blob *b)
{
	size_t dev = aml_device_begin(b, "PCI0"), crs;

	aml_name_eisaid(b, "_HID", "PNP0A03");
	aml_name_integer(b, "_UID", 0);
	aml_name_integer(b, "_BBN", 0);
	crs = aml_resources_begin(b);
	aml_bus_window(b, 0, 0);
	aml_memory_window(b, PCI_MMIO_BASE, PCI_ECAM_BASE - 1);
	aml_resources_end(b, crs);
	pci_routes(b);
	aml_end(b, dev);
}

void acpi_dsdt_body(struct blob *b)
{
	static const uint64_t s5[] = {SLEEP_TYPE_S5, SLEEP_TYPE_S5, 0, 0};
	size_t scope;

	aml_name_integers(b, "_S5_", s5, sizeof(s5) / sizeof(s5[0]));
	scope = aml_scope_begin(b, "_SB_");
	pci_describe(b);
	serial_describe(b);
	rtc_describe(b);
	aml_end(b, scope);
}
