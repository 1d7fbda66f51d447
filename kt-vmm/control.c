// SPDX-License-Identifier: GPL-2.0
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "control_commands.h"
#include "diag.h"
#include "vm_state.h"

#define CONTROL_NAME   "vm.sock"
#define LINE_MAX_BYTES 65536

/* The directory stands for itself, so that its path may be longer than a socket's (unix(7)). */
static int listen_in(int fd, int dir)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	mode_t mask;
	int ret;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/%s", dir, CONTROL_NAME);
	mask = umask(0177);
	ret = bind(fd, (struct sockaddr *)&addr, sizeof(addr));
	umask(mask);
	return ret || listen(fd, CONTROL_MAX_CLIENTS) ? -errno : 0;
}

/* A child that removes the socket when its parent cannot: it was killed. */
static int guardian_start(struct control *c)
{
	int alive[2];
	char byte;

	if (pipe2(alive, O_CLOEXEC))
		return -errno;
	c->guardian = fork();
	if (!c->guardian) {
		setsid();
		dup2(alive[0], 0);
		dup2(c->dir, 1);
		close_range(2, ~0U, 0);
		/* One byte says that there is nothing left to do. */
		if (read(0, &byte, 1) == 0)
			unlinkat(1, CONTROL_NAME, 0);
		_exit(0);
	}
	close(alive[0]);
	c->alive = alive[1];
	return c->guardian < 0 ? -errno : 0;
}

int control_open(struct control *c, const char *dir, char **why)
{
	int err;

	c->dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	c->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	err = c->dir < 0 || c->listen_fd < 0 ? -errno : guardian_start(c);
	if (!err)
		err = listen_in(c->listen_fd, c->dir);
	if (err)
		*why = xasprintf("control socket %s/%s: %s", dir, CONTROL_NAME, strerror(-err));
	return err;
}

int control_adopt(struct control *c, int fd, struct control_client **reader)
{
	size_t i;

	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		if (c->clients[i])
			continue;
		c->clients[i] = xcalloc(1, sizeof(*c->clients[i]));
		c->clients[i]->fd = fd;
		c->clients[i]->line = xmalloc(LINE_MAX_BYTES);
		fcntl(fd, F_SETFL, O_NONBLOCK);
		c->clients[i]->is_reader = reader != NULL;
		if (reader)
			*reader = c->clients[i];
		return 0;
	}
	return -EBUSY;
}

/* It is gone: what it holds frozen goes on. */
static void drop(struct control *c, size_t i, struct vm *vm)
{
	struct control_client *cl = c->clients[i];

	c->clients[i] = NULL; /* nobody sends it anything any more */
	control_unwatch_all(cl, vm);
	while (cl->frozen && cl->frozen--)
		vm_thaw(vm);
	close(cl->fd);
	reader_files_drop(vm, cl);
	if (cl->is_reader)
		reader_gone(vm);
	free(cl->line);
	free(cl);
}

void control_close(struct control *c, struct vm *vm)
{
	size_t i;

	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		if (c->clients[i])
			drop(c, i, vm);
	}
	if (c->listen_fd >= 0)
		unlinkat(c->dir, CONTROL_NAME, 0);
	cleanup_closep(&c->listen_fd);
	cleanup_closep(&c->dir);
	if (c->guardian > 0 && write(c->alive, "", 1) == 1)
		waitpid(c->guardian, NULL, 0);
	cleanup_closep(&c->alive);
	control_init(c);
}

void control_init(struct control *c)
{
	*c = (struct control){.listen_fd = -1, .dir = -1, .alive = -1};
}

size_t control_poll(const struct control *c, struct pollfd *fds)
{
	size_t n = 0, i;

	fds[n++] = (struct pollfd){c->listen_fd, POLLIN, 0};
	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		if (c->clients[i])
			fds[n++] = (struct pollfd){c->clients[i]->fd, POLLIN, 0};
	}
	return n;
}

/* Send one line, with descriptors. A client that leaves its answers unread is not waited for. */
static int send_line(int fd, const json_t *o, const int *fds, size_t n_fds)
{
	_cleanup_free_ char *text = json_dumps(o, JSON_COMPACT);
	_cleanup_free_ char *line = text ? xasprintf("%s\n", text) : NULL;
	char space[CMSG_SPACE(sizeof(int) * CONTROL_MAX_FDS)] = {};
	struct iovec iov = {line, line ? strlen(line) : 0};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	if (!line)
		return -EINVAL;
	if (n_fds) {
		struct cmsghdr *h = (void *)space;

		msg.msg_control = space;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(h), fds, sizeof(int) * n_fds);
	}
	n = sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	return n == (ssize_t)iov.iov_len ? 0 : n < 0 ? -errno : -ENOBUFS;
}

int control_send(struct control_client *cl, const json_t *line)
{
	return send_line(cl->fd, line, NULL, 0);
}

void control_hang_up(struct control_client *cl)
{
	shutdown(cl->fd, SHUT_RDWR);
}

/* Answer one line. Returns 0, or -errno when the client has to go. */
static int line_serve(struct control_client *cl, struct vm *vm, const char *line, size_t len)
{
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	struct control_answer a = {};
	size_t i;
	int err;

	a.reply = control_command(cl, vm, request, &a);
	if (json_object_get(request, "id"))
		json_object_set(a.reply, "id", json_object_get(request, "id"));
	err = send_line(cl->fd, a.reply, a.fds, a.n_fds);
	for (i = 0; i < a.n_fds; i++)
		close(a.fds[i]);
	json_decref(a.reply);
	json_decref(request);
	if (!err && a.then)
		a.then(vm);
	return err;
}

/* Take what has come. Returns 0, or -errno when the client is gone or has to go. */
static int client_serve(struct control_client *cl, struct vm *vm)
{
	ssize_t n = recv(cl->fd, cl->line + cl->len, LINE_MAX_BYTES - cl->len, MSG_DONTWAIT);
	char *eol;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -EPIPE;
	cl->len += n;
	while ((eol = memchr(cl->line, '\n', cl->len))) {
		size_t used = eol - cl->line + 1;
		int err = line_serve(cl, vm, cl->line, used);

		if (err)
			return err;
		memmove(cl->line, cl->line + used, cl->len - used);
		cl->len -= used;
	}
	return cl->len == LINE_MAX_BYTES ? -EMSGSIZE : 0;
}

void control_serve(struct control *c, struct vm *vm)
{
	int fd = c->listen_fd < 0 ? -1 : accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	size_t i;

	if (fd >= 0 && control_adopt(c, fd, NULL)) {
		static const char full[] = "{\"error\":\"too many clients\"}\n";

		send(fd, full, strlen(full), MSG_DONTWAIT | MSG_NOSIGNAL);
		close(fd);
	}
	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		int err = c->clients[i] ? client_serve(c->clients[i], vm) : 0;

		if (err && err != -EPIPE && err != -ECONNRESET)
			warn("control socket: a client is dropped: %s", strerror(-err));
		if (err)
			drop(c, i, vm);
	}
}

bool control_hit(struct control *c, struct vm *vm, const struct engine_hit *hit)
{
	size_t i, w;

	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		struct control_client *cl = c->clients[i];

		for (w = 0; cl && w < CONTROL_MAX_WATCHES; w++) {
			const struct control_watch *watch = &cl->watches[w];
			json_t *event;
			int err;

			if (!watch->len || hit->address < watch->address ||
			    hit->address - watch->address >= watch->len)
				continue;
			event = json_pack("{s:s,s:I,s:i}", "event", "watch", "id", watch->id, "cpu",
					  (int)hit->cpu);
			cl->frozen++;
			err = send_line(cl->fd, event, NULL, 0);
			json_decref(event);
			if (err)
				drop(c, i, vm);
			return true;
		}
	}
	return false;
}

void control_event(struct control *c, struct vm *vm, const json_t *event)
{
	size_t i;

	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		if (c->clients[i] && c->clients[i]->wants_events &&
		    send_line(c->clients[i]->fd, event, NULL, 0))
			drop(c, i, vm);
	}
}
