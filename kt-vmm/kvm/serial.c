// SPDX-License-Identifier: GPL-2.0
/*
 * A 16550A serial port (National Semiconductor PC16550D, 8.0 Registers), the guest's console.
 * What the guest transmits is gathered for a moment and written to the console's file by the
 * engine's thread: an exit of a vCPU costs no system call, and a reader that is slow holds up the
 * guest's transmitter, not a vCPU. Nothing is ever received, except from itself in loopback mode.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/serial_reg.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "kvm.h"
#include "platform.h"

#define SERIAL_16550A	0xc0	   /* IIR: FIFOs that work */
#define SERIAL_PORTS	8	   /* registers */
#define SERIAL_OUT	(1u << 16) /* bytes that wait to be written; a power of two */
#define SERIAL_GATHER	1000000	   /* ns that the first of them waits for others */
#define SERIAL_PIPE_MAX 4096	   /* what a pipe takes without blocking when poll says writable */

struct serial {
	struct kvm_vm *vm;
	struct bus_device range;
	struct bus_poll timer; /* when what was gathered is to be written */
	struct bus_poll space; /* the console takes more */
	bool pollable;	       /* else a regular file, which always takes all */
	bool line;	       /* level of the interrupt line */
	bool thre;	       /* transmitter empty, not yet told by IIR */
	bool rx_full;	       /* loopback: @rx holds a byte */
	bool overrun;
	bool lossy; /* said that bytes were lost */
	uint8_t ier, lcr, mcr, scr, fcr, rx;
	uint8_t dll, dlm;
	uint32_t head, tail; /* out[], free-running */
	uint8_t out[SERIAL_OUT];
};

static void serial_line(struct serial *s)
{
	bool level = (s->ier & UART_IER_THRI && s->thre) || (s->ier & UART_IER_RDI && s->rx_full) ||
		     (s->ier & UART_IER_RLSI && s->overrun);

	if (level == s->line)
		return;
	s->line = level;
	kvm_irq_set(s->vm, GSI_COM1, level);
}

static void serial_gather(struct serial *s)
{
	struct itimerspec t = {.it_value.tv_nsec = SERIAL_GATHER};

	timerfd_settime(s->timer.fd, 0, &t, NULL);
}

/* Write what is gathered, in one go where it does not wrap. Returns 0 or -errno. */
static int serial_write_some(struct serial *s)
{
	uint32_t at = s->tail % SERIAL_OUT, n = s->head - s->tail;
	ssize_t done;

	if (n > SERIAL_OUT - at)
		n = SERIAL_OUT - at;
	if (s->pollable && n > SERIAL_PIPE_MAX)
		n = SERIAL_PIPE_MAX;
	done = write(s->space.fd, s->out + at, n);
	if (done < 0 && errno == EINTR)
		return 0;
	if (done < 0 && errno == EAGAIN)
		return -EAGAIN;
	/* Where nobody reads any more the guest goes on, unheard. */
	s->tail += done < 0 ? s->head - s->tail : (uint32_t)done;
	return 0;
}

/* The transmitter, which @was_full, is empty again. */
static void serial_room(struct serial *s, bool was_full)
{
	if (!was_full || s->head - s->tail == SERIAL_OUT)
		return;
	s->thre = true;
	serial_line(s);
}

static void serial_flush(struct serial *s)
{
	bool was_full = s->head - s->tail == SERIAL_OUT;

	if (s->pollable) {
		bus_poll_set(kvm_bus(s->vm), &s->space, s->head != s->tail ? EPOLLOUT : 0);
		return;
	}
	while (s->head != s->tail && !serial_write_some(s))
		;
	serial_room(s, was_full);
}

static void serial_timer(void *dev, uint32_t events)
{
	struct serial *s = dev;
	uint64_t expired;

	(void)events;
	if (read(s->timer.fd, &expired, sizeof(expired)) > 0)
		serial_flush(s);
}

static void serial_space(void *dev, uint32_t events)
{
	struct serial *s = dev;
	bool was_full = s->head - s->tail == SERIAL_OUT;

	if (events & EPOLLOUT)
		serial_write_some(s);
	else
		s->tail = s->head; /* nobody reads it any more */
	if (s->head == s->tail)
		bus_poll_set(kvm_bus(s->vm), &s->space, 0);
	serial_room(s, was_full);
}

static void serial_transmit(struct serial *s, uint8_t c)
{
	uint32_t waiting = s->head - s->tail;

	if (s->mcr & UART_MCR_LOOP) {
		s->overrun |= s->rx_full;
		s->rx = c;
		s->rx_full = true;
	} else if (waiting < SERIAL_OUT) {
		s->out[s->head++ % SERIAL_OUT] = c;
		if (!waiting)
			serial_gather(s);
		/* Not much room left: do not wait for the timer. */
		if (waiting == SERIAL_OUT / 2)
			serial_flush(s);
	} else if (!s->lossy) {
		s->lossy = true;
		warn("console: its reader is too slow: what the guest says is lost in part");
	}
	/* With the register full the empty transmitter is announced when there is room again. */
	s->thre = s->head - s->tail < SERIAL_OUT;
	serial_line(s);
}

static uint8_t serial_iir(struct serial *s)
{
	uint8_t id = UART_IIR_NO_INT;

	if (s->ier & UART_IER_RLSI && s->overrun)
		id = UART_IIR_RLSI;
	else if (s->ier & UART_IER_RDI && s->rx_full)
		id = UART_IIR_RDI;
	else if (s->ier & UART_IER_THRI && s->thre)
		id = UART_IIR_THRI;
	if (id == UART_IIR_THRI) {
		s->thre = false;
		serial_line(s);
	}
	return id | (s->fcr & UART_FCR_ENABLE_FIFO ? SERIAL_16550A : 0);
}

static uint8_t serial_lsr(struct serial *s)
{
	uint8_t lsr = (s->rx_full ? UART_LSR_DR : 0) | (s->overrun ? UART_LSR_OE : 0);

	if (s->head - s->tail < SERIAL_OUT)
		lsr |= UART_LSR_THRE | UART_LSR_TEMT;
	s->overrun = false;
	serial_line(s);
	return lsr;
}

/* The modem: connected and ready; in loopback mode, the port's own outputs. */
static uint8_t serial_msr(const struct serial *s)
{
	if (!(s->mcr & UART_MCR_LOOP))
		return UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS;
	return (s->mcr & UART_MCR_RTS ? UART_MSR_CTS : 0) |
	       (s->mcr & UART_MCR_DTR ? UART_MSR_DSR : 0) |
	       (s->mcr & UART_MCR_OUT1 ? UART_MSR_RI : 0) |
	       (s->mcr & UART_MCR_OUT2 ? UART_MSR_DCD : 0);
}

static uint8_t serial_receive(struct serial *s)
{
	uint8_t c = s->rx_full ? s->rx : 0;

	s->rx_full = false;
	serial_line(s);
	return c;
}

static uint8_t serial_get(struct serial *s, uint64_t reg)
{
	bool dlab = s->lcr & UART_LCR_DLAB;

	switch (reg) {
	case UART_RX:
		return dlab ? s->dll : serial_receive(s);
	case UART_IER:
		return dlab ? s->dlm : s->ier;
	case UART_IIR:
		return serial_iir(s);
	case UART_LCR:
		return s->lcr;
	case UART_MCR:
		return s->mcr;
	case UART_LSR:
		return serial_lsr(s);
	case UART_MSR:
		return serial_msr(s);
	default:
		return s->scr;
	}
}

static void serial_set_fcr(struct serial *s, uint8_t v)
{
	if (v & UART_FCR_CLEAR_RCVR || (v ^ s->fcr) & UART_FCR_ENABLE_FIFO)
		s->rx_full = s->overrun = false;
	s->fcr = v & (UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_MASK);
	serial_line(s);
}

static void serial_set_ier(struct serial *s, uint8_t v)
{
	/* Enabling the interrupt of an empty transmitter raises it. */
	if (v & ~s->ier & UART_IER_THRI)
		s->thre = s->head - s->tail < SERIAL_OUT;
	s->ier = v & (UART_IER_RDI | UART_IER_THRI | UART_IER_RLSI | UART_IER_MSI);
	serial_line(s);
}

static void serial_set(struct serial *s, uint64_t reg, uint8_t v)
{
	bool dlab = s->lcr & UART_LCR_DLAB;

	switch (reg) {
	case UART_TX:
		if (dlab)
			s->dll = v;
		else
			serial_transmit(s, v);
		break;
	case UART_IER:
		if (dlab)
			s->dlm = v;
		else
			serial_set_ier(s, v);
		break;
	case UART_FCR:
		serial_set_fcr(s, v);
		break;
	case UART_LCR:
		s->lcr = v;
		break;
	case UART_MCR:
		s->mcr = v & 0x1f;
		break;
	case UART_SCR:
		s->scr = v;
		break;
	}
}

/* A wider access is one of each register, as the bus of a PC splits it. */
static int serial_read(void *dev, uint64_t offset, void *data, unsigned int len)
{
	uint8_t *to = data;
	unsigned int i;

	for (i = 0; i < len; i++)
		to[i] = serial_get(dev, offset + i);
	return 0;
}

static int serial_write(void *dev, uint64_t offset, const void *data, unsigned int len)
{
	const uint8_t *from = data;
	unsigned int i;

	for (i = 0; i < len; i++)
		serial_set(dev, offset + i, from[i]);
	return 0;
}

static void serial_destroy(void *dev)
{
	struct serial *s = dev;
	struct bus *bus = kvm_bus(s->vm);

	bus_remove(bus, &s->range);
	bus_poll_remove(bus, &s->timer);
	bus_poll_remove(bus, &s->space);
	/* The guest's last words; what a full pipe does not take is lost. */
	if (s->pollable)
		fcntl(s->space.fd, F_SETFL, fcntl(s->space.fd, F_GETFL) | O_NONBLOCK);
	while (s->head != s->tail && !serial_write_some(s))
		;
	cleanup_closep(&s->timer.fd);
	cleanup_closep(&s->space.fd);
	free(s);
}

static int serial_open(struct serial *s, int console)
{
	struct bus *bus = kvm_bus(s->vm);
	int err;

	s->space.fd = fcntl(console, F_DUPFD_CLOEXEC, 3);
	s->timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->space.fd < 0 || s->timer.fd < 0)
		return -errno;
	err = bus_poll_set(bus, &s->space, EPOLLOUT);
	s->pollable = err != -EPERM; /* epoll_ctl(2): a regular file */
	if (err && s->pollable)
		return err;
	s->space.events = s->pollable ? EPOLLOUT : 0;
	bus_poll_set(bus, &s->space, 0);
	err = bus_poll_add(bus, &s->timer);
	return err ?: bus_add(bus, &s->range);
}

static int serial_init(struct kvm_vm *vm, void **dev)
{
	struct serial *s = xcalloc(1, sizeof(*s));
	int err;

	*s = (struct serial){
		.vm = vm,
		.thre = true,
		.range = {.name = "serial",
			  .base = PORT_COM1,
			  .len = SERIAL_PORTS,
			  .read = serial_read,
			  .write = serial_write,
			  .dev = s},
		.timer = {.fd = -1, .events = EPOLLIN, .ready = serial_timer, .dev = s},
		.space = {.fd = -1, .ready = serial_space, .dev = s},
	};
	err = serial_open(s, kvm_config(vm)->console);
	if (err) {
		serial_destroy(s);
		return err;
	}
	*dev = s;
	return 0;
}

const struct kvm_device kvm_serial = {
	.name = "serial port",
	.init = serial_init,
	.destroy = serial_destroy,
};
