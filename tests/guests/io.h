/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How the tests' drivers reach a machine: guest.c does it with instructions, tests/kvm/rig.c by
 * calling the bus of a machine without CPUs.
 */
#ifndef KT_GUEST_IO_H
#define KT_GUEST_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* @len is 1, 2 or 4. */
uint32_t port_in(uint16_t port, unsigned int len);
void port_out(uint16_t port, uint32_t value, unsigned int len);
uint32_t mmio_in(uint32_t address, unsigned int len);
void mmio_out(uint32_t address, uint32_t value, unsigned int len);

/* RAM at a physical address. */
void *ram(uint32_t gpa);

/* Let the machine get on, a little. */
void io_pause(void);

/* One more thing was seen to be right, or not. What it is, in words, is said either way. */
void check(bool right, const char *what);

/* memcpy(3) and memset(3) are there in both. */
void *memcpy(void *to, const void *from, size_t len);
void *memset(void *to, int c, size_t len);

#endif
