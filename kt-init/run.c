// SPDX-License-Identifier: GPL-2.0
/*
 * One run: scheduler up, command to its end, everything forwarded to the host, the end reported.
 * A single poll loop serves the host's port, the children's pipes and the kernel's events.
 */
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "init.h"
#include "quantity.h"

#define STDIN_WINDOW	(64 * 1024) /* bytes the host may send ahead of the command's reading */
#define SCHED_ATTACH_MS 30000	    /* a scheduler must show in sysfs within this time */
#define DRAIN_MS	500   /* for pipes that outlive the command in some background process */
#define TERM_GRACE_MS	15000 /* between SIGTERM (SIGINT for the scheduler) and SIGKILL */
#define LAST_WORDS_MS	1000  /* a scheduler that the kernel threw out may still log */

struct run {
	const struct guestconf *conf;
	int port, sigfd, uevents, kmsg;
	struct frame_reader reader;
	struct child command, sched;
	char **env;
	uint8_t stdin_buf[STDIN_WINDOW];
	size_t stdin_len;
	bool stdin_eof, input_refused, bye;
	struct winsize winsize; /* of the host's terminal, for the command's */
	bool sched_seen, sched_lost;
	char *sched_name;
	struct sched_exit sched_exit;
	/* What EXIT says. */
	const char *outcome;
	char *message;
	int status, signal;
	uint64_t command_ns;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void send_json(struct run *r, enum frame_type type, json_t *object)
{
	_cleanup_free_ char *text = json_dumps(object, JSON_COMPACT);

	json_decref(object);
	if (text)
		frame_send(r->port, type, text, strlen(text));
}

/* Address and size of the VMCOREINFO note, in hex, as /sys/kernel/vmcoreinfo gives them. */
static void vmcoreinfo_read(unsigned long long *addr, unsigned long long *size)
{
	_cleanup_fclose_ FILE *f = fopen("/sys/kernel/vmcoreinfo", "re");

	*addr = *size = 0;
	if (f && fscanf(f, "%llx %llx", addr, size) != 2)
		*addr = *size = 0;
}

static void send_hello(struct run *r)
{
	unsigned long long addr, size;
	struct utsname u;

	uname(&u);
	vmcoreinfo_read(&addr, &size);
	send_json(r, FRAME_HELLO,
		  json_pack("{s:s, s:s, s:i, s:I, s:I}", "schema", "kt-hello/1", "kernel",
			    u.release, "cpus", (int)sysconf(_SC_NPROCESSORS_ONLN),
			    "vmcoreinfo_addr", (json_int_t)addr, "vmcoreinfo_size",
			    (json_int_t)size));
}

/*
 * Make the seed matter to a deterministic run: it feeds the kernel's random numbers and shifts
 * everything that follows against the timer tick.
 */
static void seed_stir(const char *seed)
{
	_cleanup_fclose_ FILE *f = fopen("/dev/urandom", "we");
	volatile uint64_t spin;
	int64_t v;

	if (f)
		fprintf(f, "kt seed %s", seed);
	if (number_parse(seed, 0, INT64_MAX, &v))
		return;
	spin = (uint64_t)v * 0x9e3779b97f4a7c15ULL;
	for (spin = (spin >> 40) & 0x3fffff; spin; spin--)
		;
}

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
static void winsize_apply(struct run *r)
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
	else
		frame_send(r->port, json_object_get(msg, "request") ? FRAME_REQUEST : FRAME_EVENT,
			   buf, n);
	json_decref(msg);
}

static void send_event(struct run *r, const char *event, const char *key, const char *value)
{
	json_t *e = json_pack("{s:s, s:I}", "event", event, "t_ns", (json_int_t)now_ns());

	if (key && value)
		json_object_set_new(e, key, json_string(value));
	send_json(r, FRAME_EVENT, e);
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

static void sched_check(struct run *r)
{
	_cleanup_free_ char *ops = sched_root_ops();

	if (ops && !r->sched_seen) {
		r->sched_seen = true;
		r->sched_name = take_ptr(ops);
		send_event(r, "scheduler-attached", "name", r->sched_name);
	} else if (!ops && r->sched_seen && !r->sched_lost) {
		r->sched_lost = true;
		send_event(r, "scheduler-exited", "name", r->sched_name);
	}
}

/* One turn of the loop: wait at most @ms (-1: for ever) and serve what is ready. */
static void serve(struct run *r, int ms)
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
		sched_check(r);
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

/* Serve until @done says so or @ms have passed. Returns whether it is done. */
static bool serve_until(struct run *r, bool (*done)(const struct run *), int ms)
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

static bool sched_up_or_dead(const struct run *r)
{
	return r->sched_seen || r->sched.exited;
}

static bool sched_gone(const struct run *r)
{
	return r->sched.exited && r->sched.out < 0;
}

static bool command_ended(const struct run *r)
{
	return r->command.exited || (r->sched_seen && (r->sched_lost || r->sched.exited));
}

static bool command_gone(const struct run *r)
{
	return r->command.exited && r->command.out < 0 && r->command.err < 0;
}

static bool command_dead(const struct run *r)
{
	return r->command.exited;
}

/* End a child: ask with @sig, insist with SIGKILL. @gone tells when it is over. */
static void child_stop(struct run *r, struct child *c, int sig, bool (*gone)(const struct run *))
{
	if (!c->pid && !c->exited)
		return; /* never started */
	if (c->pid) {
		kill(-c->pid, sig);
		if (!serve_until(r, gone, TERM_GRACE_MS) && c->pid)
			kill(-c->pid, SIGKILL);
	}
	serve_until(r, gone, DRAIN_MS);
}

static void outcome_set(struct run *r, const char *outcome, int status, char *message)
{
	if (r->outcome) {
		free(message);
		return;
	}
	r->outcome = outcome;
	r->status = status;
	r->message = message;
}

static char *status_describe(const struct child *c)
{
	if (!c->exited)
		return xstrdup(c->pid ? "still running" : "not started");
	if (WIFSIGNALED(c->status))
		return xasprintf("killed by signal %d (%s)", WTERMSIG(c->status),
				 strsignal(WTERMSIG(c->status)));
	return xasprintf("exit status %d", WEXITSTATUS(c->status));
}

/* Start the scheduler and wait until the kernel shows it. Returns whether the run can go on. */
static bool sched_bring_up(struct run *r)
{
	_cleanup_free_ char **argv = guestconf_list(r->conf, "sched");
	_cleanup_free_ char *how = NULL;
	int err;

	if (!argv[0])
		return true;
	if (access("/sys/kernel/sched_ext", F_OK)) {
		outcome_set(r, "scheduler-failed", 121,
			    xstrdup("this kernel has no sched_ext (CONFIG_SCHED_CLASS_EXT)"));
		return false;
	}
	r->uevents = sched_uevent_open();
	r->kmsg = sched_kmsg_open();
	err = child_start(&r->sched, argv, r->env, CHILD_IO_LOG, NULL);
	if (err) {
		outcome_set(r, "scheduler-failed", 121,
			    xasprintf("cannot execute %s: %s", argv[0], strerror(-err)));
		return false;
	}
	serve_until(r, sched_up_or_dead, SCHED_ATTACH_MS);
	if (r->sched_seen && !r->sched.exited)
		return true;
	serve_until(r, sched_gone, DRAIN_MS);
	how = status_describe(&r->sched);
	outcome_set(r, r->sched_seen ? "scheduler-died" : "scheduler-failed", 121,
		    r->sched_seen || r->sched.exited
			    ? xasprintf("the scheduler ended before the command started (%s)", how)
			    : xasprintf("not in /sys/kernel/sched_ext/root/ops after %d s",
					SCHED_ATTACH_MS / 1000));
	return false;
}

/* The scheduler went away below the command. */
static void sched_death(struct run *r)
{
	_cleanup_free_ char *how = NULL;

	serve_until(r, sched_gone, LAST_WORDS_MS);
	sched_exit_read(r->kmsg, r->sched_name, &r->sched_exit);
	how = status_describe(&r->sched);
	outcome_set(r, "scheduler-died", 121,
		    r->sched_exit.reason
			    ? xasprintf("scheduler '%s' disabled: %s%s%s (its program: %s)",
					r->sched_name, r->sched_exit.reason,
					r->sched_exit.message ? ": " : "",
					r->sched_exit.message ? r->sched_exit.message : "", how)
			    : xasprintf("scheduler '%s' ended: %s", r->sched_name, how));
	child_stop(r, &r->command, SIGTERM, command_gone);
}

static void command_run(struct run *r)
{
	_cleanup_free_ char **argv = guestconf_list(r->conf, "arg");
	const char *stdin_path = guestconf_get(r->conf, "stdin");
	bool pty = guestconf_get(r->conf, "pty") != NULL;
	uint64_t start;
	int err;

	err = child_start(&r->command, argv, r->env, pty ? CHILD_IO_PTY : CHILD_IO_COMMAND,
			  stdin_path);
	if (err) {
		outcome_set(r, err == -ENOENT ? "not-found" : "not-executable",
			    err == -ENOENT ? 127 : 126,
			    xasprintf("%s: %s", argv[0], strerror(-err)));
		return;
	}
	winsize_apply(r);
	send_event(r, "command-start", NULL, NULL);
	if (r->command.in >= 0) {
		uint32_t credit = STDIN_WINDOW;

		frame_send(r->port, FRAME_CREDIT, &credit, sizeof(credit));
	}
	start = now_ns();
	while (!command_ended(r))
		serve(r, -1);
	if (!r->command.exited)
		sched_death(r);
	serve_until(r, command_dead, DRAIN_MS);
	r->command_ns = now_ns() - start;
	serve_until(r, command_gone, DRAIN_MS);
	/* Leftovers of its session must not outlive it into the scheduler's shutdown. */
	if (!r->outcome && r->sched_seen && (r->sched_lost || r->sched.exited))
		sched_death(r);
	if (WIFSIGNALED(r->command.status)) {
		r->signal = WTERMSIG(r->command.status);
		outcome_set(r, "signalled", 128 + r->signal, status_describe(&r->command));
	} else {
		outcome_set(r, "exited", WEXITSTATUS(r->command.status), NULL);
	}
}

static long oom_kills(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/vmstat", "re");
	char name[64];
	long v;

	while (f && fscanf(f, "%63s %ld", name, &v) == 2) {
		if (!strcmp(name, "oom_kill"))
			return v;
	}
	return 0;
}

/* The message may hold a file's name, which need not be UTF-8 as JSON is. */
static json_t *message_json(const char *message)
{
	_cleanup_free_ char *ascii = NULL;
	json_t *j = json_string(message);
	char *p;

	if (j || !message)
		return j;
	ascii = xstrdup(message);
	for (p = ascii; *p; p++) {
		if (*p & 0x80)
			*p = '?';
	}
	return json_string(ascii);
}

static void send_exit(struct run *r)
{
	json_t *e = json_pack("{s:s, s:s, s:i, s:o?, s:I, s:I}", "schema", "kt-exit/1", "outcome",
			      r->outcome, "status", r->status, "message", message_json(r->message),
			      "oom_kills", (json_int_t)oom_kills(), "command_ns",
			      (json_int_t)r->command_ns);

	if (r->signal)
		json_object_set_new(e, "signal", json_integer(r->signal));
	if (guestconf_get(r->conf, "sched")) {
		_cleanup_free_ char *how = status_describe(&r->sched);

		json_object_set_new(
			e, "scheduler",
			json_pack("{s:s?, s:s, s:s?, s:s?, s:s?, s:b}", "name", r->sched_name,
				  "process", how, "exit_kind", r->sched_exit.kind, "exit_reason",
				  r->sched_exit.reason, "exit_message", r->sched_exit.message,
				  "error", sched_exit_is_error(&r->sched_exit)));
	}
	send_json(r, FRAME_EXIT, e);
}

void run(const struct guestconf *conf, int port)
{
	static struct run r;
	_cleanup_free_ char **env = guestconf_list(conf, "env");
	const char *seed = guestconf_get(conf, "seed");
	sigset_t chld;

	r = (struct run){.conf = conf, .port = port, .env = env, .uevents = -1, .kmsg = -1};
	child_init(&r.command);
	child_init(&r.sched);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	signal(SIGPIPE, SIG_IGN);
	r.sigfd = signalfd(-1, &chld, SFD_NONBLOCK | SFD_CLOEXEC);
	send_hello(&r);
	if (seed)
		seed_stir(seed);
	if (sched_bring_up(&r))
		command_run(&r);
	child_stop(&r, &r.sched, SIGINT, sched_gone);
	if (r.sched_name && !r.sched_exit.reason)
		sched_exit_read(r.kmsg, r.sched_name, &r.sched_exit);
	kill(-1, SIGKILL);
	send_exit(&r);
	/*
	 * The driver queues what is written (drivers/char/virtio_console.c, port_fops_write): only
	 * the host's word tells that a slow reader has got it all. A deterministic run's host is a
	 * file.
	 */
	while (guestconf_get(conf, "bye") && !r.bye && !r.input_refused)
		serve(&r, -1);
	child_close(&r.command);
	child_close(&r.sched);
	frame_reader_free(&r.reader);
}
