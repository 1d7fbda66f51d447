/* SPDX-License-Identifier: GPL-2.0 */
/* The tests' driver of the virtio console, as far as one port goes. */
#ifndef KT_GUEST_VCONSOLE_H
#define KT_GUEST_VCONSOLE_H

#include "driver.h"

#define VCONSOLE_FEATURES \
	(1ULL << 32 | 1ULL << 28 | 1ULL << 1) /* VERSION_1, INDIRECT_DESC, MULTIPORT */
#define VCONSOLE_EVENT_INDEX (1ULL << 29)

struct vconsole {
	struct vdev d;
	struct vqueue control_in, control_out, in, out;
	uint32_t id; /* of the port */
	bool host_open;
	char name[32];
};

/* Begin the device and its control queues, from whatever state; no port yet. False if it fails. */
bool vconsole_begin(struct vconsole *c, uint64_t features);

/* Say that the driver is ready, learn of port @id and open it. */
bool vconsole_open(struct vconsole *c, uint32_t id);

/* Send a control message; take the next one for the port. False when there is none. */
bool vconsole_say(struct vconsole *c, uint32_t id, uint16_t event, uint16_t value);
bool vconsole_hear(struct vconsole *c, uint32_t *id, uint16_t *event, uint16_t *value);

/* Send up to QUEUE_BUFFER bytes and wait until they are taken; receive up to as many. */
bool vconsole_send(struct vconsole *c, const void *data, uint32_t len);
bool vconsole_receive(struct vconsole *c, void *data, uint32_t size, uint32_t *len);

#endif
