// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target for the kvm engine's devices: whatever a guest writes to their registers and to
 * the memory that they read, and whatever the host's end of the channel does meanwhile. An input is
 * a list of steps:
 *
 *   byte what, then what it takes: see steps[]. Numbers are little-endian.
 *
 * so that junk in registers and queues set up well with junk in them are as easy to find.
 * tests/fuzz/run builds and runs it.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../guests/vconsole.h"
#include "../kvm/rig.h"
#include "cleanup.h"
#include "kvm/platform.h"

#define BAR0	   0xc0000000u
#define BAR_WINDOW 0x8000u
#define STEPS_MAX  400
#define QUEUES	   6

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t left;
	struct rig rig;
	struct vdev d;
	struct vqueue q[QUEUES];
};

static uint32_t take(struct input *in, unsigned int len)
{
	uint32_t v = 0;

	len = len < in->left ? len : in->left;
	memcpy(&v, in->data, len);
	in->data += len;
	in->left -= len;
	return v;
}

static const uint16_t ports[] = {
	PORT_COM1,	PORT_COM1 + 4,	0x60,	       0x64, PORT_RTC, PORT_RTC + 1,
	PORT_PM1_EVENT, PORT_PM1_CNTRL, PORT_PM_TIMER, 0x80, 0xcf8,    0xcfc,
};

/* One byte: which port; one: offset and width; four: the value. */
static void step_port(struct input *in)
{
	uint16_t port = ports[take(in, 1) % ARRAY_SIZE(ports)];
	uint32_t how = take(in, 1);

	port += how & 7;
	if (how & 0x80)
		(void)port_in(port, 1u << (how >> 4) % 3);
	else
		port_out(port, take(in, 4), 1u << (how >> 4) % 3);
}

/* One byte: width and kind; two: the place; four: the value. */
static void mmio(struct input *in, uint32_t base, uint32_t window)
{
	uint32_t how = take(in, 1), at = base + take(in, 2) % window;

	if (how & 0x80)
		(void)mmio_in(at, 1u << how % 3);
	else
		mmio_out(at, take(in, 4), 1u << how % 3);
}

static void step_bar(struct input *in)
{
	mmio(in, BAR0, BAR_WINDOW);
}

static void step_ecam(struct input *in)
{
	mmio(in, PCI_ECAM_BASE, 0x10000);
}

/* The structures of the device, wherever they are now. */
static void step_common(struct input *in)
{
	mmio(in, BAR0, 0x40);
}

/* One byte: how many; two: where in the queues' memory; then the bytes. */
static void step_memory(struct input *in)
{
	uint32_t len = take(in, 1) % 32, at = QUEUE_RAM(0) + take(in, 2) * 6, i;

	for (i = 0; i < len; i++)
		*(uint8_t *)ram(at + i) = take(in, 1);
}

/* One byte: features; then the device is well set up, all of its queues. */
static void step_begin(struct input *in)
{
	uint32_t how = take(in, 1);
	unsigned int n;

	if (!vdev_find(&in->d, VIRTIO_CONSOLE_PCI_ID))
		return;
	vdev_begin(&in->d, VCONSOLE_FEATURES | (how & 1 ? VCONSOLE_EVENT_INDEX : 0));
	for (n = 0; n < QUEUES; n++)
		vqueue_begin(&in->q[n], &in->d, n);
	vdev_go(&in->d);
}

static struct vqueue *queue(struct input *in)
{
	struct vqueue *q = &in->q[take(in, 1) % QUEUES];

	return q->size ? q : NULL;
}

/* Queue, descriptor, flags and next one, a byte each; two of length; an address in RAM or not. */
static void step_descriptor(struct input *in)
{
	struct vqueue *q = queue(in);
	uint32_t i = take(in, 1), flags = take(in, 1), next = take(in, 1), len = take(in, 2);
	uint64_t addr = i & 0x80 ? (uint64_t)take(in, 4) << 12 : vqueue_buffer(&in->q[0], i % 16);

	if (q)
		vqueue_desc(q, i % 16, addr, len, flags & 7, next);
}

/* Queue; head. */
static void step_offer(struct input *in)
{
	struct vqueue *q = queue(in);
	uint32_t head = take(in, 1);

	if (!q)
		return;
	vqueue_offer(q, head % 17);
	vqueue_kick(q);
}

/* The guest's side of the control queue: identifier, event and value, a byte each. */
static void step_control(struct input *in)
{
	uint32_t id = take(in, 1), event = take(in, 1), value = take(in, 1);
	uint32_t m[2] = {id == 255 ? 0xffffffff : id, event | value << 16};
	struct vqueue *q = &in->q[3];

	if (!q->size)
		return;
	memcpy(ram(vqueue_buffer(q, 0)), m, sizeof(m));
	vqueue_desc(q, 0, vqueue_buffer(q, 0), sizeof(m), 0, 0);
	vqueue_offer(q, 0);
	vqueue_kick(q);
}

/* One byte: what the host does with its end. */
static void step_host(struct input *in)
{
	static char buf[65536];
	uint32_t how = take(in, 1);

	if (in->rig.channel < 0)
		return;
	if (how == 255) {
		close(in->rig.channel);
		in->rig.channel = -1;
	} else if (how == 254) {
		shutdown(in->rig.channel, SHUT_WR);
	} else if (how & 1) {
		(void)!recv(in->rig.channel, buf, sizeof(buf), 0);
	} else {
		send(in->rig.channel, buf, how * 37, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
}

static void step_serve(struct input *in)
{
	(void)in;
	rig_serve();
}

static void (*const steps[])(struct input *in) = {
	step_port,  step_bar,	     step_ecam,	   step_common, step_memory, step_begin,
	step_offer, step_descriptor, step_control, step_host,	step_serve,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {.data = data, .left = size};
	unsigned int i;

	if (!size)
		return 0;
	in.rig.in_kernel = take(&in, 1) & 1;
	rig_open(&in.rig, -1);
	for (i = 0; i < STEPS_MAX && in.left; i++)
		steps[take(&in, 1) % ARRAY_SIZE(steps)](&in);
	rig_serve();
	rig_close(&in.rig);
	return 0;
}
