// SPDX-License-Identifier: GPL-2.0
#include "qmp.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"

#define QMP_MAX_LINE   (64 * 1024)
#define QMP_TIMEOUT_MS 60000 /* a busy host may take long to get QEMU going */

/* The next object, which the caller releases; NULL with *@err set when there is none. */
static json_t *qmp_receive(struct qmp *q, int *err)
{
	for (;;) {
		char *eol = memchr(q->buf, '\n', q->len);
		struct pollfd p[] = {{q->fd, POLLIN, 0}, {q->cancel_fd, POLLIN, 0}};
		ssize_t n;

		if (eol) {
			size_t line = eol - q->buf + 1;
			json_t *msg = json_loadb(q->buf, line, 0, NULL);

			memmove(q->buf, q->buf + line, q->len - line);
			q->len -= line;
			*err = msg ? 0 : -EBADMSG;
			return msg;
		}
		*err = -EMSGSIZE;
		if (q->len == QMP_MAX_LINE)
			return NULL;
		*err = -ETIMEDOUT;
		if (poll(p, ARRAY_SIZE(p), QMP_TIMEOUT_MS) == 0)
			return NULL;
		*err = -EINTR;
		if (p[1].revents)
			return NULL;
		n = read(q->fd, q->buf + q->len, QMP_MAX_LINE - q->len);
		*err = -EPIPE;
		if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
			return NULL;
		if (n > 0)
			q->len += n;
	}
}

int qmp_execute(struct qmp *q, const char *command)
{
	_cleanup_free_ char *request = xasprintf("{\"execute\":\"%s\"}\n", command);
	ssize_t n = write(q->fd, request, strlen(request));
	int err = 0;

	if (n != (ssize_t)strlen(request))
		return -EPIPE;
	while (!err) {
		json_t *msg = qmp_receive(q, &err);
		int done = json_object_get(msg, "return") != NULL;

		if (json_object_get(msg, "error"))
			err = -EREMOTEIO;
		json_decref(msg);
		if (done)
			return 0;
	}
	return err;
}

int qmp_open(struct qmp *q, int fd, int cancel_fd)
{
	json_t *greeting;
	int err;

	q->fd = fd;
	q->cancel_fd = cancel_fd;
	q->len = 0;
	q->buf = xmalloc(QMP_MAX_LINE);
	greeting = qmp_receive(q, &err);
	if (greeting && !json_object_get(greeting, "QMP"))
		err = -EBADMSG;
	json_decref(greeting);
	return err ? err : qmp_execute(q, "qmp_capabilities");
}

void qmp_close(struct qmp *q)
{
	cleanup_closep(&q->fd);
	q->fd = -1;
	free(take_ptr(q->buf));
}
