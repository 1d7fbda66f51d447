// SPDX-License-Identifier: GPL-2.0
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../cpio.h"
#include "cleanup.h"
#include "confine.h"
#include "diag.h"
#include "state.h"

#define NAME "kt-vmm-machine" /* in ps(1) */

/* Of its own session: a Ctrl-C on the terminal is kt-vmm's to handle. */
static void process_detach(const struct process_ends *ends)
{
	prctl(PR_SET_NAME, NAME);
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != ends->parent)
		_exit(1);
}

static int fd_compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Close all descriptors above 2 but @keep, which is sorted thereby. */
static void descriptors_close(int *keep, size_t n)
{
	int next = STDERR_FILENO + 1;
	size_t i;

	qsort(keep, n, sizeof(*keep), fd_compare);
	for (i = 0; i < n; i++) {
		if (keep[i] > next)
			close_range(next, keep[i] - 1, 0);
		next = keep[i] + 1;
	}
	close_range(next, ~0U, 0);
}

/* What kt-vmm has open is not for this process, beside what it is told of. */
static void descriptors_take(const struct engine_config *c, const struct process_ends *ends)
{
	size_t n = 5 + c->machine->nodes + c->n_initrd_pieces, i;
	_cleanup_free_ int *keep = xcalloc(n, sizeof(*keep));
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	memcpy(keep, (int[]){ends->control, ends->watch, c->initrd, c->console, c->channel},
	       5 * sizeof(*keep));
	memcpy(keep + 5, c->ram, c->machine->nodes * sizeof(*keep));
	for (i = 0; i < c->n_initrd_pieces; i++)
		keep[5 + c->machine->nodes + i] = c->initrd_pieces[i].fd;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(ends->events, STDERR_FILENO);
	descriptors_close(keep, n);
}

/* Who uses them has duplicates, and memory is mapped. */
static void descriptors_drop(const struct engine_config *c)
{
	size_t i;

	for (i = 0; i < c->n_initrd_pieces; i++)
		close(c->initrd_pieces[i].fd);

	close(c->initrd);
	close(c->console);
	close(c->channel);
	for (i = 0; i < c->machine->nodes; i++)
		close(c->ram[i]);
}

static void __attribute__((noreturn)) end_tell(const struct kvm_vm *vm, enum engine_end end)
{
	char message[PROCESS_EVENT_MAX];
	struct process_end *m = (struct process_end *)message;
	size_t len = vm->error ? strlen(vm->error) : 0;

	if (len > sizeof(message) - sizeof(*m))
		len = sizeof(message) - sizeof(*m);
	*m = (struct process_end){.end = end};
	if (len)
		memcpy(m->error, vm->error, len);
	send(STDERR_FILENO, message, sizeof(*m) + len, 0);
	_exit(0);
}

static void ready_tell(const struct kvm_vm *vm, int control)
{
	size_t size = sizeof(struct process_ready) + vm->n_cpus * sizeof(pid_t);
	_cleanup_free_ struct process_ready *r = xcalloc(1, size);
	unsigned int i;

	r->main = getpid();
	r->devices = vm->bus_tid;
	r->n_vcpus = vm->n_cpus;
	for (i = 0; i < vm->n_cpus; i++)
		r->vcpu[i] = vm->cpus[i].tid;
	send(control, r, size, 0);
}

static void request_serve(struct kvm_vm *vm, const struct process_request *q, int control)
{
	struct process_reply r = {0};

	switch (q->op) {
	case PROCESS_GO:
		kvm_vcpus_unpark(vm);
		return;
	case PROCESS_STOP:
		kvm_end(vm, ENGINE_STOPPED);
		return;
	case PROCESS_FREEZE:
		kvm_vm_freeze(vm);
		break;
	case PROCESS_THAW:
		kvm_vm_thaw(vm);
		break;
	case PROCESS_REGISTERS:
		r.err = kvm_vm_registers(vm, q->number, &r.registers);
		break;
	case PROCESS_WATCH:
		r.err = kvm_watch(vm, q->address, q->number, q->on);
		break;
	case PROCESS_HIT:
		r.found = kvm_vm_hit(vm, &r.hit);
		break;
	default:
		r.err = -ENOSYS;
	}
	send(control, &r, sizeof(r), 0);
}

static int calls_confine(struct kvm_vm *vm)
{
	int err = confine_calls();

	return err ? kvm_error(vm, err, "system calls cannot be filtered: %s", strerror(-err)) : 0;
}

void process_run(const struct engine_config *c, const struct process_ends *ends)
{
	struct process_request q;
	struct kvm_vm vm;
	int err;

	process_detach(ends);
	descriptors_take(c, ends);
	err = kvm_vm_create(&vm, c, ends->watch);
	if (!err)
		err = kvm_vm_start(&vm);
	descriptors_drop(c);
	if (!err)
		err = calls_confine(&vm);
	if (err)
		end_tell(&vm, ENGINE_FAILED);
	ready_tell(&vm, ends->control);
	for (;;) {
		struct pollfd p[] = {{ends->control, POLLIN, 0}, {vm.end_fd, POLLIN, 0}};

		poll(p, ARRAY_SIZE(p), -1);
		if (p[1].revents)
			end_tell(&vm, kvm_vm_quiesce(&vm));
		if (!p[0].revents)
			continue;
		if (recv(ends->control, &q, sizeof(q), 0) != sizeof(q))
			_exit(1); /* kt-vmm is gone */
		request_serve(&vm, &q, ends->control);
	}
}
