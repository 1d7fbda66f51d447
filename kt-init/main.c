// SPDX-License-Identifier: GPL-2.0
/*
 * kt-init: PID 1 of a kt guest. Mounts what programs expect, starts the scheduler under test, runs
 * one command, sends its output and how it ended to the host, and powers off.
 */
#include <errno.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "diag.h"
#include "exits.h"
#include "init.h"
#include "options.h"

/* Power off; with a broken machine fall back to a halt that the host sees as a silent death. */
static void power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	struct options o = {
		.synopsis = "",
		.summary = "Runs as PID 1 of a guest that kt-vmm booted; it has no use elsewhere.",
		.argc = argc,
		.argv = argv,
	};
	struct guestconf conf = {0};
	const char *value;
	int err, port;

	diag_init("kt-init");
	if (getpid() != 1) {
		options_next(&o, &value);
		die(EXIT_USAGE, "expected to be PID 1 of a guest: kt-vmm starts it");
	}
	err = guestconf_read(&conf, GUESTCONF_PATH);
	if (err) {
		warn("%s: %s", GUESTCONF_PATH, strerror(-err));
		power_off();
	}
	guest_mount_all();
	guest_loopback_up();
	port = port_open(GUEST_PORT_NAME);
	if (port < 0)
		warn("virtio-serial port '%s': %s", GUEST_PORT_NAME, strerror(-port));
	else
		run(&conf, port);
	power_off();
}
