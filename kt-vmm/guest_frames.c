// SPDX-License-Identifier: GPL-2.0
/*
 * What the guest says over the channel, frame by frame. The guest is not trusted: whatever breaks
 * the protocol ends the run.
 */
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "printable.h"
#include "status.h"
#include "vm_state.h"
#include "write_all.h"

#define POWER_OFF_TIMEOUT_NS 20000000000ULL /* from EXIT to the end of the VM */

static void rundir_failed(struct vm *vm, int err)
{
	outcome_set(&vm->r->outcome, "failed", STATUS_VMM,
		    xasprintf("run directory: %s", strerror(-err)));
}

void guest_output_flush(struct vm *vm)
{
	struct pending *p = &vm->pending;

	while (p->len) {
		struct pollfd ready = {p->fd, POLLOUT, 0};
		ssize_t n;

		if (poll(&ready, 1, 0) <= 0)
			return;
		/* A pipe that is writable takes this much without blocking (pipe(7)). */
		n = write(p->fd, p->data, p->len < PIPE_BUF ? p->len : PIPE_BUF);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			return;
		if (n < 0) {
			p->len = 0;
			outcome_set(&vm->r->outcome, errno == EPIPE ? "interrupted" : "failed",
				    errno == EPIPE ? STATUS_SIGNAL + SIGPIPE : STATUS_VMM,
				    errno == EPIPE ? xstrdup("nobody reads the output")
						   : xasprintf("stdout: %s", strerror(errno)));
			return;
		}
		p->data += n;
		p->len -= n;
	}
}

/* Pass guest output on to the run's file and, unless @stream is -1, to our own stream. */
static void output(struct vm *vm, const struct frame *f, int stream, int file)
{
	int err = write_all(file, f->data, f->len);

	if (err) {
		rundir_failed(vm, err);
	} else if (stream >= 0) {
		vm->pending = (struct pending){stream, f->data, f->len};
		guest_output_flush(vm);
	}
}

void guest_broke_channel(struct vm *vm, const char *what)
{
	outcome_set(&vm->r->outcome, "guest-died", STATUS_GUEST_DIED,
		    xasprintf("the guest broke the channel's protocol: %s", what));
}

static void hello(struct vm *vm, const struct frame *f)
{
	json_t *h = json_loadb((const char *)f->data, f->len, JSON_REJECT_DUPLICATES, NULL);
	const char *kernel = json_string_value(json_object_get(h, "kernel"));
	json_int_t cpus = json_integer_value(json_object_get(h, "cpus"));

	if (!kernel || cpus < 1 || cpus > TOPOLOGY_MAX_CPUS || vm->r->hello) {
		guest_broke_channel(vm, vm->r->hello ? "a second HELLO" : "malformed HELLO");
	} else {
		vm->r->hello = true;
		vm->r->kernel = printable_copy(kernel, 128);
		vm->r->cpus = cpus;
		vm->r->vmcoreinfo_addr = json_integer_value(json_object_get(h, "vmcoreinfo_addr"));
		vm->r->vmcoreinfo_size = json_integer_value(json_object_get(h, "vmcoreinfo_size"));
		vm->r->boot_ns = now_ns() - vm->start;
		info("guest is up after %.2f s: %s, %u CPUs", vm->r->boot_ns / 1e9, vm->r->kernel,
		     vm->r->cpus);
		if (cpus != topology_cpus(&vm->config.machine->topology))
			warn("the guest brought up %u of %u CPUs", vm->r->cpus,
			     topology_cpus(&vm->config.machine->topology));
		vm_deadline_set(vm, vm->o->timeout_ns);
		if (vm->o->terminal)
			vm_send_winsize(vm);
		triggers_hello(vm);
	}
	json_decref(h);
}

/* Stored as a line of its own; the guest cannot break the file's format. */
void vm_event_log(struct vm *vm, const json_t *event)
{
	_cleanup_free_ char *line = json_dumps(event, JSON_COMPACT);
	int err;

	control_event(&vm->control, vm, event);
	debug("event: %s", line);
	err = write_all(vm->o->sinks.events, line, strlen(line));
	if (!err)
		err = write_all(vm->o->sinks.events, "\n", 1);
	if (err)
		rundir_failed(vm, err);
}

static void event(struct vm *vm, const struct frame *f)
{
	json_t *e = json_loadb((const char *)f->data, f->len, JSON_REJECT_DUPLICATES, NULL);

	if (json_is_object(e)) {
		vm_event_log(vm, e);
		triggers_event(vm, e);
	} else {
		guest_broke_channel(vm, "an event that is no JSON object");
	}
	json_decref(e);
}

static void credit(struct vm *vm, const struct frame *f)
{
	uint32_t more;

	if (f->len != sizeof(more)) {
		guest_broke_channel(vm, "malformed CREDIT");
		return;
	}
	memcpy(&more, f->data, sizeof(more));
	if (__builtin_add_overflow(vm->credit, more, &vm->credit))
		guest_broke_channel(vm, "CREDIT overflow");
}

void guest_frame(struct vm *vm, const struct frame *f)
{
	if (!vm->r->hello && f->type != FRAME_HELLO) {
		guest_broke_channel(vm, "expected HELLO first");
		return;
	}
	if (vm->pinged && !vm->ponged) {
		vm->ponged = true;
		vm->deadline = 0; /* judge at once */
	}
	switch (f->type) {
	case FRAME_HELLO:
		hello(vm, f);
		break;
	case FRAME_STDOUT:
		output(vm, f, STDOUT_FILENO, vm->o->sinks.stats);
		break;
	case FRAME_STDERR:
		output(vm, f, STDERR_FILENO, vm->o->sinks.err);
		break;
	case FRAME_SCHED:
		output(vm, f, diag_verbosity() ? STDERR_FILENO : -1, vm->o->sinks.sched);
		break;
	case FRAME_EVENT:
		event(vm, f);
		break;
	case FRAME_REQUEST:
		guest_request(vm, f);
		break;
	case FRAME_CREDIT:
		credit(vm, f);
		break;
	case FRAME_PONG:
		break; /* it counts as any other frame does */
	case FRAME_EXIT:
		if (outcome_from_exit(&vm->r->outcome, f->data, f->len))
			guest_broke_channel(vm, "malformed EXIT");
		else
			vm_send(vm, FRAME_BYE, NULL, 0);
		vm_deadline_set(vm, POWER_OFF_TIMEOUT_NS);
		break;
	default:
		guest_broke_channel(vm, "a frame that only the host may send");
	}
}
