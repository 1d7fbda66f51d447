// SPDX-License-Identifier: GPL-2.0
/*
 * The machine on /dev/kvm. What runs it is a process of its own (kvm/process.h), which can be
 * confined as kt-vmm cannot; here is kt-vmm's side of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "clock.h"
#include "diag.h"
#include "kvm/apic_id.h"
#include "kvm/process.h"
#include "kvm/state.h"
#include "kvm/watch_probe.h"
#include "printable.h"

#define ANSWER_MS	60000	       /* to a request */
#define STOP_TIMEOUT_NS 10000000000ULL /* to end when it is told to */

struct process {
	const struct engine_config *config;
	pid_t pid; /* 0: reaped, or not started */
	int control, events;
	bool running;	     /* the guest has begun: what it says may be the guest's words */
	uint64_t stop_ns;    /* when it was first told to stop; 0: was not */
	enum engine_end end; /* as far as is known */
	bool watch_probed;
};

/* What it says, as a string. */
static char *text_of(const struct process *p, const char *text, size_t len)
{
	return p->running ? printable_copy(text, len) : xstrndup(text, len);
}

/* It has ended, or goes now, without having told how the VM did. */
static void process_died(struct engine *e)
{
	struct process *p = e->state;
	int status = 0;

	kill(p->pid, SIGKILL);
	waitpid(p->pid, &status, 0);
	p->pid = 0;
	p->end = p->stop_ns ? ENGINE_STOPPED : ENGINE_FAILED;
	if (e->error)
		return;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		e->error = xstrdup("the machine process was killed by seccomp: it made a system "
				   "call that no running guest needs");
	else if (WIFSIGNALED(status))
		e->error = xasprintf("the machine process was killed by signal %d (%s)",
				     WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		e->error =
			xasprintf("the machine process ended with status %d", WEXITSTATUS(status));
}

/* A line of its stderr is said as one of ours. */
static void line_take(const struct process *p, const char *line, size_t len)
{
	const char *newline = memchr(line, '\n', len);
	_cleanup_free_ char *text = text_of(p, line, newline ? (size_t)(newline - line) : len);
	_cleanup_free_ char *prefix = xasprintf("%s: ", diag_program());
	size_t skip = strlen(prefix);

	warn("%s", strncmp(text, prefix, skip) ? text : text + skip);
}

static void end_take(struct engine *e, const struct process_end *end, size_t error_len)
{
	struct process *p = e->state;

	p->end = end->end;
	if (p->end != ENGINE_POWER_OFF && p->end != ENGINE_CRASHED && p->end != ENGINE_STOPPED)
		p->end = ENGINE_FAILED;
	if (!e->error && (error_len || p->end == ENGINE_CRASHED || p->end == ENGINE_FAILED))
		e->error = error_len ? text_of(p, end->error, error_len)
				     : xstrdup("the machine process ended without saying why");
}

/* Take what it has said so far. */
static void events_read(struct engine *e)
{
	_Alignas(struct process_end) char message[PROCESS_EVENT_MAX];
	struct process *p = e->state;

	while (p->end == ENGINE_RUNNING) {
		ssize_t n = recv(p->events, message, sizeof(message), MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0)
			process_died(e);
		else if (message[0])
			line_take(p, message, n);
		else if ((size_t)n >= sizeof(struct process_end))
			end_take(e, (struct process_end *)message, n - sizeof(struct process_end));
	}
}

/*
 * Receive a message of @size bytes at most, which is waited for; @cancel_fd may end the wait. Its
 * length, or -errno.
 */
static ssize_t answer_read(struct engine *e, void *message, size_t size, int cancel_fd)
{
	struct process *p = e->state;
	struct pollfd fds[] = {{p->control, POLLIN, 0}, {cancel_fd, POLLIN, 0}};
	ssize_t n;

	if (!poll(fds, ARRAY_SIZE(fds), ANSWER_MS)) {
		if (!e->error)
			e->error = xstrdup("the machine process does not answer");
		kill(p->pid, SIGKILL);
		return -ETIMEDOUT;
	}
	if (!fds[0].revents)
		return -EINTR;
	n = recv(p->control, message, size, 0);
	return n > 0 ? n : -EPIPE;
}

static int request_send(struct process *p, const struct process_request *q)
{
	return send(p->control, q, sizeof(*q), MSG_NOSIGNAL) == sizeof(*q) ? 0 : -EPIPE;
}

/* 0 or -errno, the reply's own too. */
static int request(struct engine *e, const struct process_request *q, struct process_reply *r)
{
	struct process *p = e->state;
	ssize_t n;

	if (p->end != ENGINE_RUNNING)
		return -ESRCH;
	n = request_send(p, q);
	if (!n)
		n = answer_read(e, r, sizeof(*r), -1);
	if (n < 0)
		return n;
	return n == sizeof(*r) && r->err <= 0 ? r->err : -EPROTO;
}

static int simple_request(struct engine *e, enum process_op op)
{
	struct process_reply r;

	return request(e, &(struct process_request){.op = op}, &r);
}

static int kvm_create(struct engine *e, const struct engine_config *c)
{
	struct process *p = xcalloc(1, sizeof(*p));
	int control[2], events[2];

	e->state = p;
	*p = (struct process){.config = c, .control = -1, .events = -1};
	e->watch_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (e->watch_fd < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control))
		return -errno;
	p->control = control[0];
	if (!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, events)) {
		struct process_ends ends = {.control = control[1],
					    .events = events[1],
					    .watch = e->watch_fd,
					    .parent = getpid()};

		p->events = e->event_fd = events[0];
		p->pid = fork();
		if (p->pid == 0)
			process_run(c, &ends);
		close(events[1]);
	}
	close(control[1]);
	return p->pid > 0 ? 0 : -errno;
}

/* It makes the VM while nobody waits; here its threads are known, or why there are none. */
static int kvm_boot(struct engine *e)
{
	struct process *p = e->state;
	unsigned int cpus = topology_cpus(&p->config->machine->topology);
	size_t size = sizeof(struct process_ready) + cpus * sizeof(pid_t);
	_cleanup_free_ struct process_ready *r = xcalloc(1, size);
	ssize_t n = answer_read(e, r, size, e->cancel_fd);
	int err = 0;

	events_read(e);
	if (n < 0)
		return n;
	if ((size_t)n != size || r->n_vcpus != cpus)
		return -EPROTO;
	if (p->config->ready) {
		const pid_t service[] = {getpid(), r->main, r->devices};

		err = p->config->ready(p->config->ready_arg,
				       &(struct engine_threads){.vcpu = r->vcpu,
								.n_vcpus = cpus,
								.service = service,
								.n_service = ARRAY_SIZE(service)});
	}
	p->running = true;
	return err ?: request_send(p, &(struct process_request){.op = PROCESS_GO});
}

static int kvm_freeze(struct engine *e)
{
	return simple_request(e, PROCESS_FREEZE);
}

static int kvm_thaw(struct engine *e)
{
	return simple_request(e, PROCESS_THAW);
}

static int kvm_registers(struct engine *e, unsigned int cpu, struct engine_registers *r)
{
	struct process_reply reply;
	int err = request(e, &(struct process_request){.op = PROCESS_REGISTERS, .number = cpu},
			  &reply);

	if (!err)
		*r = reply.registers;
	return err;
}

/* The first watch finds out whether this host delivers any. */
static void delivery_check(struct engine *e)
{
	_cleanup_close_ int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	struct process *p = e->state;

	p->watch_probed = true;
	e->watch_refusal = watch_probe(kvm);
}

static int kvm_watchpoint(struct engine *e, uint64_t address, unsigned int len, bool on)
{
	struct process *p = e->state;
	struct process_reply r;

	if (on && !p->watch_probed)
		delivery_check(e);
	if (on && e->watch_refusal)
		return -EOPNOTSUPP;
	return request(e,
		       &(struct process_request){
			       .op = PROCESS_WATCH, .address = address, .number = len, .on = on},
		       &r);
}

static bool kvm_hit(struct engine *e, struct engine_hit *hit)
{
	struct process_reply r;
	eventfd_t n;

	if (eventfd_read(e->watch_fd, &n) ||
	    request(e, &(struct process_request){.op = PROCESS_HIT}, &r) || !r.found)
		return false;
	*hit = r.hit;
	return true;
}

static void kvm_stop(struct engine *e)
{
	struct process *p = e->state;

	if (!p->pid)
		return;
	if (!p->stop_ns) {
		p->stop_ns = now_ns();
		request_send(p, &(struct process_request){.op = PROCESS_STOP});
	} else if (now_ns() - p->stop_ns > STOP_TIMEOUT_NS) {
		kill(p->pid, SIGKILL);
	}
}

static enum engine_end kvm_wait(struct engine *e)
{
	struct process *p = e->state;

	events_read(e);
	return p->end;
}

static void kvm_destroy(struct engine *e)
{
	struct process *p = e->state;

	if (!p)
		return;
	if (p->pid > 0) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
	}
	cleanup_closep(&p->control);
	cleanup_closep(&p->events);
	cleanup_closep(&e->watch_fd);
	free(e->error);
	free(p);
}

static void kvm_describe(const struct engine_config *c, FILE *out)
{
	const struct machine *m = c->machine;
	_cleanup_free_ char *topology = topology_format(&m->topology);
	bool wide = apic_id_max(&m->topology) > APIC_ID_MAX_8BIT;
	unsigned int i;

	fprintf(out, "kvm: %u CPUs (%s), APIC ids up to %u, %s\n", topology_cpus(&m->topology),
		topology, apic_id_max(&m->topology),
		wide ? "split interrupt controller with x2APIC" : "interrupt controllers in KVM");
	for (i = 0; i < m->nodes; i++)
		fprintf(out, "memory of node %u: %llu MiB\n", i,
			(unsigned long long)m->node_memory[i] >> 20);
	fprintf(out, "kernel: %s\ncommand line: %s\n", c->kernel, c->cmdline);
}

const struct engine_ops engine_kvm_ops = {
	.name = "kvm",
	.create = kvm_create,
	.boot = kvm_boot,
	.freeze = kvm_freeze,
	.thaw = kvm_thaw,
	.registers = kvm_registers,
	.watch = kvm_watchpoint,
	.hit = kvm_hit,
	.stop = kvm_stop,
	.wait = kvm_wait,
	.destroy = kvm_destroy,
	.ram_below_4g = kvm_ram_below_4g,
	.describe = kvm_describe,
};
