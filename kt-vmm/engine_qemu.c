// SPDX-License-Identifier: GPL-2.0
/* The machine on QEMU, driven over QMP. QEMU is a child that dies with kt-vmm. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "engine.h"
#include "gdb.h"
#include "qemu_args.h"
#include "qmp.h"
#include "words.h"

struct qemu {
	pid_t pid;
	int stderr_fd; /* what QEMU complains about */
	bool stopped;  /* by us */
	struct qmp qmp;
	struct gdb gdb;
};

/* In the child: pass on exactly the descriptors that the command line names. */
static void __attribute__((noreturn))
qemu_exec(const struct engine_config *c, const struct qemu_sockets *s, int err, char **args,
	  pid_t parent)
{
	int pass[MACHINE_MAX_NODES + 5] = {c->initrd, c->console, c->channel, s->qmp, s->gdb};
	sigset_t none;
	unsigned int i;

	for (i = 0; i < c->machine->nodes; i++)
		pass[5 + i] = c->ram[i];
	for (i = 0; i < 5 + c->machine->nodes; i++)
		fcntl(pass[i], F_SETFD, 0);
	/* Its own session: a Ctrl-C on the terminal is ours to handle. */
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(open("/dev/null", O_RDWR), STDIN_FILENO);
	dup2(err, STDERR_FILENO);
	dup2(err, STDOUT_FILENO);
	execvp(args[0], args);
	dprintf(STDERR_FILENO, "cannot execute %s: %s (kt-deps installs it)\n", args[0],
		strerror(errno));
	_exit(127);
}

/* @code and @status as of waitid(2). */
static char *end_words(int code, int status)
{
	if (code == CLD_EXITED)
		return xasprintf("QEMU ended with status %d without saying why", status);
	return xasprintf("QEMU was killed by signal %d (%s)", status, strsignal(status));
}

/*
 * QEMU's complaint: its first line that is not a mere warning, without the program's name; @silent
 * when there is none.
 */
static void note_error(struct engine *e, const char *silent)
{
	struct qemu *q = e->state;
	char text[4096], *line, *save;
	ssize_t n = pread(q->stderr_fd, text, sizeof(text) - 1, 0);

	if (e->error)
		return;
	text[n > 0 ? n : 0] = 0;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (strstr(line, "warning:"))
			continue;
		if (!strncmp(line, QEMU_PROGRAM ": ", strlen(QEMU_PROGRAM ": ")))
			line += strlen(QEMU_PROGRAM ": ");
		e->error = xasprintf("QEMU: %s", line);
		return;
	}
	e->error = xstrdup(silent);
}

/* QMP failed with @err. */
static void monitor_failed(struct engine *e, int err)
{
	struct qemu *q = e->state;
	_cleanup_free_ char *silent = NULL;
	siginfo_t how = {0};

	if (err == -EPIPE) /* it is on its way out: let it finish its message */
		waitid(P_PID, q->pid, &how, WEXITED | WNOWAIT);
	silent = how.si_pid ? end_words(how.si_code, how.si_status)
			    : xasprintf("QEMU's monitor: %s", strerror(-err));
	note_error(e, silent);
}

static int qemu_create(struct engine *e, const struct engine_config *c)
{
	struct qemu *q = xcalloc(1, sizeof(*q));
	pid_t parent = getpid();
	char **args;
	struct qemu_sockets theirs;
	int pair[2], gdb[2], err;

	e->state = q;
	q->qmp.fd = q->gdb.fd = -1;
	q->stderr_fd = memfd_create("qemu-stderr", MFD_CLOEXEC);
	if (q->stderr_fd < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gdb))
		return -errno;
	theirs = (struct qemu_sockets){.qmp = pair[1], .gdb = gdb[1]};
	gdb_open(&q->gdb, gdb[0]);
	args = qemu_args(c, &theirs);
	q->pid = fork();
	if (q->pid == 0)
		qemu_exec(c, &theirs, q->stderr_fd, args, parent);
	qemu_args_free(args);
	close(pair[1]);
	close(gdb[1]);
	if (q->pid < 0) {
		err = -errno;
		e->error = xasprintf("cannot start QEMU: %s", strerror(errno));
		close(pair[0]);
		return err;
	}
	e->event_fd = pidfd_open(q->pid, 0);
	err = e->event_fd < 0 ? -errno : qmp_open(&q->qmp, pair[0], e->cancel_fd);
	if (err && err != -EINTR)
		monitor_failed(e, err);
	return err;
}

static int qemu_boot(struct engine *e)
{
	struct qemu *q = e->state;
	int err = qmp_execute(&q->qmp, "cont");

	e->watch_fd = q->gdb.fd;
	q->qmp.cancel_fd = -1; /* from here on signals are for the event loop */
	if (err && err != -EINTR)
		monitor_failed(e, err);
	return err;
}

static int qemu_freeze(struct engine *e)
{
	struct qemu *q = e->state;

	return qmp_execute(&q->qmp, "stop");
}

static int qemu_thaw(struct engine *e)
{
	struct qemu *q = e->state;

	return qmp_execute(&q->qmp, "cont");
}

static int qemu_registers(struct engine *e, unsigned int cpu, struct engine_registers *r)
{
	struct qemu *q = e->state;

	return gdb_registers(&q->gdb, cpu, r);
}

static int qemu_watch(struct engine *e, uint64_t address, unsigned int len, bool on)
{
	struct qemu *q = e->state;

	return gdb_watch(&q->gdb, address, len, on);
}

static bool qemu_hit(struct engine *e, struct engine_hit *hit)
{
	struct qemu *q = e->state;

	return gdb_poll(&q->gdb, hit);
}

static void qemu_stop(struct engine *e)
{
	struct qemu *q = e->state;

	if (q->pid > 0) {
		q->stopped = true;
		kill(q->pid, SIGKILL);
	}
}

static enum engine_end qemu_wait(struct engine *e)
{
	struct qemu *q = e->state;
	_cleanup_free_ char *how = NULL;
	siginfo_t end = {0};

	if (waitid(P_PID, q->pid, &end, WEXITED | WNOHANG) || !end.si_pid)
		return ENGINE_RUNNING;
	q->pid = 0;
	if (q->stopped)
		return ENGINE_STOPPED;
	if (end.si_code == CLD_EXITED && !end.si_status)
		return ENGINE_POWER_OFF;
	how = end_words(end.si_code, end.si_status);
	if (end.si_code == CLD_EXITED)
		note_error(e, how);
	else if (!e->error)
		e->error = take_ptr(how);
	return ENGINE_FAILED;
}

static void qemu_destroy(struct engine *e)
{
	struct qemu *q = e->state;

	if (!q)
		return;
	if (q->pid > 0) {
		kill(q->pid, SIGKILL);
		waitpid(q->pid, NULL, 0);
	}
	qmp_close(&q->qmp);
	gdb_close(&q->gdb);
	cleanup_closep(&q->stderr_fd);
	cleanup_closep(&e->event_fd);
	free(e->error);
	free(q);
}

/* hw/i386/pc_piix.c, pc_init1(): the hole grows where all would not fit below it. */
static uint64_t qemu_ram_below_4g(const struct machine *m)
{
	uint64_t all = machine_memory(m);

	return all < 0xe0000000ULL ? all : 0xc0000000ULL;
}

static void qemu_describe(const struct engine_config *c, FILE *out)
{
	char **args = qemu_args(c, &(struct qemu_sockets){-1, -1});
	size_t i;

	for (i = 0; args[i]; i++) {
		_cleanup_free_ char *word = word_quote(args[i]);

		fprintf(out, "%s%s", i ? " " : "", word);
	}
	fputc('\n', out);
	qemu_args_free(args);
}

const struct engine_ops engine_qemu_ops = {
	.name = "qemu",
	.create = qemu_create,
	.boot = qemu_boot,
	.freeze = qemu_freeze,
	.thaw = qemu_thaw,
	.registers = qemu_registers,
	.watch = qemu_watch,
	.hit = qemu_hit,
	.stop = qemu_stop,
	.wait = qemu_wait,
	.destroy = qemu_destroy,
	.ram_below_4g = qemu_ram_below_4g,
	.describe = qemu_describe,
};
