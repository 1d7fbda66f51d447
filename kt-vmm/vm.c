// SPDX-License-Identifier: GPL-2.0
/*
 * The event loop of a running VM: the guest's channel, our stdin, signals and deadlines. Guest
 * output is written where it goes at once, so a slow reader slows the guest, not the memory.
 */
#include "vm.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "perf.h"
#include "status.h"
#include "terminal.h"
#include "vm_state.h"

#define PING_TIMEOUT_NS	  5000000000ULL	 /* for an answer when time is up */
#define PANIC_TIMEOUT_NS  10000000000ULL /* for a panicked kernel to reset */
#define LAST_SNAPSHOT_NS  60000000000ULL /* for the snapshot of a run that is over */
#define CONSOLE_SCAN_MS	  100
#define CHANNEL_TAIL_MS	  5 /* how often a deterministic run's channel file is looked at */
#define CONSOLE_MAX_BYTES (256ULL << 20)

void vm_deadline_set(struct vm *vm, uint64_t after_ns)
{
	if (!after_ns || __builtin_add_overflow(now_ns(), after_ns, &vm->deadline))
		vm->deadline = UINT64_MAX;
}

void vm_send(struct vm *vm, enum frame_type type, const void *data, size_t len)
{
	/* One that is gone will be noticed by its end. */
	if (channel_send(&vm->channel, type, data, len) == -ENOBUFS)
		guest_broke_channel(vm, "it does not read what is sent to it");
}

void vm_send_winsize(struct vm *vm)
{
	uint16_t size[2];

	if (terminal_size(size))
		vm_send(vm, FRAME_WINSIZE, size, sizeof(size));
}

/* Serve what the channel holds, until our own reader is behind. */
static void channel_serve(struct vm *vm)
{
	const char *why;
	struct frame f;
	int got = 1;

	/* After EXIT or a failure nothing counts any more. */
	while (got > 0 && !vm->pending.len && !vm->r->outcome.name) {
		got = channel_next(&vm->channel, vm->ended, &f, &why);
		if (got > 0)
			guest_frame(vm, &f);
	}
	if (got < 0)
		guest_broke_channel(vm, why);
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
	vm_send(vm, FRAME_STDIN, buf, n);
}

int vm_freeze(struct vm *vm)
{
	int err = 0;

	if (!vm->frozen) {
		err = vm->ended ? -ESRCH : vm->engine.ops->freeze(&vm->engine);
		vm->frozen_ns = now_ns();
	}
	vm->frozen += !err;
	return err;
}

/* A watchpoint may have been hit: the guest stands still until who watches lets it go on. */
static void watch_check(struct vm *vm)
{
	struct engine_hit hit;

	if (vm->ended || !vm->engine.ops->hit(&vm->engine, &hit))
		return;
	if (!vm->frozen++)
		vm->frozen_ns = now_ns();
	if (!control_hit(&vm->control, vm, &hit))
		vm_thaw(vm); /* nobody watches any more */
}

void vm_thaw(struct vm *vm)
{
	uint64_t ns = now_ns() - vm->frozen_ns;

	/* Of a hit that came while it was being frozen it is told before it goes on. */
	if (vm->frozen == 1)
		watch_check(vm);
	if (--vm->frozen || vm->ended)
		return;
	if (vm->engine.ops->thaw(&vm->engine))
		warn("cannot thaw the guest");
	if (vm->deadline != UINT64_MAX)
		vm->deadline += ns;
	triggers_thawed(vm, ns);
}

static void freeze_while_stopped(struct vm *vm)
{
	bool frozen = !vm_freeze(vm);

	if (!frozen)
		warn("cannot freeze the guest");
	terminal_restore();
	raise(SIGSTOP);
	if (vm->o->terminal)
		terminal_raw();
	if (frozen)
		vm_thaw(vm);
}

static void signals_read(struct vm *vm)
{
	struct signalfd_siginfo s;

	while (read(vm->o->signals.all, &s, sizeof(s)) == sizeof(s)) {
		if (s.ssi_signo == SIGTSTP) {
			freeze_while_stopped(vm);
		} else if (s.ssi_signo == SIGWINCH) {
			if (vm->o->terminal && vm->r->hello)
				vm_send_winsize(vm);
		} else {
			outcome_set(&vm->r->outcome, "interrupted", STATUS_SIGNAL + s.ssi_signo,
				    xasprintf("by signal %u (%s)", s.ssi_signo,
					      strsignal(s.ssi_signo)));
			vm->engine.ops->stop(&vm->engine);
		}
	}
}

/* Time is up for the command: what of it is still alive? */
static void timeout_judge(struct vm *vm)
{
	struct outcome *o = &vm->r->outcome;
	double seconds = vm->o->timeout_ns / 1e9;

	if (vm->pending.len) {
		outcome_set(
			o, "timeout", STATUS_TIMEOUT,
			xasprintf("after %.0f s the output was held up by its reader", seconds));
	} else if (vm->ponged || vm->config.deterministic) {
		outcome_set(o, "timeout", STATUS_TIMEOUT,
			    xasprintf("the command still ran after %.0f s", seconds));
	} else if (vm->pinged) {
		outcome_set(o, "hang", STATUS_HANG,
			    xasprintf("the guest no longer answered after %.0f s", seconds));
	} else {
		vm->pinged = true;
		vm_deadline_set(vm, PING_TIMEOUT_NS);
		vm_send(vm, FRAME_PING, NULL, 0);
	}
}

/* The snapshot of the end is there, or will not come: what was to happen then happens now. */
static void judge_now(struct vm *vm)
{
	vm->deadline = 0;
}

/* The time for something is up. */
static void deadline_passed(struct vm *vm)
{
	struct outcome *o = &vm->r->outcome;

	if (o->name) { /* the run is judged: the guest only had to go */
		vm->engine.ops->stop(&vm->engine);
		vm_deadline_set(vm, 0);
	} else if (vm->r->console.panic || vm->r->console.oops) {
		outcome_from_silence(o, &vm->r->console);
	} else if (vm->r->hello) {
		vm_deadline_set(vm, LAST_SNAPSHOT_NS);
		if (!triggers_last(vm, "timeout", judge_now))
			timeout_judge(vm);
	} else {
		outcome_set(o, "hang", STATUS_HANG,
			    xasprintf("the guest did not come up within %.0f s",
				      vm->o->boot_timeout_ns / 1e9));
	}
}

static void console_check(struct vm *vm)
{
	struct console *c = &vm->r->console;
	bool was_down = c->panic;

	console_scan(c);
	if (c->panic && !was_down) {
		vm_deadline_set(vm, PANIC_TIMEOUT_NS);
		triggers_last(vm, "panic", NULL);
	}
	/* It has said all and would reset: its memory is seen, there is nothing to wait for. */
	if (c->rebooting && !vm->ended && vm->triggers.last != LAST_UNDER_WAY)
		vm->engine.ops->stop(&vm->engine);
	if (c->pos > CONSOLE_MAX_BYTES)
		outcome_set(&vm->r->outcome, "guest-died", STATUS_GUEST_DIED,
			    xstrdup("the guest flooded its console with more than 256 MiB"));
}

/* How long poll(2) may sleep. */
static int poll_timeout(const struct vm *vm)
{
	uint64_t now = now_ns();
	int ms = vm->config.deterministic ? CHANNEL_TAIL_MS : CONSOLE_SCAN_MS;

	if (vm->frozen)
		return ms;
	if (triggers_due(vm) <= now)
		return 0;
	if (triggers_due(vm) - now < ms * 1000000ULL)
		ms = (triggers_due(vm) - now) / 1000000 + 1;
	if (vm->deadline <= now)
		return 0;
	if (vm->deadline - now < ms * 1000000ULL)
		return (vm->deadline - now) / 1000000 + 1;
	return ms;
}

/* The VM may have ended. */
static void engine_check(struct vm *vm)
{
	enum engine_end end = vm->engine.ops->wait(&vm->engine);

	vm->ended = end != ENGINE_RUNNING;
	if (end == ENGINE_FAILED)
		outcome_set(&vm->r->outcome, "failed", STATUS_VMM, xstrdup(vm->engine.error));
	console_scan(&vm->r->console);
	/* What the kernel said of it tells more, if it said something. */
	if (end == ENGINE_CRASHED && !vm->r->console.panic && !vm->r->console.oops)
		outcome_set(&vm->r->outcome, "guest-died", STATUS_GUEST_DIED,
			    xstrdup(vm->engine.error));
}

/* One turn of the loop. */
static void vm_serve(struct vm *vm)
{
	struct channel *c = &vm->channel;
	bool judged = vm->r->outcome.name;
	bool take_input = vm->credit && !c->out_len && !judged && !vm->ended;
	enum { OWN = 7 };
	struct pollfd p[OWN + 1 + CONTROL_MAX_CLIENTS] = {
		{vm->ended ? -1 : vm->engine.event_fd, POLLIN, 0},
		{vm->o->signals.all, POLLIN, 0},
		{c->is_file || c->closed || vm->pending.len || judged ? -1 : c->fd, POLLIN, 0},
		{c->out_len && !c->closed ? c->fd : -1, POLLOUT, 0},
		{vm->pending.len ? vm->pending.fd : -1, POLLOUT, 0},
		{take_input ? vm->stdin_fd : -1, POLLIN, 0},
		{vm->ended ? -1 : vm->engine.watch_fd, POLLIN, 0},
	};

	poll(p, OWN + control_poll(&vm->control, p + OWN), poll_timeout(vm));
	if (p[0].revents)
		engine_check(vm);
	if (p[1].revents)
		signals_read(vm);
	if (p[3].revents && channel_flush(c))
		c->out_len = 0; /* the guest is gone */
	if (p[4].revents)
		guest_output_flush(vm);
	channel_serve(vm);
	if (p[5].revents && !vm->ended)
		stdin_forward(vm);
	if (p[6].revents)
		watch_check(vm);
	console_check(vm);
	control_serve(&vm->control, vm);
	if (!vm->ended && !judged)
		triggers_run(vm);
	if (!vm->ended && !vm->frozen && now_ns() >= vm->deadline)
		deadline_passed(vm);
	/* A judged run needs no guest, unless it reported itself and is powering off. */
	if (vm->r->outcome.name && !vm->r->outcome.have_exit && !vm->ended)
		vm->engine.ops->stop(&vm->engine);
}

static void vm_loop(struct vm *vm)
{
	struct outcome *o = &vm->r->outcome;

	/* What the guest sent before it ended is still on its way to our reader. */
	while (!vm->ended || (!o->name && (vm->pending.len || !vm->channel.closed)))
		vm_serve(vm);
	console_scan(&vm->r->console);
	if (!o->name)
		outcome_from_silence(o, &vm->r->console);
	else if (o->have_exit)
		outcome_check_console(o, &vm->r->console);
}

/* Guest RAM, one memfd a node. Returns 0 or -errno. */
static int ram_create(struct vm *vm)
{
	struct engine_config *c = &vm->config;
	unsigned int i;

	for (i = 0; i < c->machine->nodes; i++) {
		c->ram[i] = memfd_create("kt-ram", MFD_CLOEXEC);
		if (c->ram[i] < 0 || ftruncate(c->ram[i], c->machine->node_memory[i])) {
			int err = -errno;

			vm->engine.error =
				xasprintf("%llu MiB of memory for node %u: %s",
					  (unsigned long long)c->machine->node_memory[i] >> 20, i,
					  strerror(-err));
			return err;
		}
	}
	return 0;
}

void vm_signals_open(struct vm_signals *s)
{
	static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < ARRAY_SIZE(ending); i++)
		sigaddset(&set, ending[i]);
	s->ending = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGWINCH);
	s->all = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (s->ending < 0 || s->all < 0)
		die(STATUS_VMM, "signals: %s", strerror(errno));
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* The engine's threads are there, and the guest has not begun. */
static int vm_ready(void *arg, const struct engine_threads *t)
{
	struct vm *vm = arg;

	if (vm->o->perf)
		perf_threads(vm->o->perf, t);
	return 0;
}

static int vm_start(struct vm *vm)
{
	int err;

	vm->config.ready = vm_ready;
	vm->config.ready_arg = vm;

	vm->config.channel = channel_open(&vm->channel, vm->config.deterministic);
	err = vm->config.channel < 0 ? vm->config.channel : ram_create(vm);
	if (!err && vm->o->perf)
		perf_memory(vm->o->perf, &vm->config);
	if (!err)
		err = vm->engine.ops->create(&vm->engine, &vm->config);
	if (!err)
		err = vm->engine.ops->boot(&vm->engine);
	cleanup_closep(&vm->config.channel);
	return err;
}

/* A run that is kept can be asked while it lives; one that cannot is no less a run. */
static void control_listen(struct vm *vm)
{
	_cleanup_free_ char *why = NULL;

	if (!vm->o->rundir->temporary && control_open(&vm->control, vm->o->rundir->path, &why))
		warn("%s", why);
}

void vm_run(const struct vm_options *o, struct vm_result *r)
{
	struct vm vm = {
		.o = o,
		.r = r,
		.config = o->config,
		.engine = {.ops = o->engine,
			   .event_fd = -1,
			   .watch_fd = -1,
			   .cancel_fd = o->signals.ending},
		.channel = {.fd = -1},
		.stdin_fd = o->forward_stdin ? STDIN_FILENO : -1,
	};
	unsigned int i;
	int err;

	memset(r, 0, sizeof(*r));
	control_init(&vm.control);
	reader_init(&vm.reader);
	r->emulated = !o->config.use_kvm;
	for (i = 0; i < MACHINE_MAX_NODES; i++)
		vm.config.ram[i] = -1;
	vm.config.channel = -1;
	vm.start = now_ns();
	r->console.fd = vm.config.console = rundir_file(o->rundir);
	err = r->console.fd < 0 ? r->console.fd : vm_start(&vm);
	if (err == -EINTR)
		signals_read(&vm);
	if (err) {
		outcome_set(&r->outcome, "failed", STATUS_VMM,
			    vm.engine.error ? xstrdup(vm.engine.error) : xstrdup(strerror(-err)));
	} else {
		if (o->terminal)
			terminal_raw();
		vm_deadline_set(&vm, o->boot_timeout_ns);
		control_listen(&vm);
		vm_loop(&vm);
		r->reader_ns = vm.reader.ready_ns ? vm.reader.ready_ns - vm.reader.start_ns : 0;
		r->snapshots = vm.reader.n_snapshots;
		control_close(&vm.control, &vm);
		reader_close(&vm);
		terminal_restore();
	}
	vm.engine.ops->destroy(&vm.engine);
	r->wall_ns = now_ns() - vm.start;
	for (i = 0; i < MACHINE_MAX_NODES; i++)
		cleanup_closep(&vm.config.ram[i]);
	channel_close(&vm.channel);
}

void vm_result_free(struct vm_result *r)
{
	outcome_free(&r->outcome);
	cleanup_closep(&r->console.fd);
	free(take_ptr(r->kernel));
	json_decref(take_ptr(r->unmet));
}
