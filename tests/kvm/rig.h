/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine without CPUs around the kvm engine's devices: it has their bus and RAM, and the test
 * reaches them as a vCPU would (tests/guests/io.h). One at a time.
 */
#ifndef KT_RIG_H
#define KT_RIG_H

#include "kvm/kvm.h"
#include "kvm/virtio_console.h"

#define RIG_RAM	  (16u << 20) /* bytes from 0 on */
#define RIG_SPLIT (8u << 20)  /* where a second piece begins: the two lie apart on the host */
#define RIG_LINES 24

struct rig {
	struct kvm_vm *vm;
	int console, channel; /* our ends: what the devices wrote, and speak with */
	/* What the devices did. */
	bool powered_off;
	bool line[RIG_LINES];
	unsigned int raised[RIG_LINES]; /* how often each went up */
	unsigned int messages;		/* MSIs */
	uint64_t message_address;
	uint32_t message_data;
	bool in_kernel; /* take ioeventfds; set before rig_open() */
};

/*
 * Make it. @console is what the serial port writes to, -1 for a file of our own. Aborts when it
 * cannot be made. rig_close() takes all apart.
 */
void rig_open(struct rig *r, int console);
void rig_close(struct rig *r);

/* Put a virtio console with these ports in the place of the one that is there. 0 or -errno: none.
 */
int rig_console_ports(const struct console_port *ports, unsigned int n);

/* Serve the devices' descriptors until none is ready. */
void rig_serve(void);

/* What the console has got so far, a string to free. */
char *rig_console(struct rig *r);

/* A test of its own file. */
void test_console_ports(struct rig *r);

#endif
