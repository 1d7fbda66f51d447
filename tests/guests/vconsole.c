// SPDX-License-Identifier: GPL-2.0
#include "vconsole.h"

#include <linux/virtio_console.h>
#include <linux/virtio_ring.h>

#define CONTROL_IN  2
#define CONTROL_OUT 3

/* Put all of a receive queue's buffers on offer. */
static void queue_fill(struct vqueue *q)
{
	unsigned int i;

	for (i = 0; i < q->size; i++) {
		vqueue_desc(q, i, vqueue_buffer(q, i), QUEUE_BUFFER, VRING_DESC_F_WRITE, 0);
		vqueue_offer(q, i);
	}
	vqueue_kick(q);
}

bool vconsole_begin(struct vconsole *c, uint64_t features)
{
	*c = (struct vconsole){0};
	if ((!vdev_find(&c->d, VIRTIO_CONSOLE_PCI_ID) &&
	     !vdev_find(&c->d, VIRTIO_CONSOLE_TRANSITIONAL_ID)) ||
	    !vdev_begin(&c->d, features))
		return false;
	vqueue_begin(&c->control_in, &c->d, CONTROL_IN);
	vqueue_begin(&c->control_out, &c->d, CONTROL_OUT);
	vqueue_begin(&c->in, &c->d, 4);
	vqueue_begin(&c->out, &c->d, 5);
	vdev_go(&c->d);
	queue_fill(&c->control_in);
	queue_fill(&c->in);
	return true;
}

bool vconsole_say(struct vconsole *c, uint32_t id, uint16_t event, uint16_t value)
{
	struct virtio_console_control m = {id, event, value};
	struct vqueue *q = &c->control_out;

	memcpy(ram(vqueue_buffer(q, 0)), &m, sizeof(m));
	vqueue_desc(q, 0, vqueue_buffer(q, 0), sizeof(m), 0, 0);
	vqueue_offer(q, 0);
	vqueue_kick(q);
	return vqueue_used(q, NULL, NULL);
}

bool vconsole_hear(struct vconsole *c, uint32_t *id, uint16_t *event, uint16_t *value)
{
	struct virtio_console_control m = {0};
	struct vqueue *q = &c->control_in;
	uint32_t head, len, i;
	const char *text;

	if (!vqueue_used(q, &head, &len) || head >= q->size || len < sizeof(m))
		return false;
	text = ram(vqueue_buffer(q, head));
	memcpy(&m, text, sizeof(m));
	if (m.event == VIRTIO_CONSOLE_PORT_NAME) {
		for (i = 0; i < len - sizeof(m) && i < sizeof(c->name) - 1; i++)
			c->name[i] = text[sizeof(m) + i];
		c->name[i] = 0;
	}
	if (m.event == VIRTIO_CONSOLE_PORT_OPEN)
		c->host_open = m.value;
	*id = m.id;
	*event = m.event;
	*value = m.value;
	vqueue_offer(q, head);
	vqueue_kick(q);
	return true;
}

static bool hear_of(struct vconsole *c, uint32_t want_id, uint16_t want)
{
	uint16_t event, value;
	uint32_t id;

	while (vconsole_hear(c, &id, &event, &value)) {
		if (id == want_id && event == want)
			return true;
	}
	return false;
}

bool vconsole_open(struct vconsole *c, uint32_t id)
{
	c->id = id;
	return vconsole_say(c, VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1) &&
	       hear_of(c, id, VIRTIO_CONSOLE_PORT_ADD) &&
	       vconsole_say(c, id, VIRTIO_CONSOLE_PORT_READY, 1) &&
	       hear_of(c, id, VIRTIO_CONSOLE_PORT_OPEN) && c->host_open &&
	       vconsole_say(c, id, VIRTIO_CONSOLE_PORT_OPEN, 1);
}

bool vconsole_send(struct vconsole *c, const void *data, uint32_t len)
{
	struct vqueue *q = &c->out;

	memcpy(ram(vqueue_buffer(q, 0)), data, len);
	vqueue_desc(q, 0, vqueue_buffer(q, 0), len, 0, 0);
	vqueue_offer(q, 0);
	vqueue_kick(q);
	return vqueue_used(q, NULL, NULL);
}

bool vconsole_receive(struct vconsole *c, void *data, uint32_t size, uint32_t *len)
{
	uint32_t head;

	if (!vqueue_used(&c->in, &head, len) || head >= c->in.size || *len > size)
		return false;
	memcpy(data, ram(vqueue_buffer(&c->in, head)), *len);
	vqueue_offer(&c->in, head);
	vqueue_kick(&c->in);
	return true;
}
