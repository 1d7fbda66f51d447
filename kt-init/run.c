// SPDX-License-Identifier: GPL-2.0
/* One run: scheduler up, command to its end, everything forwarded to the host, the end reported. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "quantity.h"
#include "run.h"

#define SCHED_ATTACH_MS 30000 /* a scheduler must show in sysfs within this time */
#define DRAIN_MS	500   /* for pipes that outlive the command in some background process */
#define TERM_GRACE_MS	15000 /* between SIGTERM (SIGINT for the scheduler) and SIGKILL */
#define LAST_WORDS_MS	1000  /* a scheduler that the kernel threw out may still log */

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

static bool sched_up_or_dead(const struct run *r)
{
	return r->sched_seen || r->sched.exited;
}

bool sched_gone(const struct run *r)
{
	return r->sched.exited && r->sched.out < 0;
}

static bool sched_ended(const struct run *r)
{
	return r->sched_seen && (r->sched_lost || r->sched.exited);
}

static bool command_ended(const struct run *r)
{
	return r->command.exited || sched_ended(r);
}

static bool command_gone(const struct run *r)
{
	return r->command.exited && r->command.out < 0 && r->command.err < 0;
}

static bool command_dead(const struct run *r)
{
	return r->command.exited;
}

void child_stop(struct run *r, struct child *c, int sig, bool (*gone)(const struct run *))
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
	r->sched_argv = guestconf_list(r->conf, "sched");
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

/*
 * The scheduler may have gone just as the command ended, or be on its way: what reads sched_ext's
 * state sees that it is no longer enabled, and may end for it, before its place in sysfs is gone.
 */
static bool sched_went(struct run *r)
{
	if (sched_ended(r))
		return true;
	if (sched_state_is("enabled"))
		return false;
	serve_until(r, sched_ended, TERM_GRACE_MS);
	return true;
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
	if (!r->outcome && r->sched_seen && sched_went(r))
		sched_death(r);
	if (WIFSIGNALED(r->command.status)) {
		r->signal = WTERMSIG(r->command.status);
		outcome_set(r, "signalled", 128 + r->signal, status_describe(&r->command));
	} else {
		outcome_set(r, "exited", WEXITSTATUS(r->command.status), NULL);
	}
}

void run(const struct guestconf *conf, int port)
{
	static struct run r;
	char *why;
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
	why = modules_load(conf);
	if (why)
		outcome_set(&r, "module-failed", 125, why);
	else if (sched_bring_up(&r))
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
