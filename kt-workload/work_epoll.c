// SPDX-License-Identifier: GPL-2.0
/*
 * Wake-up family, epoll: many wait for the same events.
 *
 * epoll-storm: producers write bursts of events to eventfds, consumers wait for them in
 * epoll_wait(2) on one epoll instance: ep_poll_callback(), exclusive waits that take themselves off
 * the queue (autoremove_wake_function()), one wake-up for each event although others may take it
 * first. A producer's work unit is one event written, a consumer's one event taken. An iteration is
 * a burst (producers) or a return from epoll_wait(2). A producer sends its next burst when the last
 * one has been taken.
 *
 * The wake latency of a producer is the time from the consumer's mark that the burst is gone to the
 * producer running. Whom an event wakes is the kernel's choice, so consumers take their wake
 * latency from the kernel, too: the run delay (schedstat) that came up during a wait that did
 * block. Where the kernel keeps none, they have no wake latency.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "exact_wait.h"
#include "work_common.h"
#include "work_wait.h"

#define WAIT_MAX_MS 1000

enum { EPOLL_PRODUCERS, EPOLL_CONSUMERS, EPOLL_EVENTS };

/* Shared by the group, one for each producer. */
struct burst {
	_Atomic uint32_t left; /* events not taken yet */
} __attribute__((aligned(64)));

static int epoll_storm_complete(struct work_spec *spec, char **why)
{
	(void)why;
	spec->group = spec->values[EPOLL_PRODUCERS] + spec->values[EPOLL_CONSUMERS];
	spec->shared_size = spec->values[EPOLL_PRODUCERS] * sizeof(struct burst);
	spec->fds = 1 + spec->values[EPOLL_PRODUCERS];
	return 0;
}

/* The epoll instance is the first descriptor, the producers' eventfds follow. */
static int epoll_storm_prepare(const struct work_spec *spec, int *fds)
{
	uint32_t i;

	fds[0] = epoll_create1(EPOLL_CLOEXEC);
	if (fds[0] < 0)
		return -errno;
	for (i = 1; i < spec->fds; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.u32 = i - 1};

		fds[i] = eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
		if (fds[i] < 0 || epoll_ctl(fds[0], EPOLL_CTL_ADD, fds[i], &event))
			return -errno;
	}
	return 0;
}

static int epoll_storm_setup(struct worker *w)
{
	w->fd = run_delay_open();
	return 0;
}

/* What the worker has waited for a CPU so far, in ns. Returns false where that is not known. */
static bool run_delay(const struct worker *w, uint64_t *ns)
{
	char buf[96], *end;
	ssize_t n = w->fd < 0 ? -1 : pread(w->fd, buf, sizeof(buf) - 1, 0);

	if (n <= 0)
		return false;
	buf[n] = '\0';
	strtoull(buf, &end, 10);
	*ns = strtoull(end, NULL, 10);
	return true;
}

static void producer(struct worker *w)
{
	uint32_t rank = work_rank(w), left;
	struct burst *burst = (struct burst *)w->shared + rank;
	const uint64_t one = 1;
	uint64_t i;

	for (;;) {
		atomic_store(&burst->left, w->spec->values[EPOLL_EVENTS]);
		for (i = 0; i < w->spec->values[EPOLL_EVENTS]; i++) {
			if (write(w->fds[1 + rank], &one, sizeof(one)) < 0)
				return;
			if (!worker_checkpoint(w, 1))
				return;
		}
		worker_wait_begin(w, DUE_UNKNOWN);
		worker_checkpoint(w, 0);
		while ((left = atomic_load(&burst->left)) && !work_stopping(w))
			work_futex_wait(w, &burst->left, left);
		if (!worker_wait_end(w, !left))
			return;
		worker_iteration(w);
	}
}

/*
 * Wait until there are events; nothing was there a moment ago. Returns how many there are, or
 * -errno.
 */
static int consumer_wait(struct worker *w, struct epoll_event *event, bool *more)
{
	uint64_t stop = atomic_load(&w->rec->stop_ns), before, after, back, now, ticks, held;
	bool known = run_delay(w, &before);
	struct exact_times t;
	uint64_t ms;
	int n;

	ticks = ticks_now();
	now = worker_clock_at(&w->clock, ticks);
	*more = worker_checkpoint_at(w, 0, now);
	ms = now < stop ? (stop - now) / NSEC_PER_MSEC + 1 : 0;
	worker_wait_begin(w, DUE_UNKNOWN);
	n = exact_epoll_wait(w->fds[0], event, ms < WAIT_MAX_MS ? ms : WAIT_MAX_MS, &t);
	back = worker_now(w);
	if (n == -EAGAIN) {
		/* Held up on the way: the checkpoint that follows has that as a gap. */
		atomic_store_explicit(&w->rec->due_ns, DUE_RUNNING, memory_order_relaxed);
		*more = worker_checkpoint_at(w, 0, back);
		return n;
	}
	/* From its return on it runs: being held up there is no wait. */
	back -= worker_clock_length(&w->clock, ticks_now() - t.end);
	/* Up to its begin it ran, too. */
	held = worker_clock_length(&w->clock, t.begin - ticks);
	worker_checkpoint_at(w, 0, now + held < back ? now + held : back);
	if (n > 0 && known && run_delay(w, &after))
		worker_wait_begin(w, back - (after - before));
	else
		worker_wait_begin(w, back);
	*more = worker_wait_end(w, n > 0 && known);
	return n;
}

static void consumer(struct worker *w)
{
	struct burst *bursts = w->shared;
	struct epoll_event event;
	bool more = true;
	uint64_t taken;

	while (more) {
		int n = epoll_wait(w->fds[0], &event, 1, 0);

		if (n == 0)
			n = consumer_wait(w, &event, &more);
		if (n <= 0) {
			more = more && worker_checkpoint(w, 0);
			continue;
		}
		worker_iteration(w);
		/* Someone else may have taken it. */
		if (read(w->fds[1 + event.data.u32], &taken, sizeof(taken)) < 0) {
			more = worker_checkpoint(w, 0);
			continue;
		}
		more = worker_checkpoint(w, 1);
		if (atomic_fetch_sub(&bursts[event.data.u32].left, 1) == 1) {
			record_wake(w, work_peer(w, event.data.u32));
			work_futex_wake(&bursts[event.data.u32].left, 1);
		}
	}
}

static void epoll_storm(struct worker *w)
{
	if (work_rank(w) < w->spec->values[EPOLL_PRODUCERS])
		producer(w);
	else
		consumer(w);
}

const struct work_type work_epoll_types[] = {
	{
		.name = "epoll-storm",
		.family = "wakeup",
		.unit = "one event written (producers, the first of a group) or taken (consumers)",
		.path = "epoll's exclusive wake-ups, several waiting for the same events",
		.about =
			"Producers write bursts of events to eventfds, consumers wait for them on one "
			"epoll instance; the next burst comes when the last one is taken.",
		.wake = "the wake-up as the kernel saw it (run delay); for producers from the moment "
			"at which the last event was taken",
		.params = {[EPOLL_PRODUCERS] = {"producers", PARAM_COUNT, 1, 1, 64,
						"producers of a group"},
			   [EPOLL_CONSUMERS] = {"consumers", PARAM_COUNT, 2, 1, 1024,
						"consumers of a group"},
			   [EPOLL_EVENTS] = {"events", PARAM_COUNT, 32, 1, 1000000,
					     "events in a burst"}},
		.blocks = true,
		.group_text = "producers + consumers",
		.complete = epoll_storm_complete,
		.prepare = epoll_storm_prepare,
		.setup = epoll_storm_setup,
		.run = epoll_storm,
	},
	{},
};
