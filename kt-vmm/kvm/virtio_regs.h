/* SPDX-License-Identifier: GPL-2.0 */
/* The common configuration structure (VIRTIO 1.2, 4.1.4.3), and the transport that it steers. */
#ifndef KT_VIRTIO_REGS_H
#define KT_VIRTIO_REGS_H

#include "virtio_pci.h"

/* As a guest's access to the structure; @offset from its beginning, any @len. */
void virtio_regs_read(struct virtio_pci *v, uint64_t offset, void *data, unsigned int len);
void virtio_regs_write(struct virtio_pci *v, uint64_t offset, const void *data, unsigned int len);

/* As a guest's writing 0 to the device status. */
void virtio_reset(struct virtio_pci *v);

/* Of virtio_pci.c, for the above: which queues KVM is to kick has changed; send the interrupt of a
 * configuration change; take back what the ISR register says. */
void virtio_kicks_update(struct virtio_pci *v);
void virtio_config_interrupt(struct virtio_pci *v);
void virtio_isr_clear(struct virtio_pci *v);

#endif
