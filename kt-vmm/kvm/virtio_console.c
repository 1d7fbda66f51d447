// SPDX-License-Identifier: GPL-2.0
/*
 * The virtio console with its ports (VIRTIO 1.2, 5.3). Data goes between the guest's buffers and a
 * port's socket without a copy in between, from the engine's thread; where one side does not take
 * more, the other waits in its own buffers. The control queues are served by the vCPU that
 * notifies them: the driver spins until the device has answered.
 */
#include "virtio_console.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "guestconf.h"
#include "virtio_pci.h"

#define CONSOLE_CLASS	 0x078000 /* a communication controller of no known kind */
#define PORT_QUEUE	 128	  /* buffers */
#define CONTROL_QUEUE	 16
#define CONTROL_RECEIVE	 2 /* queue numbers */
#define CONTROL_TRANSMIT 3
#define ROUNDS		 4	   /* batches moved before others get their turn */
#define SOCKET_BUFFER	 (1 << 20) /* asked for; the host may allow less */

/* Messages that a port has for the guest, in the order in which they are sent. */
enum port_news {
	NEWS_ADD = 1 << 0,
	NEWS_NAME = 1 << 1,
	NEWS_OPEN = 1 << 2,
};

static const struct {
	enum port_news news;
	uint16_t event;
} news_events[] = {
	{NEWS_ADD, VIRTIO_CONSOLE_PORT_ADD},
	{NEWS_NAME, VIRTIO_CONSOLE_PORT_NAME},
	{NEWS_OPEN, VIRTIO_CONSOLE_PORT_OPEN},
};

struct console;

struct port {
	struct console *c;
	const char *name;
	unsigned int id;
	struct bus_poll host;
	bool host_open, guest_open;
	bool ended;   /* the host sends no more */
	bool hungry;  /* the guest has buffers for more */
	bool blocked; /* the host does not take more */
	uint8_t news; /* enum port_news */
	struct virtqueue_batch in, out;
};

struct console {
	struct virtio_pci v;
	unsigned int ports;
	struct port *port;
	struct virtqueue_batch control_in, control_out;
};

static unsigned int receive_queue(const struct port *p)
{
	return 2 * (p->id + 1);
}

static unsigned int transmit_queue(const struct port *p)
{
	return receive_queue(p) + 1;
}

static void port_poll(struct port *p)
{
	uint32_t events = 0;

	if (p->host_open && p->guest_open && p->hungry && !p->ended)
		events |= EPOLLIN;
	if (p->host_open && p->blocked)
		events |= EPOLLOUT;
	if (!virtio_live(&p->c->v, receive_queue(p)))
		events = 0;
	if (p->host.fd >= 0)
		bus_poll_set(kvm_bus(p->c->v.vm), &p->host, events);
}

/*
 * Have some chains of queue @n in @b. Returns 1, 0 when there are none and the guest will tell, or
 * -errno when the device has stopped.
 */
static int chains_wanted(struct console *c, unsigned int n, struct virtqueue_batch *b,
			 bool writable)
{
	struct virtqueue *q = virtio_queue(&c->v, n);
	unsigned int round;

	if (!virtio_live(&c->v, n))
		return -EIO;
	for (round = 0; round < ROUNDS; round++) {
		int got = virtqueue_gather(q, b, writable);
		if (got < 0) {
			virtio_broken(&c->v, n);
			return got;
		}
		/* Empty ones are dealt with already. */
		virtqueue_done(q, b, 0, false, writable);
		if (virtqueue_left(b))
			return 1;
		if (!virtqueue_listen(q))
			return 0;
	}
	/* A guest that goes on sending nothing is not waited for. */
	virtio_again(&c->v, n);
	return 0;
}

static size_t news_format(const struct port *p, uint16_t event, uint8_t *message, size_t size)
{
	struct virtio_console_control m = {
		.id = p->id,
		.event = event,
		.value = event != VIRTIO_CONSOLE_PORT_OPEN || p->host_open,
	};
	size_t len = sizeof(m);

	memcpy(message, &m, sizeof(m));
	if (event == VIRTIO_CONSOLE_PORT_NAME) {
		size_t name = strnlen(p->name, size - len);

		memcpy(message + len, p->name, name);
		len += name;
	}
	return len;
}

/* Returns true when the guest had room for it. */
static bool news_send(struct console *c, struct port *p, uint16_t event)
{
	struct virtqueue *q = virtio_queue(&c->v, CONTROL_RECEIVE);
	uint8_t message[64];
	size_t len;

	if (chains_wanted(c, CONTROL_RECEIVE, &c->control_in, true) <= 0)
		return false;
	len = news_format(p, event, message, sizeof(message));
	len = virtqueue_poke(&c->control_in, message, len);
	virtqueue_done(q, &c->control_in, len, true, true);
	return true;
}

static void news_flush(struct console *c)
{
	unsigned int i, k;

	for (i = 0; i < c->ports; i++) {
		struct port *p = &c->port[i];

		for (k = 0; k < ARRAY_SIZE(news_events); k++) {
			if (!(p->news & news_events[k].news))
				continue;
			if (!news_send(c, p, news_events[k].event))
				goto out;
			p->news &= ~news_events[k].news;
		}
	}
out:
	virtio_interrupt(&c->v, CONTROL_RECEIVE);
}

static void port_hang_up(struct port *p)
{
	p->host_open = p->blocked = false;
	p->news |= NEWS_OPEN;
	news_flush(p->c);
}

/* A host that says no more may listen still. */
static bool host_gone(const struct port *p)
{
	struct pollfd fd = {.fd = p->host.fd};

	return poll(&fd, 1, 0) == 1 && fd.revents & (POLLHUP | POLLERR);
}

/* From the host into the guest's buffers. Returns false when there is nothing more for now. */
static bool port_receive_some(struct port *p)
{
	struct virtqueue *q = virtio_queue(&p->c->v, receive_queue(p));
	struct virtqueue_batch *b = &p->in;
	struct msghdr m = {0};
	ssize_t n;

	p->hungry = chains_wanted(p->c, receive_queue(p), b, true) > 0;
	if (!p->hungry)
		return false;
	m.msg_iov = b->iov + b->iov_first;
	m.msg_iovlen = b->iov_end - b->iov_first;
	n = recvmsg(p->host.fd, &m, MSG_DONTWAIT);
	if (n > 0) {
		virtqueue_done(q, b, n, true, true);
	} else if (n == 0) {
		p->ended = true;
		if (host_gone(p))
			port_hang_up(p);
	} else if (errno != EAGAIN && errno != EINTR) {
		port_hang_up(p);
	}
	return n > 0;
}

static void port_receive(struct port *p)
{
	unsigned int round;
	bool more = true;

	for (round = 0; round < ROUNDS && more; round++)
		more = p->guest_open && p->host_open && !p->ended && port_receive_some(p);
	/* What the host still has for us makes poll come back. */
	if (virtio_live(&p->c->v, receive_queue(p)))
		virtio_interrupt(&p->c->v, receive_queue(p));
	port_poll(p);
}

/* From the guest's buffers to the host. Returns false when there is nothing more for now. */
static bool port_transmit_some(struct port *p)
{
	struct virtqueue *q = virtio_queue(&p->c->v, transmit_queue(p));
	struct virtqueue_batch *b = &p->out;
	struct msghdr m = {0};
	ssize_t n;

	if (chains_wanted(p->c, transmit_queue(p), b, false) <= 0)
		return false;
	m.msg_iov = b->iov + b->iov_first;
	m.msg_iovlen = b->iov_end - b->iov_first;
	/* Where nobody listens it is gone. */
	n = p->host_open ? sendmsg(p->host.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL)
			 : (ssize_t)virtqueue_left(b);
	if (n < 0 && errno == EAGAIN) {
		p->blocked = true;
		return false;
	}
	if (n < 0 && errno != EINTR)
		port_hang_up(p);
	virtqueue_done(q, b, n > 0 ? n : 0, false, false);
	return true;
}

static void port_transmit(struct port *p)
{
	unsigned int round;
	bool more = !p->blocked;

	for (round = 0; round < ROUNDS && more; round++)
		more = port_transmit_some(p);
	if (more)
		virtio_again(&p->c->v, transmit_queue(p));
	if (virtio_live(&p->c->v, transmit_queue(p)))
		virtio_interrupt(&p->c->v, transmit_queue(p));
	port_poll(p);
}

static void port_ready(void *dev, uint32_t events)
{
	struct port *p = dev;

	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) {
		p->blocked = false;
		port_transmit(p);
	}
	port_receive(p);
}

/* What the guest says on the control queue. Messages that make no sense are nobody's. */
static void control_message(struct console *c, const struct virtio_console_control *m)
{
	struct port *p = NULL;
	unsigned int i;

	if (m->id >= 1 && m->id <= c->ports)
		p = &c->port[m->id - 1];
	if (m->event == VIRTIO_CONSOLE_DEVICE_READY && m->value) {
		for (i = 0; i < c->ports; i++)
			c->port[i].news |= NEWS_ADD;
	} else if (p && m->event == VIRTIO_CONSOLE_PORT_READY && m->value) {
		p->news |= NEWS_NAME | NEWS_OPEN;
	} else if (p && m->event == VIRTIO_CONSOLE_PORT_OPEN) {
		p->guest_open = m->value;
		port_receive(p);
	}
}

static void control_transmit(struct console *c)
{
	struct virtqueue *q = virtio_queue(&c->v, CONTROL_TRANSMIT);
	struct virtqueue_batch *b = &c->control_out;
	unsigned int n;

	for (n = 0; n < CONTROL_QUEUE && chains_wanted(c, CONTROL_TRANSMIT, b, false) > 0; n++) {
		struct virtio_console_control m;
		size_t len = virtqueue_peek(b, &m, sizeof(m));

		virtqueue_done(q, b, virtqueue_first(b), false, false);
		if (len == sizeof(m))
			control_message(c, &m);
	}
	if (virtio_live(&c->v, CONTROL_TRANSMIT))
		virtio_interrupt(&c->v, CONTROL_TRANSMIT);
	news_flush(c);
}

static void console_notify(void *dev, unsigned int n)
{
	struct console *c = dev;
	struct port *p;

	if (n == CONTROL_RECEIVE)
		news_flush(c);
	else if (n == CONTROL_TRANSMIT)
		control_transmit(c);
	if (n < 4)
		return;
	p = &c->port[n / 2 - 2];
	if (n % 2)
		port_transmit(p);
	else
		port_receive(p);
}

static void batch_drop(struct virtqueue_batch *b)
{
	b->iov_first = b->iov_end = b->chain_first = b->chain_end = 0;
}

static void console_reset(void *dev)
{
	struct console *c = dev;
	unsigned int i;

	batch_drop(&c->control_in);
	batch_drop(&c->control_out);
	for (i = 0; i < c->ports; i++) {
		struct port *p = &c->port[i];

		batch_drop(&p->in);
		batch_drop(&p->out);
		p->guest_open = p->hungry = p->blocked = false;
		p->news = 0;
		port_poll(p);
	}
}

static void console_config(void *dev, uint64_t offset, void *data, unsigned int len)
{
	const struct console *c = dev;
	struct virtio_console_config config = {.max_nr_ports = c->ports + 1};

	if (offset < sizeof(config))
		memcpy(data, (const uint8_t *)&config + offset,
		       len < sizeof(config) - offset ? len : sizeof(config) - offset);
}

static const struct virtio_ops console_ops = {
	.name = "virtio-console",
	.id = VIRTIO_ID_CONSOLE,
	.class_code = CONSOLE_CLASS,
	.features = 1ULL << VIRTIO_CONSOLE_F_MULTIPORT,
	.config = console_config,
	.reset = console_reset,
	.notify = console_notify,
};

static void console_destroy(void *dev)
{
	struct console *c = dev;
	unsigned int i;

	/* What the guest has sent before its end is sent, as far as it is taken at once. */
	for (i = 0; i < c->ports; i++) {
		while (!c->port[i].blocked && port_transmit_some(&c->port[i]))
			;
	}
	virtio_pci_destroy(&c->v);
	for (i = 0; i < c->ports; i++) {
		if (c->port[i].host.fd < 0)
			continue;
		bus_poll_remove(kvm_bus(c->v.vm), &c->port[i].host);
		close(c->port[i].host.fd);
	}
	free(c->port);
	free(c);
}

static int port_open(struct port *p, int fd)
{
	int size = SOCKET_BUFFER;

	if (fd < 0)
		return 0;
	p->host.fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (p->host.fd < 0)
		return -errno;
	setsockopt(p->host.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	p->host_open = true;
	return 0;
}

int virtio_console_create(struct kvm_vm *vm, const struct console_port *ports, unsigned int n,
			  void **dev)
{
	struct console *c = xcalloc(1, sizeof(*c));
	uint16_t size[VIRTIO_MAX_QUEUES];
	bool threaded[VIRTIO_MAX_QUEUES];
	unsigned int i, queues = 2 * (n + 2);
	int err = n > CONSOLE_MAX_PORTS ? -E2BIG : 0;

	c->v.vm = vm;
	c->port = xcalloc(n ?: 1, sizeof(*c->port));
	for (; c->ports < n && !err; c->ports++) {
		struct port *p = &c->port[c->ports];

		*p = (struct port){.c = c,
				   .id = c->ports + 1,
				   .name = ports[c->ports].name,
				   .host = {.fd = -1, .ready = port_ready, .dev = p}};
		err = port_open(p, ports[c->ports].fd);
	}
	for (i = 0; i < queues && !err; i++) {
		size[i] = i < 4 ? CONTROL_QUEUE : PORT_QUEUE;
		threaded[i] = i >= 4;
	}
	err = err ?: virtio_pci_init(&c->v, vm, &console_ops, c, size, queues, threaded);
	if (err) {
		console_destroy(c);
		return err;
	}
	*dev = c;
	return 0;
}

static int console_init(struct kvm_vm *vm, void **dev)
{
	const struct console_port kt = {GUEST_PORT_NAME, kvm_config(vm)->channel};

	return virtio_console_create(vm, &kt, 1, dev);
}

const struct kvm_device kvm_virtio_console = {
	.name = "virtio-console",
	.init = console_init,
	.destroy = console_destroy,
};
