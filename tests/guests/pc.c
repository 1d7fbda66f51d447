// SPDX-License-Identifier: GPL-2.0
/* A guest that looks at the small devices of a PC and at the PCI bus, and asks them odd things. */
#include <linux/pci_regs.h>
#include <linux/serial_reg.h>

#include "driver.h"
#include "guest.h"

#define COM1	    0x3f8
#define RTC	    0x70
#define KEYBOARD    0x60
#define PM1_EVENT   0x600
#define PM1_CONTROL 0x604
#define PM_TIMER    0x608
#define ECAM	    0xe0000000u
#define PCI_WINDOW  0xc0000000u
#define NO_FUNCTION 0xffffffffu

static uint32_t serial_in(unsigned int reg)
{
	return port_in(COM1 + reg, 1);
}

static void serial_out(unsigned int reg, uint32_t value)
{
	port_out(COM1 + reg, value, 1);
}

static void serial(void)
{
	uint32_t seen, again;

	serial_out(UART_SCR, 0x5a);
	check_equal(serial_in(UART_SCR), 0x5a, "the serial port's scratch register keeps a byte");
	serial_out(UART_FCR, UART_FCR_ENABLE_FIFO);
	check_equal(serial_in(UART_IIR) & 0xc0, 0xc0, "it is a 16550A with FIFOs");
	serial_out(UART_LCR, UART_LCR_DLAB);
	serial_out(UART_DLL, 0x34);
	serial_out(UART_DLM, 0x12);
	seen = serial_in(UART_DLL) | serial_in(UART_DLM) << 8;
	serial_out(UART_LCR, 3);
	check_equal(seen, 0x1234, "its divisor is kept");
	serial_out(UART_IER, 0xff);
	check_equal(serial_in(UART_IER), 0x0f,
		    "only the four interrupts that it has can be enabled");
	serial_out(UART_IER, UART_IER_THRI);
	seen = serial_in(UART_IIR) & 0x0f;
	again = serial_in(UART_IIR) & 0x0f;
	serial_out(UART_IER, 0);
	check_equal(seen, UART_IIR_THRI, "enabling its interrupt tells that it has sent all");
	check_equal(again, UART_IIR_NO_INT, "and reading that takes it back");
	serial_out(UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_RTS);
	seen = serial_in(UART_MSR) & 0xf0;
	serial_out(UART_TX, 'x');
	again = serial_in(UART_LSR) & UART_LSR_DR ? serial_in(UART_RX) : 0;
	serial_out(UART_MCR, 0);
	check_equal(seen, UART_MSR_DCD | UART_MSR_CTS, "in loopback its modem lines are its own");
	check_equal(again, 'x', "and it hears itself");
	check_equal(serial_in(UART_LSR) & UART_LSR_DR, 0, "otherwise it hears nothing");
}

static uint32_t rtc_in(unsigned int reg)
{
	port_out(RTC, reg, 1);
	return port_in(RTC + 1, 1);
}

static void rtc_out(unsigned int reg, uint32_t value)
{
	port_out(RTC, reg, 1);
	port_out(RTC + 1, value, 1);
}

static bool bcd_within(uint32_t v, uint32_t low, uint32_t high)
{
	return (v & 15) < 10 && v >> 4 < 10 && (v >> 4) * 10 + (v & 15) >= low &&
	       (v >> 4) * 10 + (v & 15) <= high;
}

static void clock(void)
{
	unsigned int reg;

	check(bcd_within(rtc_in(0), 0, 59) && bcd_within(rtc_in(2), 0, 59) &&
		      bcd_within(rtc_in(4), 0, 23) && bcd_within(rtc_in(7), 1, 31) &&
		      bcd_within(rtc_in(8), 1, 12),
	      "the clock tells a time of day and a date");
	check(bcd_within(rtc_in(50), 20, 21) && bcd_within(rtc_in(9), 0, 99), "of this century");
	check_equal(rtc_in(10) & 0x80, 0, "it is never about to change");
	check_equal(rtc_in(13), 0x80, "its battery is good");
	rtc_out(11, 0x82);
	rtc_out(9, 0x99);
	check_equal(rtc_in(9), 0x99, "it can be set");
	rtc_out(11, 0x02);
	check_equal(rtc_in(9), 0x99, "and goes on from there");
	for (reg = 0; reg < 256; reg++)
		rtc_out(reg, 0xff);
	for (reg = 0; reg < 256; reg++)
		(void)rtc_in(reg);
	rtc_out(11, 0x02);
	check_equal(rtc_in(13), 0x80, "junk in all its registers does not hurt it");
	rtc_out(15, 0x0a);
	check_equal(rtc_in(15), 0x0a, "its RAM keeps a byte");
}

static void keyboard(void)
{
	unsigned int c;

	check_equal(port_in(KEYBOARD + 4, 1) & 3, 0, "the keyboard controller has nothing to say");
	port_out(KEYBOARD + 4, 0xaa, 1);
	check_equal(port_in(KEYBOARD + 4, 1) & 1, 1, "told to test itself, it has");
	check_equal(port_in(KEYBOARD, 1), 0x55, "namely that it is well");
	port_out(KEYBOARD, 0xf2, 1);
	check_equal(port_in(KEYBOARD + 4, 1) & 0x41, 0x41, "no keyboard answers");
	(void)port_in(KEYBOARD, 1);
	/* All commands but those that pulse the reset line, each with a parameter that does not. */
	for (c = 0; c < 0xf0; c++) {
		port_out(KEYBOARD + 4, c, 1);
		port_out(KEYBOARD, 0xff, 1);
		(void)port_in(KEYBOARD, 1);
	}
	port_out(KEYBOARD + 4, 0x60, 1);
	port_out(KEYBOARD, 0x30, 1);
	port_out(KEYBOARD + 4, 0x20, 1);
	check_equal(port_in(KEYBOARD, 1), 0x30, "junk commands do not hurt it");
}

static void power(void)
{
	uint32_t from = port_in(PM_TIMER, 4), to = from;
	unsigned int i;

	for (i = 0; i < 100000 && to == from; i++)
		to = port_in(PM_TIMER, 4);
	check(to != from, "the power management timer runs");
	check_equal((to | from) >> 24, 0, "in 24 bits");
	check_equal(port_in(PM1_CONTROL, 2) & 1, 1, "ACPI mode is on");
	port_out(PM1_EVENT + 2, 0xffff, 2);
	check_equal(port_in(PM1_EVENT + 2, 2), 0x4720, "the events that there are can be enabled");
	port_out(PM1_EVENT, 0xffff, 4);
	port_out(PM1_EVENT + 2, 0, 2);
	check_equal(port_in(PM1_EVENT, 4), 0, "and none happens");
	/* Sleeping states other than S5 do not exist. */
	port_out(PM1_CONTROL, 1u << 13 | 1u << 10, 2);
	check(true, "asked for S1 the machine goes on");
}

static uint32_t bar_size(unsigned int slot, unsigned int reg)
{
	uint32_t was = pci_in(slot, reg, 4), mask;

	pci_out(slot, reg, 0xffffffff, 4);
	mask = pci_in(slot, reg, 4);
	pci_out(slot, reg, was, 4);
	check_equal(pci_in(slot, reg, 4), was, "a BAR keeps the address that is written back");
	return -(mask & ~15u);
}

static void pci_mechanism(void)
{
	uint32_t is, want;

	port_out(0xcf8, 0x80000000, 4);
	check_equal(port_in(0xcf8, 4), 0x80000000, "the PCI address register keeps a dword");
	port_out(0xcfb, 1, 1);
	check_equal(port_in(0xcf8, 4), 0x80000000, "and only a dword");
	port_out(0xcf8, 0x80000000 | 1 << 16, 4);
	check_equal(port_in(0xcfc, 4), NO_FUNCTION, "a second bus is not there");
	port_out(0xcf8, 0x80000000 | 1 << 8, 4);
	check_equal(port_in(0xcfc, 4), NO_FUNCTION, "nor a second function");
	port_out(0xcf8, 0, 4);
	check_equal(port_in(0xcfc, 4), NO_FUNCTION, "without the enable bit nothing is selected");
	is = mmio_in(ECAM + PCI_VENDOR_ID, 4);
	want = pci_in(0, PCI_VENDOR_ID, 4);
	check_equal(is, want, "ECAM shows the same functions");
	check_equal(mmio_in(ECAM + 0x100, 4), NO_FUNCTION, "without extended registers");
	check_equal(mmio_in(ECAM + (31u << 15), 4), NO_FUNCTION, "and none in the last slot");
	check_equal(pci_in(0, PCI_CLASS_DEVICE, 2), 0x0600, "slot 0 is a host bridge");
}

static void pci_console(void)
{
	int slot = pci_find(VIRTIO_CONSOLE_PCI_ID);
	unsigned int cap, n = 0, msix = 0;
	uint32_t table, size;

	check(slot > 0, "a virtio console is on the bus");
	if (slot < 0)
		return;
	check_equal(pci_in(slot, PCI_HEADER_TYPE, 1), 0, "of a plain header");
	check_equal(pci_in(slot, PCI_INTERRUPT_PIN, 1), 1, "with the interrupt pin A");
	size = bar_size(slot, PCI_BASE_ADDRESS_0);
	check(size >= PAGE && !(size & (size - 1)), "its first BAR has a size");
	table = pci_in(slot, PCI_BASE_ADDRESS_1, 4);
	check(table >= PCI_WINDOW && table < ECAM, "its second BAR has an address");
	for (cap = pci_in(slot, PCI_CAPABILITY_LIST, 1); cap && n < 48; n++) {
		if (pci_in(slot, cap, 1) == PCI_CAP_ID_MSIX)
			msix = cap;
		cap = pci_in(slot, cap + 1, 1);
	}
	check(!cap && n >= 6, "its list of capabilities ends");
	check(msix, "one of them is MSI-X");
	pci_out(slot, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	check_equal(mmio_in(table + 12, 4), 1, "vectors are masked at first");
	mmio_out(table, 0xfee01003, 4);
	mmio_out(table + 8, 0x1234, 4);
	check_equal(mmio_in(table, 4), 0xfee01000, "a vector keeps its address");
	check_equal(mmio_in(table + 8, 4), 0x1234, "and its data");
	mmio_out(table + 4, 0xffffffff, 4);
	mmio_out(table + 12, 0xffffffff, 4);
	check_equal(mmio_in(table + 12, 4), 1, "of its control only the mask");
	pci_out(slot, msix + PCI_MSIX_FLAGS, 0xffff, 2);
	check_equal(pci_in(slot, msix + PCI_MSIX_FLAGS, 2) & 0xf800, 0xc000,
		    "MSI-X can be enabled and masked as a whole");
	pci_out(slot, msix + PCI_MSIX_FLAGS, 0, 2);
	pci_out(slot, PCI_COMMAND, 0, 2);
	check_equal(mmio_in(table + 8, 4), NO_FUNCTION, "without decoding the BARs are gone");
}

void guest_main(const struct guest_boot *boot)
{
	(void)boot;
	serial();
	clock();
	keyboard();
	power();
	pci_mechanism();
	pci_console();
	check_equal(port_in(0x2f8, 1), 0xff, "where nobody is, all bits read as one");
	port_out(0x80, 0, 1);
	check(true, "a POST code is nobody's business");
}
