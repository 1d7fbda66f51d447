// SPDX-License-Identifier: GPL-2.0
/*
 * Your own family: workers that run a program of the user's.
 *
 * exec:COMMAND starts the command, waits for its end and starts it again, until the stop: fork(2),
 * execve(2) (sched_exec()), whatever the command does, exit, the wake-up of the parent. The command
 * is split as a shell does and found on PATH; no shell takes part. It runs in the worker's cgroup,
 * with /dev/null for its streams, and is killed at the stop. A work unit is one run that came to
 * its end, and so is an iteration. The metric failed_runs counts those with another exit status
 * than 0.
 *
 * While the command runs the worker waits in turns of 10 ms. A turn that ends more than 1 ms late
 * counts as a gap, from its begin on, and so does the time from the fork to the child's first
 * instruction. The wake latency is that of the turns that ran out.
 */
#include "work_common.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "diag.h"
#include "words.h"

#define TURN_NS (10 * NSEC_PER_MSEC)
#define LATE_NS NSEC_PER_MSEC

static const char *command_of(const struct work_spec *spec)
{
	return strchr(spec->text, ':') + 1;
}

static int no_command(char **why)
{
	*why = xasprintf("exec: expected a command, for example 'work=exec:make -s'");
	return -EINVAL;
}

static int exec_complete(struct work_spec *spec, char **why)
{
	const char *command = strchr(spec->text, ':'), *fault;
	char **words;
	bool empty;

	if (!command)
		return no_command(why);
	words = words_split(command + 1, &fault);
	if (!words) {
		*why = xasprintf("%s: %s", spec->text, fault);
		return -EINVAL;
	}
	empty = !words[0];
	words_free(words);
	return empty ? no_command(why) : 0;
}

static int exec_check(const struct work_spec *spec, char **why)
{
	const char *fault;
	char **words = words_split(command_of(spec), &fault);
	int ret = words ? command_find(words[0]) : -EINVAL;

	if (ret)
		*why = xasprintf("exec: cannot run '%s': %s", words ? words[0] : spec->text,
				 words ? strerror(-ret) : fault);
	words_free(words);
	return ret;
}

static int exec_setup(struct worker *w)
{
	const char *fault;

	w->own = words_split(command_of(w->spec), &fault);
	return w->own ? 0 : worker_fail(w, EINVAL, "exec: %s", fault);
}

_Noreturn static void command_main(struct worker *w, pid_t parent)
{
	char **words = w->own;
	sigset_t none;

	birth_note(w->shared);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	signal(SIGINT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_TIMERSLACK, 50000UL); /* the kernel's own default */
	dup2(STDIN_FILENO, STDERR_FILENO); /* a worker has /dev/null there */
	dup2(STDIN_FILENO, STDOUT_FILENO);
	execvp(words[0], words);
	_exit(127);
}

/* One turn of waiting for the process behind @pidfd. Returns what worker_checkpoint() does. */
static bool wait_turn(struct worker *w, int pidfd, bool *ended)
{
	struct pollfd pfd = {.fd = pidfd, .events = POLLIN};
	struct timespec left = worker_left(w), turn = {.tv_nsec = TURN_NS};
	uint64_t begin = worker_now(w), due;
	int n;

	if (!left.tv_sec && left.tv_nsec < turn.tv_nsec)
		turn = left;
	due = begin + turn.tv_nsec;
	worker_wait_begin(w, due);
	worker_checkpoint(w, 0); /* what stopped it before is a gap */
	n = ppoll(&pfd, 1, &turn, NULL);
	*ended = n > 0;
	if (worker_now(w) > due + LATE_NS)
		worker_wait_begin(w, begin);
	return worker_wait_end(w, n == 0);
}

/* Run the command once. Returns what worker_checkpoint() does. */
static bool exec_once(struct worker *w, uint64_t *failed)
{
	uint64_t forked = worker_now(w);
	bool ended = false, more = true;
	pid_t self = getpid(), pid = fork();
	int status = 0, pidfd;

	if (pid == 0)
		command_main(w, self);
	if (pid < 0) {
		worker_lacks(w, errno, "cannot make a process");
		return worker_sleep_until(w, worker_now(w) + NSEC_PER_MSEC);
	}
	worker_checkpoint(w, 0);
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	while (more && !ended)
		more = wait_turn(w, pidfd, &ended);
	if (!ended)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	close(pidfd);
	worker_note_birth(w, w->shared, forked);
	*failed += ended && status != 0;
	w->tally->iterations += ended;
	return worker_checkpoint(w, ended) && more;
}

static void run_command(struct worker *w)
{
	uint64_t failed = 0;

	while (exec_once(w, &failed))
		;
	w->rec->metrics[0] = (struct metric){.name = "failed_runs", .amount = failed};
}

const struct work_type work_exec_types[] = {
	{
		.name = "exec",
		.family = "exec",
		.unit = "one run of the command that came to its end",
		.path = "fork and exec, and what the command does",
		.about = "exec:COMMAND, where all that follows the colon is the command, runs that "
			 "command again and again: split as a shell does, without a shell, output "
			 "to /dev/null, killed at the stop. The worker looks after it every 10 ms. "
			 "The metric failed_runs counts exit statuses other than 0.",
		.wake = "the end of such a wait of 10 ms",
		.blocks = true,
		.shared_size = sizeof(struct birth),
		.command = true,
		.complete = exec_complete,
		.check = exec_check,
		.setup = exec_setup,
		.run = run_command,
	},
	{},
};
