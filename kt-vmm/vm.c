// SPDX-License-Identifier: GPL-2.0
/*
 * The event loop of a running VM: the guest's channel, our stdin, signals and deadlines. Guest
 * output is written where it goes at once, so a slow reader slows the guest, not the memory.
 */
#include "vm.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "frame.h"
#include "status.h"
#include "terminal.h"

#define POWER_OFF_TIMEOUT_NS 20000000000ULL /* from EXIT to the end of the VM */
#define PING_TIMEOUT_NS	     5000000000ULL  /* for an answer when time is up */
#define PANIC_TIMEOUT_NS     10000000000ULL /* for a panicked kernel to reset */
#define CONSOLE_SCAN_MS	     100
#define CHANNEL_TAIL_MS	     5 /* how often a deterministic run's channel file is looked at */
#define CONSOLE_MAX_BYTES    (256ULL << 20)

struct vm {
	const struct vm_options *o;
	struct vm_result *r;
	struct engine engine;
	struct engine_config config;
	struct frame_reader reader;
	int channel; /* our end: a socket, or a file that grows */
	int signals;
	int stdin_fd;	 /* -1 when there is nothing more to forward */
	uint32_t credit; /* bytes of stdin that the guest takes */
	uint64_t start, deadline;
	const char *waiting_for; /* what the deadline is about */
	bool channel_closed, pinged, ponged, ended;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void deadline_set(struct vm *vm, uint64_t after_ns, const char *what)
{
	vm->deadline = after_ns ? now_ns() + after_ns : UINT64_MAX;
	vm->waiting_for = what;
}

static int write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EAGAIN) {
			poll(&(struct pollfd){fd, POLLOUT, 0}, 1, -1);
			continue;
		}
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			p += n;
			len -= n;
		}
	}
	return 0;
}

/* Pass guest output on to the run's file and, unless @stream is -1, to our own stream. */
static void output(struct vm *vm, const struct frame *f, int stream, int file)
{
	int err = file >= 0 ? write_all(file, f->data, f->len) : 0;

	if (err) {
		outcome_set(&vm->r->outcome, "failed", STATUS_VMM,
			    xasprintf("run directory: %s", strerror(-err)));
		return;
	}
	err = stream >= 0 ? write_all(stream, f->data, f->len) : 0;
	if (err == -EPIPE)
		outcome_set(&vm->r->outcome, "interrupted", STATUS_SIGNAL + SIGPIPE,
			    xstrdup("nobody reads the output"));
	else if (err)
		outcome_set(&vm->r->outcome, "failed", STATUS_VMM,
			    xasprintf("stdout: %s", strerror(-err)));
}

static void bad_channel(struct vm *vm, const char *what)
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
		bad_channel(vm, vm->r->hello ? "a second HELLO" : "malformed HELLO");
	} else {
		vm->r->hello = true;
		vm->r->kernel = xstrndup(kernel, 128);
		vm->r->cpus = cpus;
		vm->r->boot_ns = now_ns() - vm->start;
		info("guest is up after %.2f s: %s, %u CPUs", vm->r->boot_ns / 1e9, vm->r->kernel,
		     vm->r->cpus);
		if (cpus != topology_cpus(&vm->config.machine->topology))
			warn("the guest brought up %u of %u CPUs", vm->r->cpus,
			     topology_cpus(&vm->config.machine->topology));
		deadline_set(vm, vm->o->timeout_ns, "the command");
		if (vm->o->terminal)
			terminal_send_size(vm->channel);
	}
	json_decref(h);
}

/* An event is stored as a line of its own; the guest cannot break the file's format. */
static void event(struct vm *vm, const struct frame *f)
{
	json_t *e = json_loadb((const char *)f->data, f->len, JSON_REJECT_DUPLICATES, NULL);
	_cleanup_free_ char *line = json_is_object(e) ? json_dumps(e, JSON_COMPACT) : NULL;

	json_decref(e);
	if (!line) {
		bad_channel(vm, "an event that is no JSON object");
		return;
	}
	debug("event: %s", line);
	if (write_all(vm->o->sinks.events, line, strlen(line)) ||
	    write_all(vm->o->sinks.events, "\n", 1))
		outcome_set(&vm->r->outcome, "failed", STATUS_VMM,
			    xasprintf("run directory: %s", strerror(errno)));
}

/* No request is served yet: say so, the scenario reports it at its line. */
static void request(struct vm *vm)
{
	static const char reply[] = "{\"error\":\"this host serves no requests\"}";

	if (!vm->config.deterministic)
		frame_send(vm->channel, FRAME_REPLY, reply, strlen(reply));
}

static void credit(struct vm *vm, const struct frame *f)
{
	uint32_t more;

	if (f->len != sizeof(more)) {
		bad_channel(vm, "malformed CREDIT");
		return;
	}
	memcpy(&more, f->data, sizeof(more));
	if (__builtin_add_overflow(vm->credit, more, &vm->credit))
		bad_channel(vm, "CREDIT overflow");
}

static void guest_frame(struct vm *vm, const struct frame *f)
{
	if (!vm->r->hello && f->type != FRAME_HELLO) {
		bad_channel(vm, "expected HELLO first");
		return;
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
		request(vm);
		break;
	case FRAME_CREDIT:
		credit(vm, f);
		break;
	case FRAME_PONG:
		vm->ponged = true;
		if (vm->pinged)
			vm->deadline = 0; /* judge at once */
		break;
	case FRAME_EXIT:
		if (outcome_from_exit(&vm->r->outcome, f->data, f->len))
			bad_channel(vm, "malformed EXIT");
		else if (!vm->config.deterministic)
			frame_send(vm->channel, FRAME_BYE, NULL, 0);
		deadline_set(vm, POWER_OFF_TIMEOUT_NS, "the guest to power off");
		break;
	default:
		bad_channel(vm, "a frame that only the host may send");
	}
}

/* Read what the channel holds. At the end of a file more may come; of a socket none does. */
static void channel_read(struct vm *vm)
{
	long n = frame_reader_fill(&vm->reader, vm->channel);
	const char *why;
	struct frame f;
	int got;

	if (n <= 0) {
		vm->channel_closed = vm->config.deterministic ? vm->ended : n != -EAGAIN;
		return;
	}
	while ((got = frame_reader_next(&vm->reader, &f, &why)) > 0) {
		/* After EXIT or a failure nothing counts any more. */
		if (!vm->r->outcome.name)
			guest_frame(vm, &f);
	}
	if (got < 0) {
		bad_channel(vm, why);
		vm->channel_closed = true;
	}
}

static void stdin_forward(struct vm *vm)
{
	char buf[16384];
	size_t want = vm->credit < sizeof(buf) ? vm->credit : sizeof(buf);
	ssize_t n = read(vm->stdin_fd, buf, want);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		vm->stdin_fd = -1;
		n = 0;
	}
	vm->credit -= n;
	frame_send(vm->channel, FRAME_STDIN, buf, n);
}

static void freeze_while_stopped(struct vm *vm)
{
	uint64_t before = now_ns();

	if (vm->engine.ops->freeze(&vm->engine))
		warn("cannot freeze the guest");
	terminal_restore();
	raise(SIGSTOP);
	if (vm->o->terminal)
		terminal_raw();
	if (vm->engine.ops->thaw(&vm->engine))
		warn("cannot thaw the guest");
	if (vm->deadline != UINT64_MAX)
		vm->deadline += now_ns() - before;
}

static void signal_read(struct vm *vm)
{
	struct signalfd_siginfo s;

	while (read(vm->signals, &s, sizeof(s)) == sizeof(s)) {
		if (s.ssi_signo == SIGTSTP) {
			freeze_while_stopped(vm);
		} else if (s.ssi_signo == SIGWINCH) {
			if (vm->o->terminal && vm->r->hello)
				terminal_send_size(vm->channel);
		} else {
			outcome_set(&vm->r->outcome, "interrupted", STATUS_SIGNAL + s.ssi_signo,
				    xasprintf("by signal %u (%s)", s.ssi_signo,
					      strsignal(s.ssi_signo)));
			vm->engine.ops->stop(&vm->engine);
		}
	}
}

/* The time for something is up. */
static void deadline_passed(struct vm *vm)
{
	struct outcome *o = &vm->r->outcome;

	if (o->name) { /* the run is judged: the guest only had to go */
		vm->engine.ops->stop(&vm->engine);
		deadline_set(vm, 0, NULL);
	} else if (!vm->r->hello) {
		outcome_set(o, "hang", STATUS_HANG,
			    xasprintf("the guest did not come up within %.0f s",
				      vm->o->boot_timeout_ns / 1e9));
	} else if (!vm->pinged && !vm->config.deterministic) {
		vm->pinged = true;
		frame_send(vm->channel, FRAME_PING, NULL, 0);
		deadline_set(vm, PING_TIMEOUT_NS, "an answer");
	} else if (vm->ponged || vm->config.deterministic) {
		outcome_set(
			o, "timeout", STATUS_TIMEOUT,
			xasprintf("the command still ran after %.0f s", vm->o->timeout_ns / 1e9));
	} else {
		outcome_set(o, "hang", STATUS_HANG,
			    xasprintf("the guest no longer answered after %.0f s",
				      vm->o->timeout_ns / 1e9));
	}
}

static void console_check(struct vm *vm)
{
	struct console *c = &vm->r->console;
	bool was_down = c->panic;

	console_scan(c);
	if (c->panic && !was_down)
		deadline_set(vm, PANIC_TIMEOUT_NS, "the panicked guest to reset");
	if (c->pos > CONSOLE_MAX_BYTES)
		outcome_set(&vm->r->outcome, "guest-died", STATUS_GUEST_DIED,
			    xstrdup("the guest flooded its console with more than 256 MiB"));
}

/* How long poll(2) may sleep. */
static int poll_timeout(const struct vm *vm)
{
	uint64_t now = now_ns();
	int ms = vm->config.deterministic ? CHANNEL_TAIL_MS : CONSOLE_SCAN_MS;

	if (vm->deadline <= now)
		return 0;
	if (vm->deadline - now < ms * 1000000ULL)
		return (vm->deadline - now) / 1000000 + 1;
	return ms;
}

/* One turn of the loop. */
static void vm_serve(struct vm *vm)
{
	bool tail = vm->config.deterministic;
	struct pollfd p[] = {
		{vm->engine.event_fd, POLLIN, 0},
		{vm->signals, POLLIN, 0},
		{tail || vm->channel_closed ? -1 : vm->channel, POLLIN, 0},
		{vm->credit && vm->stdin_fd >= 0 ? vm->stdin_fd : -1, POLLIN, 0},
	};
	enum engine_end end = ENGINE_RUNNING;

	poll(p, ARRAY_SIZE(p), poll_timeout(vm));
	if (p[1].revents)
		signal_read(vm);
	if (p[0].revents)
		end = vm->engine.ops->wait(&vm->engine);
	vm->ended = end != ENGINE_RUNNING;
	if (end == ENGINE_FAILED)
		outcome_set(&vm->r->outcome, "failed", STATUS_VMM, xstrdup(vm->engine.error));
	if (tail || p[2].revents)
		channel_read(vm);
	if (p[3].revents && !vm->ended)
		stdin_forward(vm);
	console_check(vm);
	if (!vm->ended && now_ns() >= vm->deadline)
		deadline_passed(vm);
	/* A judged run needs no guest, unless it reported itself and is powering off. */
	if (vm->r->outcome.name && !vm->r->outcome.have_exit && !vm->ended)
		vm->engine.ops->stop(&vm->engine);
}

static void vm_loop(struct vm *vm)
{
	while (!vm->ended)
		vm_serve(vm);
	/* What the guest sent before it ended is still on its way. */
	while (!vm->channel_closed)
		channel_read(vm);
	console_scan(&vm->r->console);
	console_scan(&vm->r->console);
	if (!vm->r->outcome.name)
		outcome_from_silence(&vm->r->outcome, &vm->r->console);
	else if (vm->r->outcome.have_exit)
		outcome_check_console(&vm->r->outcome, &vm->r->console);
}

/* Guest RAM, one memfd a node. Returns 0 or -errno. */
static int ram_create(struct engine_config *c)
{
	unsigned int i;

	for (i = 0; i < c->machine->nodes; i++) {
		c->ram[i] = memfd_create("kt-ram", MFD_CLOEXEC);
		if (c->ram[i] < 0 || ftruncate(c->ram[i], c->machine->node_memory[i]))
			return -errno;
	}
	return 0;
}

/* The two ends of the channel. */
static int channel_create(struct vm *vm, int *guest_end)
{
	int pair[2];

	if (vm->config.deterministic) {
		char path[64];

		*guest_end = memfd_create("kt-channel", MFD_CLOEXEC);
		if (*guest_end < 0)
			return -errno;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", *guest_end);
		vm->channel = open(path, O_RDONLY | O_CLOEXEC);
		return vm->channel < 0 ? -errno : 0;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	vm->channel = pair[0];
	*guest_end = pair[1];
	return 0;
}

static int signals_open(void)
{
	static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH};
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < ARRAY_SIZE(caught); i++)
		sigaddset(&set, caught[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static int vm_start(struct vm *vm)
{
	int err = channel_create(vm, &vm->config.channel);

	if (!err)
		err = ram_create(&vm->config);
	if (!err)
		err = vm->engine.ops->create(&vm->engine, &vm->config);
	if (!err)
		err = vm->engine.ops->boot(&vm->engine);
	cleanup_closep(&vm->config.channel);
	return err;
}

void vm_run(const struct vm_options *o, struct vm_result *r)
{
	struct vm vm = {
		.o = o,
		.r = r,
		.config = o->config,
		.engine = {.ops = o->engine, .event_fd = -1},
		.channel = -1,
		.stdin_fd = o->forward_stdin ? STDIN_FILENO : -1,
	};
	unsigned int i;
	int err;

	memset(r, 0, sizeof(*r));
	r->emulated = !o->config.use_kvm;
	for (i = 0; i < MACHINE_MAX_NODES; i++)
		vm.config.ram[i] = -1;
	vm.config.channel = -1;
	vm.start = now_ns();
	vm.signals = signals_open();
	r->console.fd = vm.config.console = rundir_file(o->rundir);
	err = r->console.fd < 0 ? r->console.fd : vm_start(&vm);
	if (err) {
		outcome_set(&r->outcome, "failed", STATUS_VMM,
			    vm.engine.error ? xstrdup(vm.engine.error) : xstrdup(strerror(-err)));
	} else {
		if (o->terminal)
			terminal_raw();
		deadline_set(&vm, o->boot_timeout_ns, "the guest to come up");
		vm_loop(&vm);
		terminal_restore();
	}
	vm.engine.ops->destroy(&vm.engine);
	r->wall_ns = now_ns() - vm.start;
	for (i = 0; i < MACHINE_MAX_NODES; i++)
		cleanup_closep(&vm.config.ram[i]);
	cleanup_closep(&vm.channel);
	cleanup_closep(&vm.signals);
	frame_reader_free(&vm.reader);
}

void vm_result_free(struct vm_result *r)
{
	outcome_free(&r->outcome);
	cleanup_closep(&r->console.fd);
	free(take_ptr(r->kernel));
}
