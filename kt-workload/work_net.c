// SPDX-License-Identifier: GPL-2.0
/*
 * Timers and interrupts family, second part: workers that live with the network's softirq.
 *
 * net-traffic sends frames to itself, 32 of 1 KiB in a burst, and takes them in again: transmit,
 * the NET_RX softirq on the same CPU (veth_xmit(), process_backlog(), packet_rcv()), which is time
 * that the scheduler takes from whoever runs, and ksoftirqd when there is too much of it. A work
 * unit is one frame sent and received, an iteration one burst. It does not block unless frames are
 * late. The metric net_bytes counts what came through.
 *
 * irq-wake comes in pairs: the first sends a frame of 64 bytes every interval, the second sleeps in
 * recv(2) and is woken by the softirq that delivers it (sock_def_readable(), a wake-up from
 * interrupt context, with no waker that a scheduler could follow). A work unit is one frame sent or
 * received, and so is an iteration. The wake latency is the receiver's, from the moment just before
 * the frame is sent; the sender's sleeps are not in it.
 *
 * Each worker, or pair, has a network namespace of its own with a veth pair in it, and loopback in
 * that namespace where the kernel has no veth: the metric veth is 1 or 0, and -v says it in words.
 * The source of the interrupt is the sending CPU's NET_RX softirq in both. Nothing of the host's
 * network is touched. Needs CAP_SYS_ADMIN (for the namespace) and CAP_NET_RAW.
 */
#include "work_common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/ethernet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "veth.h"

#define BURST	    32
#define FRAME_SIZE  1024
#define SIGNAL_SIZE 64
#define LATE_NS	    NSEC_PER_MSEC
#define PEER_TRIES  3000 /* of 1 ms, for the partner's network */

struct net {
	struct veth veth;
	int tx, rx; /* sockets */
	char frame[FRAME_SIZE];
};

static int network_make(struct worker *w, struct net *n)
{
	int ret;

	if (unshare(CLONE_NEWNET))
		return worker_fail(w, errno, "%s needs CAP_SYS_ADMIN for a network namespace",
				   w->spec->type->name);
	ret = veth_open(&n->veth);
	if (ret)
		return worker_fail(w, -ret, "cannot set up a veth pair or loopback");
	if (w->index == 0)
		info("%s: %s in a network namespace of its own; interrupt source: NET_RX softirq "
		     "of the sending CPU",
		     w->spec->type->name, n->veth.is_veth ? "a veth pair" : "loopback");
	return 0;
}

static int sockets_open(struct worker *w, struct net *n)
{
	struct ether_header header = {.ether_type = htons(VETH_ETHERTYPE)};

	memset(header.ether_dhost, 0xff, sizeof(header.ether_dhost));
	memcpy(n->frame, &header, sizeof(header));
	n->tx = veth_socket(n->veth.ends[0]);
	if (n->tx >= 0)
		n->rx = veth_socket(n->veth.ends[1]);
	if (n->tx < 0 || n->rx < 0)
		return worker_fail(w, n->tx < 0 ? -n->tx : -n->rx,
				   "%s needs CAP_NET_RAW for a packet socket", w->spec->type->name);
	return 0;
}

static int traffic_setup(struct worker *w)
{
	struct net *n = worker_memory(w, sizeof(*n));
	int ret;

	if (!n)
		return -ENOMEM;
	w->own = n;
	ret = network_make(w, n);
	return ret ? ret : sockets_open(w, n);
}

static bool send_burst(struct worker *w, struct net *n, unsigned int *sent)
{
	for (*sent = 0; *sent < BURST; ++*sent) {
		if (veth_send(n->tx, n->veth.ends[0], n->frame, FRAME_SIZE))
			break; /* no buffers: a lighter load */
		if (*sent % 8 == 7 && !worker_checkpoint(w, 0))
			return false;
	}
	return worker_checkpoint(w, 0);
}

/* Take in up to @sent frames; those that are late by more than a millisecond are given up. */
static bool take_burst(struct worker *w, struct net *n, unsigned int sent, uint64_t *bytes)
{
	struct pollfd pfd = {.fd = n->rx, .events = POLLIN};
	struct timespec late = {.tv_nsec = LATE_NS};
	unsigned int got = 0;

	while (got < sent) {
		ssize_t size = recv(n->rx, n->frame, FRAME_SIZE, MSG_DONTWAIT);

		if (size > 0) {
			got++;
			*bytes += size;
			if (!worker_checkpoint(w, 1))
				return false;
			continue;
		}
		worker_wait_begin(w, worker_now(w) + LATE_NS);
		worker_checkpoint(w, 0);
		size = ppoll(&pfd, 1, &late, NULL);
		if (!worker_wait_end(w, false))
			return false;
		if (size <= 0)
			break;
	}
	worker_iteration(w);
	return true;
}

static void net_traffic(struct worker *w)
{
	struct net *n = w->own;
	unsigned int sent;
	uint64_t bytes = 0;

	while (send_burst(w, n, &sent) && take_burst(w, n, sent, &bytes))
		;
	w->rec->metrics[0] = (struct metric){.name = "net_bytes", .amount = bytes};
	w->rec->metrics[1] = (struct metric){"veth", n->veth.is_veth, 1};
}

/* How the second of a pair finds the first one's network. */
struct pair {
	_Atomic int tid; /* of the first, once its network is there; below 0 it failed */
	struct veth veth;
};

static int pair_join(struct worker *w, struct net *n)
{
	struct pair *pair = w->shared;
	struct timespec pause = {.tv_nsec = NSEC_PER_MSEC};
	_cleanup_close_ int fd = -1;
	char path[40];
	int tries;

	for (tries = 0; !atomic_load(&pair->tid) && tries < PEER_TRIES; tries++)
		nanosleep(&pause, NULL);
	if (atomic_load(&pair->tid) <= 0)
		return worker_fail(w, ESRCH, "its partner has no network");
	snprintf(path, sizeof(path), "/proc/%d/ns/net", atomic_load(&pair->tid));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		return worker_fail(w, errno, "cannot join its partner's network namespace");
	n->veth = pair->veth;
	return 0;
}

static int irq_setup(struct worker *w)
{
	struct net *n = worker_memory(w, sizeof(*n));
	struct pair *pair = w->shared;
	int ret;

	if (!n)
		return -ENOMEM;
	w->own = n;
	if (w->index & 1) {
		ret = pair_join(w, n);
	} else {
		ret = network_make(w, n);
		pair->veth = n->veth;
		atomic_store(&pair->tid, ret ? -1 : gettid());
	}
	return ret ? ret : sockets_open(w, n);
}

enum { IRQ_INTERVAL };

static void irq_send(struct worker *w)
{
	struct net *n = w->own;
	struct record *receiver = w->peers[w->index ^ 1];
	uint64_t interval = w->spec->values[IRQ_INTERVAL], next = worker_now(w);
	bool more = true;

	while (more) {
		uint64_t seen = atomic_load_explicit(&w->rec->last_ns, memory_order_relaxed);

		next = next + interval > seen ? next + interval : seen;
		if (!worker_pause_until(w, next))
			break;
		record_wake(w, receiver);
		worker_iteration(w);
		more = worker_checkpoint(w,
					 !veth_send(n->tx, n->veth.ends[0], n->frame, SIGNAL_SIZE));
	}
}

static void irq_receive(struct worker *w)
{
	struct net *n = w->own;
	bool more = true;

	while (more) {
		bool got;

		worker_wait_begin(w, DUE_UNKNOWN);
		worker_checkpoint(w, 0);
		got = recv(n->rx, n->frame, FRAME_SIZE, 0) > 0;
		w->tally->units += got;
		w->tally->iterations += got;
		more = worker_wait_end(w, got);
	}
}

static void irq_wake(struct worker *w)
{
	const struct net *n = w->own;

	if (w->index & 1)
		irq_receive(w);
	else
		irq_send(w);
	w->rec->metrics[0] = (struct metric){"veth", n->veth.is_veth, 1};
}

const struct work_type work_net_types[] = {
	{
		.name = "net-traffic",
		.family = "timer",
		.unit = "one frame of 1 KiB sent and received",
		.path = "transmit, the NET_RX softirq and ksoftirqd",
		.about =
			"Sends bursts of 32 frames to itself over a veth pair in a network "
			"namespace of its own, or over that namespace's loopback where there is no "
			"veth (the metric veth says which). It does not block. The metric "
			"net_bytes counts what came through. Needs CAP_SYS_ADMIN and CAP_NET_RAW.",
		.setup = traffic_setup,
		.run = net_traffic,
	},
	{
		.name = "irq-wake",
		.family = "timer",
		.unit = "one frame of 64 bytes sent or received",
		.path = "wake-ups from a softirq, with no waker to follow",
		.about = "The first of two sends the second a frame every interval, over a network "
			 "as net-traffic's; the NET_RX softirq of the sending CPU wakes the "
			 "second. Needs CAP_SYS_ADMIN and CAP_NET_RAW.",
		.wake = "the moment just before the frame is sent",
		.params = {[IRQ_INTERVAL] = {"interval", PARAM_DURATION, NSEC_PER_MSEC, 10000,
					     3600 * NSEC_PER_SEC, "time between frames"}},
		.blocks = true,
		.group = 2,
		.shared_size = sizeof(struct pair),
		.setup = irq_setup,
		.run = irq_wake,
	},
	{},
};
