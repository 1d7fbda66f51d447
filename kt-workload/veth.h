/* SPDX-License-Identifier: GPL-2.0 */
/* A network of a worker's own: a namespace with a pair of virtual Ethernet devices, or loopback. */
#ifndef KT_VETH_H
#define KT_VETH_H

#include <stdbool.h>

#define VETH_ETHERTYPE 0x88b5 /* IEEE 802: local experimental */

/* Interface numbers of the two ends; the same twice for loopback. */
struct veth {
	bool is_veth;
	int ends[2];
};

/*
 * Make a veth pair in the caller's network namespace and bring it up; where the kernel has no veth,
 * bring up loopback instead. Returns 0 or -errno.
 */
int veth_open(struct veth *v);

/*
 * A packet socket (packet(7)) on the interface @index for frames of VETH_ETHERTYPE; it does not see
 * what goes out. Returns it or -errno.
 */
int veth_socket(int index);

/* Send a frame of @size bytes (at least 14) from @buf through @fd to whoever listens. 0 or -errno.
 */
int veth_send(int fd, int index, const void *buf, int size);

#endif
