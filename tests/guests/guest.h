/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest without a kernel: what it checks is reported on the serial port as it happens (TAP), and
 * at the end as the run's output over the virtio console, as kt-init does. Its exit status is 0
 * when all was right.
 */
#ifndef KT_GUEST_H
#define KT_GUEST_H

#include "io.h"

#define PAGE 4096u

/* Where the boot protocol put things; physical addresses below 4 GiB. */
struct guest_boot {
	uint32_t cmdline, rsdp, initramfs, initramfs_size;
};

/* The guest's own part. */
void guest_main(const struct guest_boot *boot);

/* Text for people, on the serial port and in the report. */
void say(const char *text);
void say_hex(uint32_t value);

/* Let so many MiB of the same 64 KiB follow the report. */
void guest_flood(uint32_t mib);

/* Data, which is in the report alone. */
void tell(const char *text);
void tell_number(uint32_t value, unsigned int base); /* 10 or 16 */

/* check() with a number that tells more when it is not right. */
void check_equal(uint32_t is, uint32_t expected, const char *what);

#endif
