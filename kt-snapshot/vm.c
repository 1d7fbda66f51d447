// SPDX-License-Identifier: GPL-2.0
#include "vm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"

#define LINE_MAX_BYTES (1 << 20)
#define ANSWER_MS      30000
#define MAX_EVENTS     4096 /* that wait to be asked for */

/* The directory stands for itself, so that its path may be longer than a socket's (unix(7)). */
static int connect_in(int fd, int dir, const char *name)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	size_t size = sizeof(addr.sun_path);

	if ((size_t)snprintf(addr.sun_path, size, "/proc/self/fd/%d/%s", dir, name) >= size)
		return -ENAMETOOLONG;
	return connect(fd, (struct sockaddr *)&addr, sizeof(addr)) ? -errno : 0;
}

int vm_connect(struct vm *vm, const char *path, char **why)
{
	_cleanup_free_ char *copy = xstrdup(path);
	char *slash = strrchr(copy, '/');
	_cleanup_close_ int dir = -1, fd = -1;
	const char *name = "vm.sock";
	struct stat st;
	int err = 0;

	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode)) {
		name = slash ? slash + 1 : copy;
		if (slash)
			*slash = '\0';
		dir = open(slash == copy ? "/"
			   : slash	 ? copy
					 : ".",
			   O_PATH | O_DIRECTORY | O_CLOEXEC);
	} else {
		dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	err = dir < 0 || fd < 0 ? -errno : connect_in(fd, dir, name);
	if (err) {
		*why = xasprintf("'%s': %s: expected the control socket of a VM that runs, or its "
				 "run directory",
				 path, strerror(-err));
		return err;
	}
	vm_adopt(vm, take_fd(fd));
	return 0;
}

void vm_adopt(struct vm *vm, int fd)
{
	*vm = (struct vm){.fd = fd, .buf = xmalloc(LINE_MAX_BYTES)};
}

void vm_close(struct vm *vm)
{
	cleanup_closep(&vm->fd);
	free(vm->buf);
	json_decref(vm->events);
	*vm = (struct vm){.fd = -1};
}

static void take_fds(struct msghdr *msg, int *fds, size_t *n_fds)
{
	struct cmsghdr *h;

	for (h = CMSG_FIRSTHDR(msg); h; h = CMSG_NXTHDR(msg, h)) {
		size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int), i;

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		for (i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(h) + i * sizeof(fd), sizeof(fd));
			if (fds && *n_fds < VM_MAX_FDS)
				fds[(*n_fds)++] = fd;
			else
				close(fd);
		}
	}
}

/* Read once, waiting at most @ms. Returns 0 or -errno. */
static int fill(struct vm *vm, int *fds, size_t *n_fds, int ms)
{
	char space[CMSG_SPACE(sizeof(int) * VM_MAX_FDS)];
	struct iovec iov = {vm->buf + vm->len, LINE_MAX_BYTES - vm->len};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = space,
		.msg_controllen = sizeof(space),
	};
	struct pollfd p = {vm->fd, POLLIN, 0};
	ssize_t n;

	if (!iov.iov_len)
		return -EMSGSIZE;
	if (poll(&p, 1, ms) == 0)
		return -ETIMEDOUT;
	n = recvmsg(vm->fd, &msg, MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	take_fds(&msg, fds, n_fds);
	vm->len += n;
	return n ? 0 : -EPIPE;
}

/* The next line as JSON, or NULL with *@err set. */
static json_t *receive(struct vm *vm, int *fds, size_t *n_fds, int ms, int *err)
{
	for (;;) {
		char *eol = memchr(vm->buf, '\n', vm->len);

		if (eol) {
			size_t line = eol - vm->buf + 1;
			json_t *msg = json_loadb(vm->buf, line, JSON_REJECT_DUPLICATES, NULL);

			memmove(vm->buf, vm->buf + line, vm->len - line);
			vm->len -= line;
			*err = json_is_object(msg) ? 0 : -EBADMSG;
			return msg;
		}
		*err = fill(vm, fds, n_fds, ms);
		if (*err)
			return NULL;
	}
}

static int send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			data += n;
			len -= n;
		}
	}
	return 0;
}

void vm_keep_events(struct vm *vm)
{
	if (!vm->events)
		vm->events = json_array();
}

json_t *vm_event(struct vm *vm, int ms, int *err)
{
	json_t *event = json_incref(json_array_get(vm->events, 0));
	size_t none = 0;

	*err = 0;
	if (event) {
		json_array_remove(vm->events, 0);
		return event;
	}
	event = receive(vm, NULL, &none, ms, err);
	if (*err == -ETIMEDOUT || *err == -EINTR)
		*err = 0;
	return event;
}

json_t *vm_ask(struct vm *vm, json_t *request, int *fds, size_t *n_fds, char **why)
{
	_cleanup_free_ char *text = json_dumps(request, JSON_COMPACT);
	_cleanup_free_ char *line = text ? xasprintf("%s\n", text) : NULL;
	const char *refusal;
	json_t *answer = NULL;
	size_t none = 0;
	int err = line ? send_all(vm->fd, line, strlen(line)) : -EINVAL;

	json_decref(request);
	if (n_fds)
		*n_fds = 0;
	while (!err) {
		answer = receive(vm, fds, n_fds ? n_fds : &none, ANSWER_MS, &err);
		if (json_object_get(answer, "ok") || json_object_get(answer, "error"))
			break;
		if (answer && vm->events && json_array_size(vm->events) < MAX_EVENTS)
			json_array_append(vm->events, answer);
		json_decref(take_ptr(answer));
	}
	if (err) {
		*why = xasprintf("the VM's control socket: %s",
				 err == -EPIPE ? "the run has ended" : strerror(-err));
		json_decref(answer);
		return NULL;
	}
	refusal = json_string_value(json_object_get(answer, "error"));
	if (!refusal)
		return answer;
	*why = xasprintf("the VM refuses: %s", refusal);
	json_decref(answer);
	return NULL;
}

static int command(struct vm *vm, const char *name, char **why)
{
	json_t *answer = vm_ask(vm, json_pack("{s:s}", "command", name), NULL, NULL, why);

	json_decref(answer);
	return answer ? 0 : -EREMOTEIO;
}

int vm_freeze(struct vm *vm, char **why)
{
	return command(vm, "freeze", why);
}

int vm_thaw(struct vm *vm, char **why)
{
	return command(vm, "thaw", why);
}
