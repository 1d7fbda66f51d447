// SPDX-License-Identifier: GPL-2.0
/* The poll loop of a run: everything that the host, the children and the kernel have to say. */
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "run.h"

static void stdin_push(struct run *r)
{
	uint32_t credit;
	ssize_t n;

	while (r->stdin_len) {
		n = r->command.in < 0 ? (ssize_t)r->stdin_len
				      : write(r->command.in, r->stdin_buf, r->stdin_len);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) { /* nobody reads: take the rest away */
			cleanup_closep(&r->command.in);
			r->command.in = -1;
			continue;
		}
		memmove(r->stdin_buf, r->stdin_buf + n, r->stdin_len - n);
		r->stdin_len -= n;
		credit = n;
		frame_send(r->port, FRAME_CREDIT, &credit, sizeof(credit));
	}
	if (r->stdin_eof && r->command.in >= 0) {
		if (r->command.is_pty && write(r->command.in, "\4", 1) < 0)
			warn("terminal: %s", strerror(errno));
		cleanup_closep(&r->command.in);
		r->command.in = -1;
	}
}

/* The size may arrive before the command has its terminal. */
void winsize_apply(struct run *r)
{
	if (r->command.is_pty && r->command.out >= 0 && r->winsize.ws_row)
		ioctl(r->command.out, TIOCSWINSZ, &r->winsize);
}

static void stdin_take(struct run *r, const struct frame *f)
{
	if (f->len > STDIN_WINDOW - r->stdin_len) {
		warn("from the host: more stdin than it has credit for");
		r->input_refused = true;
		return;
	}
	if (f->len) {
		memcpy(r->stdin_buf + r->stdin_len, f->data, f->len);
		r->stdin_len += f->len;
	} else {
		r->stdin_eof = true;
	}
	stdin_push(r);
}

static void host_frame(struct run *r, const struct frame *f)
{
	switch (f->type) {
	case FRAME_STDIN:
		stdin_take(r, f);
		break;
	case FRAME_PING:
		frame_send(r->port, FRAME_PONG, NULL, 0);
		break;
	case FRAME_BYE:
		r->bye = true;
		break;
	case FRAME_REPLY:
		if (r->command.control >= 0 &&
		    send(r->command.control, f->data, f->len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			warn("reply to the command: %s", strerror(errno));
		break;
	case FRAME_WINSIZE:
		if (f->len == 4) {
			memcpy(&r->winsize.ws_row, f->data, 2);
			memcpy(&r->winsize.ws_col, f->data + 2, 2);
			winsize_apply(r);
		}
		break;
	default:
		warn("frame type %d from the host: ignored", f->type);
	}
}

static void host_readable(struct run *r)
{
	const char *why;
	struct frame f;
	long n = frame_reader_fill(&r->reader, r->port);
	int got;

	if (n <= 0) {
		r->input_refused = n != -EAGAIN;
		return;
	}
	while ((got = frame_reader_next(&r->reader, &f, &why)) > 0)
		host_frame(r, &f);
	if (got < 0) {
		warn("from the host: %s", why);
		r->input_refused = true;
	}
}

/* Forward what a pipe holds; closes it at its end. */
static void pipe_forward(struct run *r, int *fd, enum frame_type type)
{
	static uint8_t buf[FRAME_MAX_PAYLOAD];
	ssize_t n = read(*fd, buf, sizeof(buf));

	if (n > 0) {
		frame_send(r->port, type, buf, n);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		close(*fd);
		*fd = -1;
	}
}

static void reply_send(struct run *r, json_t *reply)
{
	_cleanup_free_ char *text = json_dumps(reply, JSON_COMPACT);

	json_decref(reply);
	if (text && r->command.control >= 0 &&
	    send(r->command.control, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		warn("reply to the command: %s", strerror(errno));
}

/* Pass a request on, or answer it where the host cannot: a deterministic run's hears nothing back.
 */
static void request(struct run *r, const json_t *msg, const uint8_t *buf, size_t n)
{
	static const char refusal[] = "{\"error\":\"a deterministic run has no host to ask\"}";
	const char *name = json_string_value(json_object_get(msg, "request"));

	if (name && !strcmp(name, "sched"))
		reply_send(r, sched_op(r, msg));
	else if (guestconf_get(r->conf, "bye"))
		frame_send(r->port, FRAME_REQUEST, buf, n);
	else if (send(r->command.control, refusal, strlen(refusal), MSG_DONTWAIT | MSG_NOSIGNAL) <
		 0)
		warn("reply to the command: %s", strerror(errno));
}

/*
 * A message of the command: an event is passed on, a request as well, and waits for its reply. What
 * the host would take for a broken channel ends here.
 */
static void control_readable(struct run *r)
{
	static uint8_t buf[64 * 1024];
	ssize_t n = recv(r->command.control, buf, sizeof(buf), MSG_TRUNC);
	json_t *msg;

	if (n <= 0) {
		close(r->command.control);
		r->command.control = -1;
		return;
	}
	if (n > (ssize_t)sizeof(buf)) {
		warn("control message of %zd bytes: expected at most %zu", n, sizeof(buf));
		return;
	}
	msg = json_loadb((char *)buf, n, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(msg))
		warn("control message: expected a JSON object without duplicate keys");
	else if (json_object_get(msg, "request"))
		request(r, msg, buf, n);
	else
		frame_send(r->port, FRAME_EVENT, buf, n);
	json_decref(msg);
}

static void children_reap(struct run *r)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(r->sigfd, &info, sizeof(info)) > 0)
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child *c = pid == r->command.pid ? &r->command
				  : pid == r->sched.pid ? &r->sched
							: NULL;

		if (c) {
			c->pid = 0;
			c->status = status;
			c->exited = true;
		}
	}
}

void sched_look(struct run *r)
{
	_cleanup_free_ char *ops = sched_root_ops();

	if (ops && !r->sched_seen) {
		r->sched_seen = true;
		free(r->sched_name);
		r->sched_name = take_ptr(ops);
		send_event(r, "scheduler-attached", "name", r->sched_name);
	} else if (!ops && r->sched_seen && !r->sched_lost) {
		r->sched_lost = true;
		send_event(r, "scheduler-exited", "name", r->sched_name);
	}
}

void serve(struct run *r, int ms)
{
	struct {
		int fd;
		short events;
	} want[] = {
		{r->sigfd, POLLIN},	  {r->input_refused ? -1 : r->port, POLLIN},
		{r->uevents, POLLIN},	  {r->command.control, POLLIN},
		{r->command.out, POLLIN}, {r->command.err, POLLIN},
		{r->sched.out, POLLIN},	  {r->stdin_len ? r->command.in : -1, POLLOUT},
	};
	struct pollfd p[ARRAY_SIZE(want)];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(want); i++)
		p[i] = (struct pollfd){want[i].fd, want[i].events, 0};
	if (poll(p, ARRAY_SIZE(p), ms) <= 0)
		return;
	if (p[0].revents)
		children_reap(r);
	if (p[1].revents)
		host_readable(r);
	if (p[2].revents && sched_uevent_is_scx(r->uevents))
		sched_look(r);
	if (p[3].revents)
		control_readable(r);
	if (p[4].revents)
		pipe_forward(r, &r->command.out, FRAME_STDOUT);
	if (p[5].revents)
		pipe_forward(r, &r->command.err, FRAME_STDERR);
	if (p[6].revents)
		pipe_forward(r, &r->sched.out, FRAME_SCHED);
	if (p[7].revents)
		stdin_push(r);
}

bool serve_until(struct run *r, bool (*done)(const struct run *), int ms)
{
	uint64_t end = now_ns() + ms * 1000000ULL, now;

	while (!done(r)) {
		now = now_ns();
		if (now >= end)
			return false;
		serve(r, (end - now) / 1000000 + 1);
	}
	return true;
}
