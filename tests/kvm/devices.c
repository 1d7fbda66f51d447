// SPDX-License-Identifier: GPL-2.0
/*
 * The kvm engine's devices, driven without a CPU: `devices` runs all tests, `devices NAME...`
 * those, `devices --list` names them. Prints TAP; exit status 1 when something was not right.
 */
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <linux/serial_reg.h>
#include <linux/virtio_console.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../guests/abuse.h"
#include "../guests/vconsole.h"
#include "cleanup.h"
#include "diag.h"
#include "kvm/platform.h"
#include "rig.h"

static unsigned int checks, wrong;

void check(bool right, const char *what)
{
	printf("%s %u - %s\n", right ? "ok" : "not ok", ++checks, what);
	wrong += !right;
}

static void serial_say(const char *text)
{
	for (; *text; text++)
		port_out(PORT_COM1 + UART_TX, *text, 1);
}

/* Until the serial port's timer has run. */
static void serial_wait(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	rig_serve();
}

static void test_serial_file(struct rig *r)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *later = NULL;

	rig_open(r, -1);
	serial_say("hello\n");
	text = rig_console(r);
	check(!*text, "what is said is gathered first");
	serial_wait();
	later = rig_console(r);
	check(!strcmp(later, "hello\n"), "and written when its time has come");
}

static void test_serial_last_words(struct rig *r)
{
	char path[] = "/tmp/kt-devices-XXXXXX", text[16] = "";
	int fd = mkstemp(path);

	unlink(path);
	rig_open(r, fd);
	serial_say("the end");
	rig_close(r);
	check(pread(fd, text, sizeof(text), 0) == 7 && !strcmp(text, "the end"),
	      "a guest's last words are written when it ends");
	close(fd);
	rig_open(r, -1);
}

static void test_serial_interrupts(struct rig *r)
{
	unsigned int i, raised;

	rig_open(r, -1);
	port_out(PORT_COM1 + UART_FCR, UART_FCR_ENABLE_FIFO, 1);
	port_out(PORT_COM1 + UART_IER, UART_IER_THRI, 1);
	check(r->line[GSI_COM1], "enabled, an empty transmitter interrupts at once");
	check((port_in(PORT_COM1 + UART_IIR, 1) & 15) == UART_IIR_THRI && !r->line[GSI_COM1],
	      "until it is asked why");
	raised = r->raised[GSI_COM1];
	for (i = 0; i < 16; i++)
		port_out(PORT_COM1 + UART_TX, 'x', 1);
	check(r->line[GSI_COM1] && r->raised[GSI_COM1] == raised + 1,
	      "a FIFO full of bytes is one interrupt");
	port_out(PORT_COM1 + UART_IER, 0, 1);
	check(!r->line[GSI_COM1], "and none when they are not wanted");
}

/* A pipe that nobody reads: 64 KiB there, as many in the device, then the transmitter is full. */
static void test_serial_flood(struct rig *r)
{
	unsigned int sent, got = 0;
	char buf[4096];
	ssize_t n;
	int p[2];

	if (pipe2(p, O_CLOEXEC))
		abort();
	fcntl(p[0], F_SETFL, O_NONBLOCK);
	rig_open(r, p[1]);
	port_out(PORT_COM1 + UART_IER, UART_IER_THRI, 1);
	for (sent = 0; sent < 1 << 20 && port_in(PORT_COM1 + UART_LSR, 1) & UART_LSR_THRE; sent++) {
		port_out(PORT_COM1 + UART_TX, 'a' + sent % 26, 1);
		if (sent % 8192 == 8191)
			serial_wait();
	}
	check(sent >= 128 << 10 && sent < 256 << 10,
	      "a reader that does not read holds up the guest");
	check(!r->line[GSI_COM1] && port_in(PORT_COM1 + UART_IIR, 1) & UART_IIR_NO_INT,
	      "which waits for an interrupt");
	while ((n = read(p[0], buf, sizeof(buf))) > 0 || got < sent) {
		ssize_t i;

		for (i = 0; i < n; i++, got++) {
			if (buf[i] != (char)('a' + got % 26))
				abort();
		}
		serial_wait();
		if (n <= 0 && !--sent)
			break;
	}
	check(r->line[GSI_COM1], "that comes when there is room");
	check(got >= 128 << 10, "and nothing of what it said is lost");
	close(p[0]);
	close(p[1]);
}

static void test_serial_gone(struct rig *r)
{
	unsigned int i;
	int p[2];

	if (pipe2(p, O_CLOEXEC))
		abort();
	rig_open(r, p[1]);
	close(p[0]);
	for (i = 0; i < 300000; i++) {
		port_out(PORT_COM1 + UART_TX, 'x', 1);
		if (i % 16384 == 0)
			serial_wait();
	}
	serial_wait();
	check(port_in(PORT_COM1 + UART_LSR, 1) & UART_LSR_THRE,
	      "a console that nobody has any more does not stop the guest");
	close(p[1]);
}

static void test_power(struct rig *r)
{
	rig_open(r, -1);
	port_out(PORT_PM1_CNTRL, 1 << 13 | 4 << 10, 2);
	check(!r->powered_off, "a sleeping state that is not S5 is none");
	port_out(PORT_PM1_CNTRL, 1 << 13 | SLEEP_TYPE_S5 << 10, 2);
	check(r->powered_off, "S5 powers off");
	r->powered_off = false;
	port_out(PORT_RESET, 2, 1);
	check(!r->powered_off, "the reset register wants its bit 2");
	port_out(PORT_RESET, RESET_VALUE, 1);
	check(r->powered_off, "and then the machine is reset, which ends it");
	r->powered_off = false;
	port_out(0x64, 0xfe, 1);
	check(r->powered_off, "the keyboard controller resets, too");
	r->powered_off = false;
	port_out(0x64, 0xff, 1);
	check(!r->powered_off, "when it pulses the right line");
}

static unsigned int bcd_in(unsigned int reg)
{
	unsigned int v;

	port_out(PORT_RTC, reg, 1);
	v = port_in(PORT_RTC + 1, 1);
	return (v >> 4) * 10 + (v & 15);
}

static void test_rtc(struct rig *r)
{
	time_t before = time(NULL), now;
	struct tm t;

	rig_open(r, -1);
	do { /* without a second that passes meanwhile */
		t = (struct tm){.tm_sec = bcd_in(0),
				.tm_min = bcd_in(2),
				.tm_hour = bcd_in(4),
				.tm_mday = bcd_in(7),
				.tm_mon = bcd_in(8) - 1,
				.tm_year = bcd_in(9) + bcd_in(50) * 100 - 1900};
	} while ((int)bcd_in(0) != t.tm_sec);
	now = timegm(&t);
	check(now >= before - 1 && now <= time(NULL) + 1,
	      "the clock tells the host's time, in UTC");
}

/* Open port "kt" over the test's driver. */
static bool console_open(struct rig *r, struct vconsole *c, uint64_t features)
{
	rig_open(r, -1);
	return vconsole_begin(c, features) && vconsole_open(c, 1);
}

static void test_console_protocol(struct rig *r)
{
	struct vconsole c;
	uint16_t event, value;
	uint32_t id;

	check(console_open(r, &c, VCONSOLE_FEATURES),
	      "port 1 is added and open on the host's side");
	check(!strcmp(c.name, "kt"), "it is named kt");
	check(mmio_in(c.d.config + 4, 4) == 2,
	      "the device has room for two ports, 0 being nobody's");
	close(r->channel);
	r->channel = -1;
	rig_serve();
	check(vconsole_hear(&c, &id, &event, &value) && id == 1 &&
		      event == VIRTIO_CONSOLE_PORT_OPEN && !value,
	      "the guest is told when the host hangs up");
	check(vconsole_send(&c, "x", 1), "and what it still sends goes nowhere, but goes");
}

static void test_console_data(struct rig *r)
{
	char text[64] = "";
	struct vconsole c;
	uint32_t len = 0;

	if (!console_open(r, &c, VCONSOLE_FEATURES))
		abort();
	check(vconsole_send(&c, "to the host", 11) &&
		      recv(r->channel, text, sizeof(text), 0) == 11 &&
		      !memcmp(text, "to the host", 11),
	      "what the guest sends arrives");
	send(r->channel, "to the guest", 12, 0);
	rig_serve();
	check(vconsole_receive(&c, text, sizeof(text), &len) && len == 12 &&
		      !memcmp(text, "to the guest", 12),
	      "and what the host sends, without being asked");
	vconsole_say(&c, 1, VIRTIO_CONSOLE_PORT_OPEN, 0);
	send(r->channel, "later", 5, 0);
	rig_serve();
	check(*(uint16_t *)(ram(c.in.device + 2)) == c.in.seen, "a closed port gets nothing");
	vconsole_say(&c, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	check(vconsole_receive(&c, text, sizeof(text), &len) && len == 5 &&
		      !memcmp(text, "later", 5),
	      "until it is open again");
}

/* A chain over several pieces, one of which lies in both of the machine's pieces of RAM. */
static void test_console_pieces(struct rig *r)
{
	static char got[3 * 4096];
	struct vconsole c;
	bool right = true;
	uint32_t i;

	if (!console_open(r, &c, VCONSOLE_FEATURES))
		abort();
	for (i = 0; i < 8192; i++)
		*(uint8_t *)ram(RIG_SPLIT - 4096 + i) = i * 7;
	memcpy(ram(vqueue_buffer(&c.out, 0)), "begin", 5);
	vqueue_desc(&c.out, 0, vqueue_buffer(&c.out, 0), 5, VRING_DESC_F_NEXT, 3);
	vqueue_desc(&c.out, 3, RIG_SPLIT - 4096, 8192, VRING_DESC_F_NEXT, 1);
	vqueue_desc(&c.out, 1, vqueue_buffer(&c.out, 0), 5, 0, 0);
	vqueue_offer(&c.out, 0);
	vqueue_kick(&c.out);
	right = vqueue_used(&c.out, NULL, NULL) && recv(r->channel, got, sizeof(got), 0) == 8202 &&
		!memcmp(got, "begin", 5) && !memcmp(got + 8197, "begin", 5);
	for (i = 0; i < 8192; i++)
		right = right && (uint8_t)got[5 + i] == (uint8_t)(i * 7);
	check(right, "a buffer may lie across two pieces of the host's memory");
}

static void test_console_indirect(struct rig *r)
{
	struct vring_desc *table;
	char got[16] = "";
	struct vconsole c;

	if (!console_open(r, &c, VCONSOLE_FEATURES))
		abort();
	table = ram(vqueue_buffer(&c.out, 8));
	memcpy(ram(vqueue_buffer(&c.out, 0)), "abcdef", 6);
	table[0] = (struct vring_desc){vqueue_buffer(&c.out, 0) + 3, 3, VRING_DESC_F_NEXT, 1};
	table[1] = (struct vring_desc){vqueue_buffer(&c.out, 0), 3, 0, 0};
	vqueue_desc(&c.out, 0, vqueue_buffer(&c.out, 8), 32, VRING_DESC_F_INDIRECT, 0);
	vqueue_offer(&c.out, 0);
	vqueue_kick(&c.out);
	check(vqueue_used(&c.out, NULL, NULL) && recv(r->channel, got, sizeof(got), 0) == 6 &&
		      !memcmp(got, "defabc", 6),
	      "an indirect table is followed");
}

/* The guest sends much more than anybody takes; nothing may be lost, nor kept beside its queue. */
static void test_console_flow(struct rig *r)
{
	static uint8_t buf[65536];
	uint32_t sent = 0, got = 0, used = 0, rounds = 0;
	bool right = true, stopped = false;
	struct vconsole c;
	ssize_t n, k;

	if (!console_open(r, &c, VCONSOLE_FEATURES | VCONSOLE_EVENT_INDEX))
		abort();
	while (got < 4u << 20 && rounds++ < 100000) {
		const uint16_t *ring = ram(c.out.device);

		while (c.out.offered - used < c.out.size && sent < 4u << 20) {
			uint32_t i, head = c.out.offered % c.out.size;
			uint8_t *to = ram(vqueue_buffer(&c.out, head % 8));

			for (i = 0; i < QUEUE_BUFFER; i++)
				to[i] = (sent + i) / QUEUE_BUFFER % 8;
			vqueue_desc(&c.out, head, vqueue_buffer(&c.out, head % 8), QUEUE_BUFFER, 0,
				    0);
			vqueue_offer(&c.out, head);
			/* Only where the device wants to be told, as Linux does. */
			if (vring_need_event(ring[2 + 4 * c.out.size], c.out.offered,
					     c.out.offered - 1))
				vqueue_kick(&c.out);
			sent += QUEUE_BUFFER;
		}
		rig_serve();
		used += (uint16_t)(ring[1] - (uint16_t)used);
		stopped = stopped || c.out.offered != (uint16_t)used;
		n = stopped ? recv(r->channel, buf, sizeof(buf), 0) : 0;
		for (k = 0; k < n; k++, got++)
			right = right && buf[k] == got / QUEUE_BUFFER % 8;
	}
	check(stopped, "a host that does not read stops the guest");
	check(right && got == sent, "and when it reads, all is there in order");
}

/* The guest ends before the engine's thread came to look. */
static void test_console_last_words(struct rig *r)
{
	char text[16] = "";
	struct vconsole c;
	int ours;

	if (!console_open(r, &c, VCONSOLE_FEATURES))
		abort();
	memcpy(ram(vqueue_buffer(&c.out, 0)), "the end", 7);
	vqueue_desc(&c.out, 0, vqueue_buffer(&c.out, 0), 7, 0, 0);
	vqueue_offer(&c.out, 0);
	vqueue_kick(&c.out);
	ours = dup(r->channel);
	rig_close(r);
	check(recv(ours, text, sizeof(text), 0) == 7 && !strcmp(text, "the end"),
	      "a guest's last words reach the host, too");
	close(ours);
	rig_open(r, -1);
}

static void test_console_receive_flow(struct rig *r)
{
	static uint8_t data[QUEUE_BUFFER * 40], got[QUEUE_BUFFER];
	uint32_t at = 0, len, i, sent = 0;
	bool right = true;
	struct vconsole c;

	if (!console_open(r, &c, VCONSOLE_FEATURES | VCONSOLE_EVENT_INDEX))
		abort();
	for (i = 0; i < sizeof(data); i++)
		data[i] = i * 13 + i / 251;
	while (at < sizeof(data)) {
		ssize_t n = send(r->channel, data + sent, sizeof(data) - sent, MSG_DONTWAIT);

		sent += n > 0 ? n : 0;
		rig_serve();
		if (!vconsole_receive(&c, got, sizeof(got), &len) || at + len > sizeof(data))
			break;
		right = right && !memcmp(got, data + at, len);
		at += len;
	}
	check(right && at == sizeof(data), "more than the guest has buffers for arrives in order");
}

static void test_console_msix(struct rig *r)
{
	struct vconsole c;
	uint32_t table;
	unsigned int cap, n;

	if (!console_open(r, &c, VCONSOLE_FEATURES))
		abort();
	check(r->line[GSI_PCI + 1] && mmio_in(c.d.isr, 1) & 1, "without MSI-X there is INTA");
	check(!r->line[GSI_PCI + 1] && !mmio_in(c.d.isr, 1), "until its reason is read");
	table = pci_in(c.d.slot, PCI_BASE_ADDRESS_1, 4);
	mmio_out(table + 16, 0xfee00000, 4);
	mmio_out(table + 24, 0x4321, 4);
	for (cap = pci_in(c.d.slot, PCI_CAPABILITY_LIST, 1);
	     pci_in(c.d.slot, cap, 1) != PCI_CAP_ID_MSIX;)
		cap = pci_in(c.d.slot, cap + 1, 1);
	pci_out(c.d.slot, cap + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE, 2);
	vdev_out(&c.d, VIRTIO_PCI_COMMON_Q_SELECT, 5, 2);
	vdev_out(&c.d, VIRTIO_PCI_COMMON_Q_MSIX, 1, 2);
	vconsole_send(&c, "x", 1);
	check(!r->messages && !r->line[GSI_PCI + 1], "a masked vector is silent, and so is INTA");
	mmio_out(table + 28, 0, 4);
	check(r->messages == 1 && r->message_address == 0xfee00000 && r->message_data == 0x4321,
	      "but it is due, and sent when it is unmasked");
	n = r->messages;
	vconsole_send(&c, "x", 1);
	check(r->messages == n + 1, "then every used buffer is a message");
	*(uint16_t *)ram(c.out.driver) = VRING_AVAIL_F_NO_INTERRUPT;
	vconsole_send(&c, "x", 1);
	check(r->messages == n + 1, "unless the driver wants none");
}

static void test_console_window(struct rig *r)
{
	struct vconsole c;
	unsigned int cap;

	if (!console_open(r, &c, VCONSOLE_FEATURES))
		abort();
	for (cap = pci_in(c.d.slot, PCI_CAPABILITY_LIST, 1);
	     pci_in(c.d.slot, cap, 1) != PCI_CAP_ID_VNDR ||
	     pci_in(c.d.slot, cap + VIRTIO_PCI_CAP_CFG_TYPE, 1) != VIRTIO_PCI_CAP_PCI_CFG;)
		cap = pci_in(c.d.slot, cap + 1, 1);
	pci_out(c.d.slot, cap + VIRTIO_PCI_CAP_BAR, 0, 1);
	pci_out(c.d.slot, cap + VIRTIO_PCI_CAP_OFFSET, VIRTIO_PCI_COMMON_NUMQ, 4);
	pci_out(c.d.slot, cap + VIRTIO_PCI_CAP_LENGTH, 2, 4);
	check(pci_in(c.d.slot, cap + 16, 2) == 6,
	      "the window in configuration space shows registers");
	pci_out(c.d.slot, cap + VIRTIO_PCI_CAP_OFFSET, VIRTIO_PCI_COMMON_Q_SELECT, 4);
	pci_out(c.d.slot, cap + 16, 3, 2);
	check(vdev_in(&c.d, VIRTIO_PCI_COMMON_Q_SELECT, 2) == 3, "and writes them");
	pci_out(c.d.slot, cap + VIRTIO_PCI_CAP_OFFSET, 0xfffffffe, 4);
	pci_out(c.d.slot, cap + 16, 7, 2);
	check(vdev_in(&c.d, VIRTIO_PCI_COMMON_Q_SELECT, 2) == 3, "within the BAR");
}

static void test_abuse(struct rig *r)
{
	rig_open(r, -1);
	abuse_all();
}

static const struct {
	const char *name;
	void (*run)(struct rig *r);
} tests[] = {
	{"serial-file", test_serial_file},
	{"serial-last-words", test_serial_last_words},
	{"serial-interrupts", test_serial_interrupts},
	{"serial-flood", test_serial_flood},
	{"serial-gone", test_serial_gone},
	{"power", test_power},
	{"rtc", test_rtc},
	{"console-protocol", test_console_protocol},
	{"console-data", test_console_data},
	{"console-pieces", test_console_pieces},
	{"console-indirect", test_console_indirect},
	{"console-flow", test_console_flow},
	{"console-last-words", test_console_last_words},
	{"console-receive-flow", test_console_receive_flow},
	{"console-msix", test_console_msix},
	{"console-window", test_console_window},
	{"console-ports", test_console_ports},
	{"abuse", test_abuse},
};

static bool wanted(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], name))
			return true;
	}
	return argc < 2;
}

int main(int argc, char **argv)
{
	unsigned int i, ran = 0, way;

	diag_init("devices");
	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		if (argc == 2 && !strcmp(argv[1], "--list"))
			puts(tests[i].name);
		/* Both with notifications that KVM takes and with those that reach the bus. */
		for (way = 0; way < 2 && wanted(tests[i].name, argc, argv); way++, ran++) {
			struct rig r = {.in_kernel = way};

			printf("# %s%s\n", tests[i].name, way ? ", notified by KVM" : "");
			tests[i].run(&r);
			rig_close(&r);
		}
	}
	printf("1..%u\n", checks);
	return wrong || (!ran && !(argc == 2 && !strcmp(argv[1], "--list")));
}
