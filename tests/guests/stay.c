// SPDX-License-Identifier: GPL-2.0
/* A guest that stays, and goes on using its devices: serial port, clock, PM timer, PCI, console. */
#include <linux/serial_reg.h>

#include "abuse.h"
#include "driver.h"
#include "guest.h"

#define COM1	 0x3f8
#define RTC	 0x70
#define PM_TIMER 0x608

void guest_main(const struct guest_boot *boot)
{
	unsigned int i;

	(void)boot;
	abuse_all(); /* once, all that the console can be brought to do */
	say("# staying\n");
	for (;;) {
		for (i = 0; i < 10; i++) {
			port_out(RTC, i, 1);
			port_in(RTC + 1, 1);
		}
		port_in(PM_TIMER, 4);
		pci_in(1, 0, 4);
		port_out(COM1 + UART_TX, '.', 1);
	}
}
