// SPDX-License-Identifier: GPL-2.0
#include "guest.h"

#include <linux/virtio_ring.h>

#include "vconsole.h"

#define COM1	    0x3f8
#define LSR	    5
#define LSR_THRE    0x20
#define PM1_CONTROL 0x604 /* platform.h of kt-vmm/kvm */
#define PM1_S5	    (1u << 13 | 5u << 10)
#define KEYBOARD    0x64 /* its controller can reset the machine: */
#define RESET	    0xfe
#define NOBODY	    0x61 /* a port whose reading takes a moment */

#define REPORT_MAX  (768 * 1024)
#define FRAME_HELLO 1 /* libcommon/frame.h */
#define FRAME_OUT   2
#define FRAME_EXIT  8
#define FRAME_SIZE  (64 * 1024) /* of output; there may be four times as much */

#define FLOOD_RAM   0x800000u /* where the frame lies that a flood repeats */
#define FLOOD_FRAME (64 * 1024u)
#define PATIENCE    100000000u /* looks at the queue, which cost little */

static char report[REPORT_MAX];
static unsigned int report_len, checks, wrong;
static uint32_t flood_mib;

uint32_t port_in(uint16_t port, unsigned int len)
{
	uint8_t b;
	uint16_t w;
	uint32_t l;

	switch (len) {
	case 1:
		__asm__ volatile("inb %1, %0" : "=a"(b) : "Nd"(port));
		return b;
	case 2:
		__asm__ volatile("inw %1, %0" : "=a"(w) : "Nd"(port));
		return w;
	default:
		__asm__ volatile("inl %1, %0" : "=a"(l) : "Nd"(port));
		return l;
	}
}

void port_out(uint16_t port, uint32_t value, unsigned int len)
{
	switch (len) {
	case 1:
		__asm__ volatile("outb %b0, %1" : : "a"(value), "Nd"(port));
		break;
	case 2:
		__asm__ volatile("outw %w0, %1" : : "a"(value), "Nd"(port));
		break;
	default:
		__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
	}
}

uint32_t mmio_in(uint32_t address, unsigned int len)
{
	uint32_t value = 0;

	switch (len) {
	case 1:
		__asm__ volatile("movb (%1), %b0" : "+q"(value) : "r"(address) : "memory");
		break;
	case 2:
		__asm__ volatile("movw (%1), %w0" : "+r"(value) : "r"(address) : "memory");
		break;
	default:
		__asm__ volatile("movl (%1), %0" : "+r"(value) : "r"(address) : "memory");
	}
	return value;
}

void mmio_out(uint32_t address, uint32_t value, unsigned int len)
{
	switch (len) {
	case 1:
		__asm__ volatile("movb %b0, (%1)" : : "q"(value), "r"(address) : "memory");
		break;
	case 2:
		__asm__ volatile("movw %w0, (%1)" : : "r"(value), "r"(address) : "memory");
		break;
	default:
		__asm__ volatile("movl %0, (%1)" : : "r"(value), "r"(address) : "memory");
	}
}

void *ram(uint32_t gpa)
{
	return (void *)gpa;
}

void io_pause(void)
{
	port_in(NOBODY, 1);
}

void *memcpy(void *to, const void *from, size_t len)
{
	void *d = to;

	__asm__ volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(len) : : "memory");
	return to;
}

void *memset(void *to, int c, size_t len)
{
	void *d = to;

	__asm__ volatile("rep stosb" : "+D"(d), "+c"(len) : "a"(c) : "memory");
	return to;
}

void tell(const char *text)
{
	for (; *text && report_len < REPORT_MAX; text++)
		report[report_len++] = *text;
}

void say(const char *text)
{
	tell(text);
	for (; *text; text++) {
		unsigned int i;

		for (i = 0; i < 100000 && !(port_in(COM1 + LSR, 1) & LSR_THRE); i++)
			;
		port_out(COM1, *text, 1);
	}
}

static void format_number(char *to, uint32_t v, unsigned int base)
{
	char digits[12];
	unsigned int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (n)
		*to++ = digits[--n];
	*to = 0;
}

static void say_number(uint32_t v, unsigned int base)
{
	char text[12];

	format_number(text, v, base);
	say(text);
}

void say_hex(uint32_t v)
{
	say("0x");
	say_number(v, 16);
}

void tell_number(uint32_t v, unsigned int base)
{
	char text[12];

	format_number(text, v, base);
	tell(text);
}

static void verdict(bool right, const char *what)
{
	wrong += !right;
	say(right ? "ok " : "not ok ");
	say_number(++checks, 10);
	say(" - ");
	say(what);
}

void check(bool right, const char *what)
{
	verdict(right, what);
	say("\n");
}

void check_equal(uint32_t is, uint32_t expected, const char *what)
{
	verdict(is == expected, what);
	if (is != expected) {
		say(": ");
		say_hex(is);
		say(", expected ");
		say_hex(expected);
	}
	say("\n");
}

/* zlib's crc32(), continued from @crc; by bytes, since a CPU may be an interpreter. */
static uint32_t crc32(uint32_t crc, const void *data, uint32_t len)
{
	static uint32_t table[256];
	const uint8_t *p = data;
	uint32_t i, v, bit;

	for (i = 0; i < 256 && !table[255]; i++) {
		for (v = i, bit = 0; bit < 8; bit++)
			v = v >> 1 ^ (v & 1 ? 0xedb88320 : 0);
		table[i] = v;
	}
	for (crc = ~crc; len--; p++)
		crc = crc >> 8 ^ table[(crc ^ *p) & 0xff];
	return ~crc;
}

static bool frame(struct vconsole *c, uint32_t type, const char *data, uint32_t len)
{
	uint32_t header[3] = {len, type, crc32(crc32(0, &type, 4), data, len)};
	uint32_t at, n;
	bool sent = vconsole_send(c, header, sizeof(header));

	for (at = 0; sent && at < len; at += n) {
		n = len - at < QUEUE_BUFFER ? len - at : QUEUE_BUFFER;
		sent = vconsole_send(c, data + at, n);
	}
	return sent;
}

void guest_flood(uint32_t mib)
{
	flood_mib = mib;
}

/* Put the flood's frame on offer as descriptor @head; notify when the device wants it. */
static void flood_offer(struct vqueue *q, uint16_t head)
{
	vqueue_offer(q, head);
	if (!(__atomic_load_n((uint16_t *)ram(q->device), __ATOMIC_SEQ_CST) &
	      VRING_USED_F_NO_NOTIFY))
		vqueue_kick(q);
}

/* One frame again and again, from a queue that is kept full. The CPU stays in the guest. */
static bool flood(struct vqueue *q)
{
	uint32_t frames = flood_mib * (1024 * 1024 / FLOOD_FRAME), offered, head, i;
	uint32_t *header = ram(FLOOD_RAM);
	uint8_t *data = ram(FLOOD_RAM + 12);
	const uint16_t *used = ram(q->device);

	if (!flood_mib)
		return true;
	for (i = 0; i < 64; i++)
		data[i] = ' ' + i;
	for (; i < FLOOD_FRAME; i *= 2)
		memcpy(data + i, data, i);
	header[0] = FLOOD_FRAME;
	header[1] = FRAME_OUT;
	header[2] = crc32(crc32(0, &header[1], 4), data, FLOOD_FRAME);
	for (offered = 0; offered < frames && offered < q->size; offered++) {
		vqueue_desc(q, offered, FLOOD_RAM, 12 + FLOOD_FRAME, 0, 0);
		flood_offer(q, offered);
	}
	for (i = 0; i < frames; i++) {
		uint32_t looks = 0;

		while (__atomic_load_n(&used[1], __ATOMIC_ACQUIRE) == q->seen && ++looks < PATIENCE)
			__asm__ volatile("pause");
		if (!vqueue_used(q, &head, NULL) || head >= q->size)
			return false;
		if (offered < frames) {
			flood_offer(q, head);
			offered++;
		}
	}
	return true;
}

static uint32_t length(const char *text)
{
	uint32_t n = 0;

	while (text[n])
		n++;
	return n;
}

/* As kt-init: hello, output, exit; then wait for the host's word (docs/channel.md). */
static void report_send(void)
{
	static const char hello[] =
		"{\"schema\": \"kt-hello/1\", \"kernel\": \"none\", \"cpus\": 1, "
		"\"vmcoreinfo_addr\": 0, \"vmcoreinfo_size\": 0}";
	static const char right[] = "{\"schema\": \"kt-exit/1\", \"outcome\": \"exited\", "
				    "\"status\": 0, \"message\": null, \"oom_kills\": 0, "
				    "\"command_ns\": 1}";
	static const char not_right[] = "{\"schema\": \"kt-exit/1\", \"outcome\": \"exited\", "
					"\"status\": 1, \"message\": null, \"oom_kills\": 0, "
					"\"command_ns\": 1}";
	const char *end = wrong ? not_right : right;
	static uint8_t bye[QUEUE_BUFFER];
	static struct vconsole c;
	uint32_t len, at, n;
	bool sent = vconsole_begin(&c, VCONSOLE_FEATURES) && vconsole_open(&c, 1) &&
		    frame(&c, FRAME_HELLO, hello, length(hello));

	for (at = 0; sent && at < report_len; at += n) {
		n = report_len - at < FRAME_SIZE ? report_len - at : FRAME_SIZE;
		sent = frame(&c, FRAME_OUT, report + at, n);
	}
	if (sent && flood(&c.out) && frame(&c, FRAME_EXIT, end, length(end)))
		vconsole_receive(&c, bye, sizeof(bye), &len);
	else
		say("# no report: the console device fails\n");
}

/* include/xen/interface/hvm/start_info.h */
struct start_info {
	uint32_t magic, version, flags, n_modules;
	uint64_t modlist, cmdline, rsdp;
};

struct start_module {
	uint64_t address, size;
};

void guest_begin(const struct start_info *info);
void guest_begin(const struct start_info *info)
{
	const struct start_module *m = (void *)(uint32_t)info->modlist;
	struct guest_boot boot = {info->cmdline, info->rsdp};

	if (info->n_modules) {
		boot.initramfs = m->address;
		boot.initramfs_size = m->size;
	}

	guest_main(&boot);
	say("1..");
	say_number(checks, 10);
	say("\n");
	report_send();
	port_out(PM1_CONTROL, PM1_S5, 2);
	port_out(KEYBOARD, RESET, 1); /* QEMU's PM1 is elsewhere */
	for (;;)
		__asm__ volatile("hlt");
}
