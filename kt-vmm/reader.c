// SPDX-License-Identifier: GPL-2.0
#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "carry.h"
#include "cleanup.h"
#include "control_commands.h"
#include "diag.h"
#include "vm_state.h"

#define LAST_WORDS_MS 2000

void reader_init(struct reader *r)
{
	size_t i;

	*r = (struct reader){};
	for (i = 0; i < READER_MAX_FILES; i++)
		r->files[i].fd = -1;
}

static json_t *refusal(const char *text)
{
	return json_pack("{s:s}", "error", text);
}

/* Take @q off the list and call who asked. */
static void answer(struct vm *vm, struct reader_request **at, const json_t *reply)
{
	struct reader_request *q = *at;

	*at = q->next;
	vm->reader.n_pending--;
	if (q->done)
		q->done(vm, reply, q->context);
	json_decref(q->request);
	json_decref(q->context);
	free(q);
}

static void file_free(struct reader_file *f)
{
	cleanup_closep(&f->fd);
	f->fd = -1;
	f->owner = NULL;
	free(take_ptr(f->name));
}

/* In the child: nothing but the socket and our stderr. */
static void __attribute__((noreturn)) reader_exec(const char *path, int fd, pid_t parent)
{
	char *const args[] = {"kt-snapshot", "serve", NULL};
	sigset_t none;

	/* Its own session: a Ctrl-C on the terminal is ours to handle. */
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
	dup2(fd, STDIN_FILENO);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	execv(path, args);
	dprintf(STDERR_FILENO, "kt-vmm: cannot execute %s: %s\n", path, strerror(errno));
	_exit(127);
}

static int spawn(struct vm *vm, const char *path)
{
	struct reader *r = &vm->reader;
	pid_t parent = getpid();
	int pair[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	err = control_adopt(&vm->control, pair[0], &r->client);
	if (err) {
		close(pair[0]);
		close(pair[1]);
		return err;
	}
	r->pid = fork();
	if (r->pid == 0)
		reader_exec(path, pair[1], parent);
	close(pair[1]); /* without a child that is the end of the client, too */
	return r->pid < 0 ? -errno : 0;
}

bool reader_start(struct vm *vm)
{
	struct reader *r = &vm->reader;
	_cleanup_free_ char *path = NULL;
	bool own;
	int err;

	if (r->started)
		return r->client;
	r->started = true;
	r->start_ns = now_ns();
	path = carry_find_command("kt-snapshot", &own);
	err = path ? spawn(vm, path) : -ENOENT;
	if (err) {
		r->pid = 0;
		r->died = xasprintf("kt-snapshot cannot be started: %s",
				    path ? strerror(-err) : "not found beside kt-vmm");
		warn("%s", r->died);
	}
	return !err;
}

/* Returns 0, or -errno when it has to go. */
static int request_send(struct vm *vm, struct reader_request *q)
{
	json_t *line = json_pack("{s:s,s:I,s:O}", "event", "request", "token", (json_int_t)q->token,
				 "request", q->request);
	int err = control_send(vm->reader.client, line);

	json_decref(line);
	q->sent = true;
	return err;
}

void reader_ask(struct vm *vm, json_t *request, reader_done *done, json_t *context)
{
	struct reader *r = &vm->reader;
	struct reader_request *q = xcalloc(1, sizeof(*q)), **at = &r->pending;

	while (*at)
		at = &(*at)->next;
	*q = (struct reader_request){
		.token = ++r->last_token, .request = request, .context = context, .done = done};
	*at = q;
	r->n_pending++;
	if (!reader_start(vm) || r->n_pending > READER_MAX_PENDING) {
		json_t *no = refusal(r->client ? "too much is asked of the snapshot reader"
				     : r->died ? r->died
					       : "the snapshot reader is gone");

		answer(vm, at, no);
		json_decref(no);
	} else if (r->ready && request_send(vm, q)) {
		control_hang_up(r->client);
	}
}

void reader_is_ready(struct vm *vm)
{
	struct reader *r = &vm->reader;
	struct reader_request *q;

	r->ready = true;
	r->ready_ns = now_ns();
	info("kt-snapshot is ready after %.1f ms", (r->ready_ns - r->start_ns) / 1e6);
	for (q = r->pending; q; q = q->next) {
		if (!q->sent && request_send(vm, q)) {
			control_hang_up(r->client);
			return;
		}
	}
}

json_t *reader_reply(struct vm *vm, const json_t *message)
{
	json_int_t token = json_integer_value(json_object_get(message, "token"));
	const json_t *reply = json_object_get(message, "reply");
	struct reader_request **at;

	for (at = &vm->reader.pending; *at && (*at)->token != token; at = &(*at)->next)
		;
	if (!*at || !(*at)->sent || !json_is_object(reply))
		return refusal("no such request");
	answer(vm, at, reply);
	return json_pack("{s:b}", "ok", 1);
}

/* What kt-scenario(5) lets a snapshot be called, and room for a number. */
static bool name_is_good(const char *name)
{
	return name && *name && *name != '.' && strlen(name) <= READER_NAME_MAX &&
	       !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				  "_-.")];
}

/* The first is NAME, the second NAME.2. */
static char *name_make(struct reader *r, const char *name)
{
	json_int_t n = 1 + json_integer_value(json_object_get(r->names, name));
	char *unique;

	if (!r->names)
		r->names = json_object();
	json_object_set_new(r->names, name, json_integer(n));
	if (n == 1)
		return xstrdup(name);
	unique = xasprintf("%s.%lld", name, (long long)n);
	if (!json_object_get(r->names, unique)) {
		json_object_set_new(r->names, unique, json_integer(1));
		return unique;
	}
	free(unique);
	return name_make(r, name);
}

/* The monitor's file grows until the end of the run; whatever is in it then is kept. */
static json_t *monitor_file(struct vm *vm, int *fd)
{
	int file = rundir_file(vm->o->rundir);

	if (file < 0)
		return refusal(strerror(-file));
	*fd = fcntl(file, F_DUPFD_CLOEXEC, 0);
	rundir_keep_later(vm->o->rundir, file, "monitor.jsonl");
	return json_pack("{s:b}", "ok", 1);
}

json_t *reader_file_new(struct vm *vm, const struct control_client *cl, const json_t *message,
			int *fd)
{
	const char *name = json_string_value(json_object_get(message, "name"));
	struct reader *r = &vm->reader;
	_cleanup_free_ char *unique = NULL;
	struct reader_file *f;
	size_t i;

	*fd = -1;
	if (cl->is_reader && json_is_true(json_object_get(message, "monitor")))
		return monitor_file(vm, fd);
	if (!name_is_good(name))
		return refusal("expected a name of at most 100 letters, digits, '_', '-' and '.', "
			       "which is not the first");
	for (i = cl->is_reader ? 0 : READER_OWN_FILES; i < READER_MAX_FILES && r->files[i].fd >= 0;
	     i++)
		;
	if (i == READER_MAX_FILES)
		return refusal("too many snapshots are under way");
	if (r->n_snapshots == READER_MAX_SNAPSHOTS)
		return refusal("the run has as many snapshots as it may have, 1024");
	f = &r->files[i];
	f->fd = rundir_file(vm->o->rundir);
	if (f->fd < 0) {
		int err = f->fd;

		f->fd = -1;
		return refusal(strerror(-err));
	}
	f->owner = cl;
	unique = name_make(r, name);
	f->name = xasprintf("snapshots/%s.json", unique);
	*fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 0);
	return json_pack("{s:b,s:i,s:s}", "ok", 1, "file", (int)i, "name", unique);
}

static struct reader_file *file_of(struct vm *vm, const struct control_client *cl,
				   const json_t *message)
{
	const json_t *n = json_object_get(message, "file");
	json_int_t i = json_integer_value(n);

	if (!json_is_integer(n) || i < 0 || i >= READER_MAX_FILES || vm->reader.files[i].fd < 0 ||
	    vm->reader.files[i].owner != cl)
		return NULL;
	return &vm->reader.files[i];
}

json_t *reader_file_keep(struct vm *vm, const struct control_client *cl, const json_t *message)
{
	struct reader_file *f = file_of(vm, cl, message);
	json_t *event, *reply;
	int err;

	if (!f)
		return refusal("no such file");
	if (!json_is_string(json_object_get(message, "trigger")) ||
	    !json_is_integer(json_object_get(message, "t_ns")))
		return refusal("expected a text 'trigger' and a number 't_ns'");
	err = rundir_keep(vm->o->rundir, take_fd(f->fd), f->name);
	if (err) {
		reply = json_pack(
			"{s:o}", "error",
			json_sprintf("cannot keep the snapshot: %s: %s", f->name, strerror(-err)));
	} else {
		reply = json_pack("{s:b,s:s}", "ok", 1, "file", f->name);
		vm->reader.n_snapshots++;
		event = json_pack("{s:s,s:s,s:O?,s:O?}", "event", "snapshot", "file", f->name,
				  "trigger", json_object_get(message, "trigger"), "t_ns",
				  json_object_get(message, "t_ns"));
		vm_event_log(vm, event);
		json_decref(event);
	}
	file_free(f);
	return reply;
}

json_t *reader_file_drop(struct vm *vm, const struct control_client *cl, const json_t *message)
{
	struct reader_file *f = file_of(vm, cl, message);

	if (!f)
		return refusal("no such file");
	file_free(f);
	return json_pack("{s:b}", "ok", 1);
}

void reader_files_drop(struct vm *vm, const struct control_client *cl)
{
	size_t i;

	for (i = 0; i < READER_MAX_FILES; i++) {
		if (vm->reader.files[i].owner == cl)
			file_free(&vm->reader.files[i]);
	}
}

/* How its process ended, in words. Its socket is closed: it writes what it has, and ends. */
static char *end_of(pid_t pid)
{
	_cleanup_close_ int fd = pidfd_open(pid, 0);
	struct pollfd p = {fd, POLLIN, 0};
	int status;

	if (fd < 0 || poll(&p, 1, LAST_WORDS_MS) != 1)
		kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		return xstrdup("gone");
	if (WIFSIGNALED(status))
		return xasprintf("killed by signal %d (%s)", WTERMSIG(status),
				 strsignal(WTERMSIG(status)));
	return xasprintf("exit status %d", WEXITSTATUS(status));
}

void reader_gone(struct vm *vm)
{
	struct reader *r = &vm->reader;
	_cleanup_free_ char *how = r->pid > 0 ? end_of(r->pid) : NULL;
	json_t *reply;

	r->client = NULL;
	r->pid = 0;
	if (!r->died)
		r->died = xasprintf("kt-snapshot is gone: %s", how ? how : "not started");
	if (!vm->ended)
		warn("%s: no more snapshots of this run", r->died);
	reply = refusal(r->died);
	while (r->pending)
		answer(vm, &r->pending, reply);
	json_decref(reply);
}

void reader_close(struct vm *vm)
{
	free(take_ptr(vm->reader.died));
	json_decref(take_ptr(vm->reader.names));
}
