// SPDX-License-Identifier: GPL-2.0
/* Starting the scheduler and the command, with their pipes. */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "init.h"

/* Number of the control socket in the command; above what shells use for redirections. */
#define CONTROL_FD 63

struct pipes {
	int in[2], out[2], err[2], control[2], failed[2];
};

static void close_pair(int *pair)
{
	cleanup_closep(&pair[0]);
	cleanup_closep(&pair[1]);
}

static void pipes_close(struct pipes *p)
{
	close_pair(p->in);
	close_pair(p->out);
	close_pair(p->err);
	close_pair(p->control);
	close_pair(p->failed);
}

/* Open what @io needs; all descriptors are close-on-exec. */
static int pipes_open(struct pipes *p, enum child_io io, const char *stdin_path)
{
	memset(p, -1, sizeof(*p));
	if (pipe2(p->failed, O_CLOEXEC))
		return -errno;
	if (io != CHILD_IO_LOG && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p->control))
		return -errno;
	if (io == CHILD_IO_PTY) {
		if (openpty(&p->out[0], &p->out[1], NULL, NULL, NULL))
			return -errno;
		fcntl(p->out[0], F_SETFD, FD_CLOEXEC);
		return 0;
	}
	if (stdin_path || io == CHILD_IO_LOG)
		p->in[0] = open(stdin_path ? stdin_path : "/dev/null", O_RDONLY | O_CLOEXEC);
	else if (pipe2(p->in, O_CLOEXEC))
		return -errno;
	if (p->in[0] < 0 || pipe2(p->out, O_CLOEXEC))
		return -errno;
	if (io == CHILD_IO_LOG)
		return 0;
	return pipe2(p->err, O_CLOEXEC) ? -errno : 0;
}

/* In the child: put the pipes in place and become @argv. */
static void __attribute__((noreturn))
child_exec(const struct pipes *p, enum child_io io, char **argv, char **envp)
{
	int in = io == CHILD_IO_PTY ? p->out[1] : p->in[0];
	int err = io == CHILD_IO_COMMAND ? p->err[1] : p->out[1];
	sigset_t none;

	setsid();
	if (io == CHILD_IO_PTY)
		ioctl(p->out[1], TIOCSCTTY, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	dup2(in, STDIN_FILENO);
	dup2(p->out[1], STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	if (p->control[1] >= 0)
		dup2(p->control[1], CONTROL_FD);
	environ = envp; /* execvp(3) looks the command up in this PATH */
	if (chdir(GUEST_HOME) == 0)
		execvp(argv[0], argv);
	if (write(p->failed[1], &errno, sizeof(errno)) < 0)
		_exit(126);
	_exit(127);
}

int child_start(struct child *c, char **argv, char **envp, enum child_io io, const char *stdin_path)
{
	_cleanup_(pipes_close) struct pipes p;
	int err = pipes_open(&p, io, stdin_path);

	if (err)
		return err;
	c->pid = fork();
	if (c->pid < 0) {
		c->pid = 0;
		return -errno;
	}
	if (!c->pid)
		child_exec(&p, io, argv, envp);
	cleanup_closep(&p.failed[1]);
	p.failed[1] = -1;
	if (read(p.failed[0], &err, sizeof(err)) == sizeof(err)) {
		waitpid(c->pid, NULL, 0);
		c->pid = 0;
		return -err;
	}
	c->is_pty = io == CHILD_IO_PTY;
	c->out = take_fd(p.out[0]);
	c->in = c->is_pty ? fcntl(c->out, F_DUPFD_CLOEXEC, 0) : take_fd(p.in[1]);
	c->err = take_fd(p.err[0]);
	c->control = take_fd(p.control[0]);
	if (c->in >= 0)
		fcntl(c->in, F_SETFL, O_NONBLOCK);
	return 0;
}

void child_init(struct child *c)
{
	memset(c, 0, sizeof(*c));
	c->in = c->out = c->err = c->control = -1;
}

void child_close(struct child *c)
{
	int *fds[] = {&c->in, &c->out, &c->err, &c->control};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		cleanup_closep(fds[i]);
		*fds[i] = -1;
	}
}
