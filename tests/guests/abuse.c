// SPDX-License-Identifier: GPL-2.0
#include "abuse.h"

#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_console.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>

#include "vconsole.h"

#define FAR	   0xfffffffffffff000ULL /* no machine has RAM there */
#define ROM	   0xffff0000u		 /* nor there, in 32 bits */
#define DEVICE_BAR 0xc0000000u		 /* a device, not RAM */

/* Each finds the port open, and out is a queue that is empty. */
struct abuse {
	const char *what;
	void (*act)(struct vconsole *c);
	bool breaks;
};

static void offer(struct vqueue *q, uint16_t head)
{
	vqueue_offer(q, head);
	vqueue_kick(q);
}

static void one(struct vconsole *c, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
	vqueue_desc(&c->out, 0, addr, len, flags, next);
	offer(&c->out, 0);
}

static uint32_t buffer(struct vconsole *c)
{
	return vqueue_buffer(&c->out, 0);
}

static void beyond_ram(struct vconsole *c)
{
	one(c, FAR, 64, 0, 0);
}

static void wraps(struct vconsole *c)
{
	one(c, ~0ULL - 15, 64, 0, 0);
}

static void in_rom(struct vconsole *c)
{
	one(c, ROM, 64, 0, 0);
}

static void in_device(struct vconsole *c)
{
	one(c, DEVICE_BAR, 64, 0, 0);
}

static void absurd_length(struct vconsole *c)
{
	one(c, buffer(c), 0xffffffff, 0, 0);
}

static void absurd_sum(struct vconsole *c)
{
	vqueue_desc(&c->out, 1, buffer(c), 0xffffffff, 0, 0);
	one(c, buffer(c), 0xffffffff, VRING_DESC_F_NEXT, 1);
}

static void next_itself(struct vconsole *c)
{
	one(c, buffer(c), 1, VRING_DESC_F_NEXT, 0);
}

static void ring_of_two(struct vconsole *c)
{
	vqueue_desc(&c->out, 1, buffer(c), 0, VRING_DESC_F_NEXT, 0);
	one(c, buffer(c), 0, VRING_DESC_F_NEXT, 1);
}

static void next_too_far(struct vconsole *c)
{
	one(c, buffer(c), 1, VRING_DESC_F_NEXT, c->out.size);
}

static void next_wild(struct vconsole *c)
{
	one(c, buffer(c), 1, VRING_DESC_F_NEXT, 0xffff);
}

static void head_too_far(struct vconsole *c)
{
	offer(&c->out, c->out.size);
}

static void head_wild(struct vconsole *c)
{
	offer(&c->out, 0xffff);
}

static void index_jumps(struct vconsole *c)
{
	c->out.offered += c->out.size;
	offer(&c->out, 0);
}

static void index_back(struct vconsole *c)
{
	c->out.offered -= 2;
	offer(&c->out, 0);
}

static void write_before_read(struct vconsole *c)
{
	vqueue_desc(&c->out, 1, buffer(c), 1, 0, 0);
	one(c, buffer(c), 1, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 1);
}

/* The device looks when it has something to say. */
static void receive_too_many(struct vconsole *c)
{
	c->control_in.offered += c->control_in.size;
	offer(&c->control_in, 0);
	vconsole_say(c, c->id, VIRTIO_CONSOLE_PORT_READY, 1);
}

/* An indirect table of @n entries at buffer 8; its own descriptor says @len bytes. */
static void indirect(struct vconsole *c, uint32_t len, uint16_t flags)
{
	one(c, vqueue_buffer(&c->out, 8), len, VRING_DESC_F_INDIRECT | flags, 1);
}

static struct vring_desc *table(struct vconsole *c)
{
	struct vring_desc *t = ram(vqueue_buffer(&c->out, 8));

	memset(t, 0, QUEUE_BUFFER);
	return t;
}

static void indirect_empty(struct vconsole *c)
{
	indirect(c, 0, 0);
}

static void indirect_odd(struct vconsole *c)
{
	indirect(c, 17, 0);
}

static void indirect_huge(struct vconsole *c)
{
	indirect(c, 0xfffffff0, 0);
}

static void indirect_far(struct vconsole *c)
{
	one(c, FAR, 16, VRING_DESC_F_INDIRECT, 0);
}

static void indirect_chained(struct vconsole *c)
{
	table(c)[0] = (struct vring_desc){buffer(c), 0, 0, 0};
	indirect(c, 16, VRING_DESC_F_NEXT);
}

static void indirect_nested(struct vconsole *c)
{
	table(c)[0] = (struct vring_desc){vqueue_buffer(&c->out, 8), 16, VRING_DESC_F_INDIRECT, 0};
	indirect(c, 16, 0);
}

static void indirect_loop(struct vconsole *c)
{
	struct vring_desc *t = table(c);

	t[0] = (struct vring_desc){buffer(c), 0, VRING_DESC_F_NEXT, 1};
	t[1] = (struct vring_desc){buffer(c), 0, VRING_DESC_F_NEXT, 0};
	indirect(c, 32, 0);
}

static void indirect_next_far(struct vconsole *c)
{
	table(c)[0] = (struct vring_desc){buffer(c), 0, VRING_DESC_F_NEXT, 1};
	indirect(c, 16, 0);
}

/* Set up a queue that is not in use yet, wrongly. Queue 0 is nobody's. */
static void setup(struct vconsole *c, uint32_t size, uint64_t desc, uint64_t driver,
		  uint64_t device)
{
	const struct vdev *d = &c->d;

	vdev_out(d, VIRTIO_PCI_COMMON_Q_SELECT, 0, 2);
	vdev_out(d, VIRTIO_PCI_COMMON_Q_SIZE, size, 2);
	vdev_out(d, VIRTIO_PCI_COMMON_Q_DESCLO, desc, 4);
	vdev_out(d, VIRTIO_PCI_COMMON_Q_DESCHI, desc >> 32, 4);
	vdev_out(d, VIRTIO_PCI_COMMON_Q_AVAILLO, driver, 4);
	vdev_out(d, VIRTIO_PCI_COMMON_Q_AVAILHI, driver >> 32, 4);
	vdev_out(d, VIRTIO_PCI_COMMON_Q_USEDLO, device, 4);
	vdev_out(d, VIRTIO_PCI_COMMON_Q_USEDHI, device >> 32, 4);
	vdev_out(d, VIRTIO_PCI_COMMON_Q_ENABLE, 1, 2);
}

static void queue_beyond_ram(struct vconsole *c)
{
	setup(c, 16, FAR, QUEUE_RAM(0) + QUEUE_DRIVER, QUEUE_RAM(0) + QUEUE_DEVICE);
}

static void used_beyond_ram(struct vconsole *c)
{
	setup(c, 16, QUEUE_RAM(0), QUEUE_RAM(0) + QUEUE_DRIVER, DEVICE_BAR);
}

static void queue_at_zero_size(struct vconsole *c)
{
	setup(c, 0, QUEUE_RAM(0), QUEUE_RAM(0) + QUEUE_DRIVER, QUEUE_RAM(0) + QUEUE_DEVICE);
}

static void queue_odd_size(struct vconsole *c)
{
	setup(c, 3, QUEUE_RAM(0), QUEUE_RAM(0) + QUEUE_DRIVER, QUEUE_RAM(0) + QUEUE_DEVICE);
}

static void queue_too_large(struct vconsole *c)
{
	setup(c, 0x8000, QUEUE_RAM(0), QUEUE_RAM(0) + QUEUE_DRIVER, QUEUE_RAM(0) + QUEUE_DEVICE);
}

static void queue_unaligned(struct vconsole *c)
{
	setup(c, 16, QUEUE_RAM(0) + 1, QUEUE_RAM(0) + QUEUE_DRIVER, QUEUE_RAM(0) + QUEUE_DEVICE);
}

/* From here on: nonsense that has no effect. */
static void huge_ports(struct vconsole *c)
{
	uint32_t id;

	for (id = 2; id; id = id < 0x80000000u ? id * 2 : 0) {
		vconsole_say(c, id, VIRTIO_CONSOLE_PORT_READY, 1);
		vconsole_say(c, id - 1, VIRTIO_CONSOLE_PORT_OPEN, id - 1 == c->id);
	}
	vconsole_say(c, 0, VIRTIO_CONSOLE_PORT_OPEN, 1);
}

static void strange_events(struct vconsole *c)
{
	unsigned int event;

	for (event = 7; event < 0x10000; event = event * 2 + 1)
		vconsole_say(c, c->id, event, 0xffff);
}

static void short_messages(struct vconsole *c)
{
	struct vqueue *q = &c->control_out;
	uint32_t len;

	for (len = 0; len < 8; len++) {
		vqueue_desc(q, 0, vqueue_buffer(q, 0), len, 0, 0);
		offer(q, 0);
		vqueue_used(q, NULL, NULL);
	}
}

static void empty_buffers(struct vconsole *c)
{
	unsigned int i;

	for (i = 0; i < c->out.size; i++) {
		vqueue_desc(&c->out, i, FAR, 0, 0, 0);
		vqueue_offer(&c->out, i);
	}
	vqueue_kick(&c->out);
	for (i = 0; i < c->out.size; i++)
		vqueue_used(&c->out, NULL, NULL);
}

static void nothing_to_read(struct vconsole *c)
{
	one(c, buffer(c), 64, VRING_DESC_F_WRITE, 0);
	vqueue_used(&c->out, NULL, NULL);
}

static void wild_kicks(struct vconsole *c)
{
	uint32_t at;

	for (at = 0; at < 0x1000; at += 61) {
		mmio_out(c->d.notify + at, 0xffffffff, 4);
		mmio_out(c->d.notify + at, 0xff, 1);
	}
}

/* Every register of every structure but status, queue_enable and where queues lie. */
static void wild_registers(struct vconsole *c)
{
	uint32_t at;

	for (at = 0; at < 0x1000; at += 3) {
		if (at >= 64 || at < 16)
			mmio_out(c->d.common + at, 0xa5a5a5a5, 4);
		mmio_out(c->d.config + at, 0x5a5a5a5a, 4);
		mmio_out(c->d.isr + at, 0xffffffff, 4);
		(void)mmio_in(c->d.common + at, 1);
		(void)mmio_in(c->d.config + at, 2);
	}
	vdev_out(&c->d, VIRTIO_PCI_COMMON_Q_SELECT, 0xffff, 2);
	vdev_out(&c->d, VIRTIO_PCI_COMMON_Q_ENABLE, 1, 2);
	vdev_out(&c->d, VIRTIO_PCI_COMMON_Q_SIZE, 1, 2);
	vdev_out(&c->d, VIRTIO_PCI_COMMON_Q_MSIX, 0, 2);
}

static void live_queue_moved(struct vconsole *c)
{
	vdev_out(&c->d, VIRTIO_PCI_COMMON_Q_SELECT, c->out.n, 2);
	vdev_out(&c->d, VIRTIO_PCI_COMMON_Q_SIZE, 1, 2);
	vdev_out(&c->d, VIRTIO_PCI_COMMON_Q_DESCHI, 0xffffffff, 4);
	vdev_out(&c->d, VIRTIO_PCI_COMMON_Q_USEDLO, 0, 4);
	vdev_out(&c->d, VIRTIO_PCI_COMMON_Q_ENABLE, 0, 2);
}

/* All of configuration space, read-only parts included, then as it was. */
static void config_junk(struct vconsole *c)
{
	uint32_t was[64];
	unsigned int i;

	for (i = 0; i < 64; i++)
		was[i] = pci_in(c->d.slot, 4 * i, 4);
	for (i = 0; i < 64; i++) {
		pci_out(c->d.slot, 4 * i, 0xffffffff, 4);
		pci_out(c->d.slot, 4 * i, 0x5a, 1);
		pci_out(c->d.slot, 4 * i + 2, 0xa55a, 2);
	}
	for (i = 64; i-- > 0;)
		pci_out(c->d.slot, 4 * i, was[i], 4);
}

static void bars_collide(struct vconsole *c)
{
	uint32_t was0 = pci_in(c->d.slot, PCI_BASE_ADDRESS_0, 4);
	uint32_t was1 = pci_in(c->d.slot, PCI_BASE_ADDRESS_1, 4);

	pci_out(c->d.slot, PCI_BASE_ADDRESS_1, was0, 4);
	pci_out(c->d.slot, PCI_BASE_ADDRESS_0, 0xe0000000, 4);
	pci_out(c->d.slot, PCI_BASE_ADDRESS_0, 0xfee00000, 4);
	pci_out(c->d.slot, PCI_BASE_ADDRESS_0, 0, 4);
	pci_out(c->d.slot, PCI_BASE_ADDRESS_0, was0, 4);
	pci_out(c->d.slot, PCI_BASE_ADDRESS_1, was1, 4);
	pci_out(c->d.slot, PCI_BASE_ADDRESS_0, 0, 4);
	pci_out(c->d.slot, PCI_BASE_ADDRESS_0, was0, 4);
}

static const struct abuse abuses[] = {
	{"a buffer beyond all RAM", beyond_ram, true},
	{"a buffer that wraps around the address space", wraps, true},
	{"a buffer where no RAM is", in_rom, true},
	{"a buffer in a device", in_device, true},
	{"a buffer of 4 GiB", absurd_length, true},
	{"a chain of more than 4 GiB", absurd_sum, true},
	{"a descriptor that is its own next", next_itself, true},
	{"a loop of two empty descriptors", ring_of_two, true},
	{"a next one just behind the table", next_too_far, true},
	{"a next one far behind it", next_wild, true},
	{"a head just behind the table", head_too_far, true},
	{"a head far behind it", head_wild, true},
	{"an index that jumps ahead", index_jumps, true},
	{"an index that goes back", index_back, true},
	{"a piece to read behind one to write", write_before_read, true},
	{"a control queue with more buffers than it has", receive_too_many, true},
	{"an empty indirect table", indirect_empty, true},
	{"an indirect table of one entry and a byte", indirect_odd, true},
	{"an indirect table of 4 GiB", indirect_huge, true},
	{"an indirect table beyond all RAM", indirect_far, true},
	{"an indirect table in a chain", indirect_chained, true},
	{"an indirect table in itself", indirect_nested, true},
	{"an indirect table with a loop", indirect_loop, true},
	{"an indirect table that goes on behind its end", indirect_next_far, true},
	{"a queue beyond all RAM", queue_beyond_ram, true},
	{"a used ring in a device", used_beyond_ram, true},
	{"a queue of no buffers", queue_at_zero_size, true},
	{"a queue of three buffers", queue_odd_size, true},
	{"a queue larger than the device has", queue_too_large, true},
	{"a queue at an odd address", queue_unaligned, true},
	{"ports that do not exist", huge_ports, false},
	{"events that do not exist", strange_events, false},
	{"control messages that are cut off", short_messages, false},
	{"empty buffers, at no address", empty_buffers, false},
	{"a buffer to write where one is to be read", nothing_to_read, false},
	{"notifications all over the place", wild_kicks, false},
	{"writes to registers that are not there", wild_registers, false},
	{"a queue in use set up again", live_queue_moved, false},
	{"junk all over configuration space", config_junk, false},
	{"BARs laid over each other and elsewhere", bars_collide, false},
};

static bool begin(struct vconsole *c)
{
	return vconsole_begin(c, VCONSOLE_FEATURES) && vconsole_open(c, 1);
}

static bool abuse_one(const struct abuse *a)
{
	static const uint8_t needs_reset = VIRTIO_CONFIG_S_NEEDS_RESET;
	struct vconsole c;
	bool right;

	if (!begin(&c))
		return false;
	a->act(&c);
	if (a->breaks)
		right = vdev_becomes(&c.d, needs_reset);
	else
		right = !(vdev_in(&c.d, VIRTIO_PCI_COMMON_STATUS, 1) & needs_reset) &&
			vconsole_send(&c, "", 0);
	return right && begin(&c) && vconsole_send(&c, "", 0);
}

void abuse_all(void)
{
	struct vdev d;
	unsigned int i;

	for (i = 0; i < sizeof(abuses) / sizeof(abuses[0]); i++)
		check(abuse_one(&abuses[i]), abuses[i].what);
	if (vdev_find(&d, VIRTIO_CONSOLE_PCI_ID))
		vdev_reset(&d);
}
