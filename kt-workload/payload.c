// SPDX-License-Identifier: GPL-2.0
#include "payload.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "health.h"
#include "patience.h"
#include "payload_output.h"
#include "run.h"
#include "text_json.h"

#define START_WAIT_NS NSEC_PER_SEC	    /* for one to get to its first instruction */
#define TERM_WAIT_NS  (2 * NSEC_PER_SEC)    /* between SIGTERM and SIGKILL */
#define KILL_WAIT_NS  (2 * NSEC_PER_SEC)    /* for a killed one to die */
#define LIVENESS_NS   (250 * NSEC_PER_MSEC) /* between looks at the scheduler */
#define DRAIN_WAIT_NS (100 * NSEC_PER_MSEC) /* for output that others still hold open */

struct payload {
	const struct payload_def *def;
	pid_t pid; /* 0: it was never started */
	bool alive;
	bool told; /* the run or an op has told it to end */
	int status;
	int report; /* where it says why it cannot run, -1 once that is settled */
	uint64_t start_ns, end_ns;
	struct payload_output output;
};

/* The cgroup of one that names none. */
static char *own_cgroup(const struct payload_def *def)
{
	return xasprintf("run.%s", def->name);
}

/* What the child needs; errors come back through @report. */
struct child_fds {
	int go;	    /* end of file: it is placed */
	int out;    /* its stdout */
	int report; /* close-on-exec: errno of a failed exec */
};

_Noreturn static void child_main(const struct payload_def *def, const struct child_fds *fds,
				 pid_t parent)
{
	sigset_t none;
	int null, err, s;
	char c;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	setsid();
	while (read(fds->go, &c, 1) < 0 && errno == EINTR)
		;
	null = open("/dev/null", O_RDONLY);
	dup2(null, STDIN_FILENO);
	dup2(fds->out, STDOUT_FILENO);
	/* What our own parent has us ignore (a shell's background: SIGINT) is nothing of its. */
	for (s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(def->argv[0], def->argv);
	err = errno;
	if (write(fds->report, &err, sizeof(err)) < 0)
		_exit(125);
	_exit(127);
}

/* Where the cgroup controller cannot, confine by affinity. */
static int place(struct run *run, const struct payload_def *def, pid_t pid)
{
	_cleanup_free_ char *own = def->cgroup ? NULL : own_cgroup(def);
	const struct allowed *now = own ? NULL : &run->places[def->cgroup->index].now;
	char *why;
	int ret = 0;

	if (own && cgroup_make(&run->tree, own, NULL, &why)) {
		run_error(run, def->line, "%s", why);
		free(why);
		return -EIO;
	}
	if (own || !def->cgroup->at_root)
		ret = cgroup_move(&run->tree, own ? own : def->cgroup->name, pid);
	if (ret) {
		run_error(run, def->line, "cannot move '%s' into cgroup '%s': %s", def->name,
			  own ? own : def->cgroup->name, strerror(-ret));
		return ret;
	}
	if (now && now->confined && run->confinement == CONFINED_AFFINITY &&
	    sched_setaffinity(pid, sizeof(now->cpus), (const cpu_set_t *)&now->cpus)) {
		ret = -errno;
		run_error(run, def->line, "cannot confine '%s' to the CPUs of cgroup '%s': %s",
			  def->name, def->cgroup->name, strerror(-ret));
	}
	return ret;
}

static int start(struct run *run, struct payload *p)
{
	_cleanup_close_ int go_r = -1, go_w = -1, out_w = -1, report_w = -1;
	int go[2], out[2], report[2], ret;
	pid_t parent = getpid();

	if (pipe2(go, O_CLOEXEC))
		return -errno;
	go_r = go[0], go_w = go[1];
	if (pipe2(out, O_CLOEXEC))
		return -errno;
	p->output.fd = out[0], out_w = out[1];
	if (pipe2(report, O_CLOEXEC))
		return -errno;
	p->report = report[0], report_w = report[1];
	fcntl(p->output.fd, F_SETFL, O_NONBLOCK);
	fcntl(p->report, F_SETFL, O_NONBLOCK);
	p->pid = fork();
	if (p->pid < 0) {
		ret = -errno;
		p->pid = 0;
		return ret;
	}
	if (!p->pid) {
		close(go_w);
		child_main(p->def, &(struct child_fds){go_r, out_w, report_w}, parent);
	}
	p->alive = true;
	ret = place(run, p->def, p->pid);
	if (ret) {
		p->told = true;
		kill(p->pid, SIGKILL);
	}
	return ret;
}

/* Who has not come to its first instruction by now does not run. */
static void report_close(struct payload *p)
{
	cleanup_closep(&p->report);
	p->report = -1;
}

/* Whether it runs, or why it cannot; never blocks. */
static void report_read(struct run *run, struct payload *p)
{
	int err;
	ssize_t n = p->report < 0 ? 0 : read(p->report, &err, sizeof(err));

	if (p->report < 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	report_close(p);
	if (n != sizeof(err)) {
		p->start_ns = clock_now();
		return;
	}
	p->told = true; /* one error is enough */
	run->dead = true;
	run_error(run, p->def->line, "cannot run '%s': %s: %s", p->def->name, p->def->argv[0],
		  strerror(err));
}

int apply_run(struct run *run, const struct op *op)
{
	struct payload *p;
	struct patience patience;
	int before = run->n_errors, ret;

	if (!run->payloads)
		run->payloads = xcalloc(run->sc->n_payloads, sizeof(*run->payloads));
	p = xcalloc(1, sizeof(*p));
	*p = (struct payload){.def = op->payload, .report = -1, .output = {.fd = -1}};
	run->payloads[op->payload->index] = p;
	ret = start(run, p);
	if (ret && run->n_errors == (size_t)before)
		run_error(run, op->line, "cannot run '%s': %s: %s", p->def->name, p->def->argv[0],
			  strerror(-ret));
	patience_begin(&patience, START_WAIT_NS);
	while (!ret && p->report >= 0 && !run->dead && !patience_over(&patience))
		run_wait_signal(run, clock_now() + PATIENCE_LOOK_NS / 2);
	if (ret)
		report_close(p);
	else if (p->report >= 0 && !run->dead)
		warn("program '%s' did not come up within 1 s: going on without it", p->def->name);
	return ret;
}

bool payloads_note_end(struct run *run, pid_t pid)
{
	size_t i;

	for (i = 0; run->payloads && i < run->sc->n_payloads; i++) {
		struct payload *p = run->payloads[i];

		if (!p || !p->alive || p->pid != pid)
			continue;
		waitpid(pid, &p->status, 0);
		p->alive = false;
		p->end_ns = clock_now();
		report_read(run, p);
		payload_output_read(&p->output);
		if (p->told || (WIFEXITED(p->status) && !WEXITSTATUS(p->status)))
			return true;
		if (p->def->cgroup &&
		    health_oom_kill(run, &run->places[p->def->cgroup->index], p->status))
			run_error(run, p->def->line,
				  "program '%s' was killed for want of memory (oom_kill in its "
				  "memory.events)",
				  p->def->name);
		else if (WIFSIGNALED(p->status))
			run_error(run, p->def->line, "program '%s' was killed by signal %d (%s)",
				  p->def->name, WTERMSIG(p->status),
				  strsignal(WTERMSIG(p->status)));
		else
			run_error(run, p->def->line, "program '%s' exited with status %d",
				  p->def->name, WEXITSTATUS(p->status));
		return true;
	}
	return false;
}

size_t payloads_poll(const struct run *run, struct pollfd *fds)
{
	size_t n = 0, i;

	for (i = 0; run->payloads && i < run->sc->n_payloads; i++) {
		const struct payload *p = run->payloads[i];

		if (p && p->output.fd >= 0)
			fds[n++] = (struct pollfd){.fd = p->output.fd, .events = POLLIN};
		if (p && p->report >= 0)
			fds[n++] = (struct pollfd){.fd = p->report, .events = POLLIN};
	}
	return n;
}

void payloads_read(struct run *run)
{
	size_t i;

	for (i = 0; run->payloads && i < run->sc->n_payloads; i++) {
		if (!run->payloads[i])
			continue;
		report_read(run, run->payloads[i]);
		payload_output_read(&run->payloads[i]->output);
	}
}

/* Wait for its end until @limit_ns, whatever else ends the run. Returns whether it came. */
static bool wait_end(struct run *run, const struct payload *p, uint64_t limit_ns)
{
	while (p->alive && clock_now() < limit_ns)
		run_wait_signal(run, limit_ns);
	return !p->alive;
}

/* Its last words, which a descendant may still hold open. */
static void drain(struct run *run, struct payload *p)
{
	uint64_t limit = clock_now() + DRAIN_WAIT_NS;

	while (p->output.fd >= 0 && clock_now() < limit)
		run_wait_signal(run, limit);
	cleanup_closep(&p->output.fd);
	p->output.fd = -1;
}

/* Have it end: the session that it leads, and what has left that but not the cgroup. */
static void end(struct run *run, struct payload *p, int signal)
{
	_cleanup_free_ char *own = p->def->cgroup ? NULL : own_cgroup(p->def);

	p->told |= p->alive;
	report_read(run, p);
	report_close(p);
	if (p->alive) {
		if (kill(-p->pid, signal))
			kill(p->pid, signal); /* it has not come to setsid(2) */
		kill(-p->pid, SIGCONT);
		if (!wait_end(run, p, clock_now() + TERM_WAIT_NS)) {
			info("program '%s' is killed: it did not end on signal %d", p->def->name,
			     signal);
			kill(-p->pid, SIGKILL);
			wait_end(run, p, clock_now() + KILL_WAIT_NS);
		}
	}
	if (p->pid)
		kill(-p->pid, SIGKILL);
	drain(run, p);
	if (own && p->pid)
		cgroup_remove(&run->tree, own);
	if (p->alive)
		run_error(run, p->def->line, "program '%s' did not end when it was killed",
			  p->def->name);
}

int apply_wait(struct run *run, const struct op *op)
{
	struct payload *p = run->payloads[op->payload->index];
	uint64_t limit = clock_now() + (op->ns ? op->ns : run->sc->duration_ns);

	while (p->alive && !run->dead && clock_now() < limit) {
		uint64_t look = clock_now() + LIVENESS_NS;

		run_wait_signal(run, look < limit ? look : limit);
		run_check(run);
	}
	if (run->dead)
		return 0;
	if (p->alive) {
		run_error(run, op->line, "wait: program '%s' did not end within %gs", p->def->name,
			  (op->ns ? op->ns : run->sc->duration_ns) / 1e9);
		return -ETIMEDOUT;
	}
	drain(run, p);
	return 0;
}

int apply_kill(struct run *run, const struct op *op)
{
	end(run, run->payloads[op->payload->index], op->signal);
	return 0;
}

void payloads_finish(struct run *run, size_t step)
{
	size_t i;

	run_wait_signal(run, clock_now()); /* who has ended by itself */
	for (i = 0; run->payloads && i < run->sc->n_payloads; i++) {
		struct payload *p = run->payloads[i];

		if (p && p->def->step == step)
			end(run, p, SIGTERM);
	}
}

static json_t *exit_json(const struct payload *p)
{
	if (!p->pid || !p->start_ns)
		return json_string("never-started");
	if (p->alive)
		return json_string("timed-out");
	if (p->told)
		return json_string("stopped");
	if (WIFSIGNALED(p->status))
		return json_sprintf("signalled:%d", WTERMSIG(p->status));
	if (WEXITSTATUS(p->status))
		return json_sprintf("exited:%d", WEXITSTATUS(p->status));
	return json_string("completed");
}

static json_t *since_start(const struct run *run, uint64_t ns)
{
	if (!ns)
		return json_null();
	return json_integer(ns > run->start_ns ? ns - run->start_ns : 0);
}

json_t *payloads_json(const struct run *run)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; run->payloads && i < run->sc->n_payloads; i++) {
		const struct payload *p = run->payloads[i];
		json_t *o;

		if (!p)
			continue;
		o = json_pack("{s:s,s:o,s:s?}", "name", p->def->name, "command",
			      text_json(p->def->text), "cgroup",
			      p->def->cgroup ? p->def->cgroup->name : NULL);
		json_object_set_new(o, "pid", p->pid ? json_integer(p->pid) : json_null());
		json_object_set_new(o, "start_ns", since_start(run, p->start_ns));
		json_object_set_new(o, "end_ns", since_start(run, p->end_ns));
		json_object_set_new(o, "exit", exit_json(p));
		json_object_set_new(o, "output_cut", json_boolean(p->output.cut));
		json_object_set_new(o, "metrics", payload_output_metrics(&p->output, p->def));
		json_array_append_new(all, o);
	}
	return all;
}

void payloads_free(struct run *run)
{
	size_t i;

	for (i = 0; run->payloads && i < run->sc->n_payloads; i++) {
		if (run->payloads[i]) {
			payload_output_free(&run->payloads[i]->output);
			report_close(run->payloads[i]);
		}
		free(run->payloads[i]);
	}
	free(run->payloads);
}
