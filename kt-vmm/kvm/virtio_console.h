/* SPDX-License-Identifier: GPL-2.0 */
/* The virtio console device with several named ports (VIRTIO 1.2, 5.3), each to a socket. */
#ifndef KT_VIRTIO_CONSOLE_H
#define KT_VIRTIO_CONSOLE_H

#include "kvm.h"

#define CONSOLE_MAX_PORTS 31

/* Port 0 stays unused, as drivers may take it for a terminal: the first one has number 1. */
struct console_port {
	const char *name; /* kept, not copied */
	int fd;		  /* end of a stream socket, duplicated; -1: nobody listens */
};

/* The device of kvm_virtio_console, with these ports. 0 or -errno. */
int virtio_console_create(struct kvm_vm *vm, const struct console_port *ports, unsigned int n,
			  void **dev);

#endif
