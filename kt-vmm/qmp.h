/* SPDX-License-Identifier: GPL-2.0 */
/* Client of QEMU's machine protocol (docs/interop/qmp-spec in QEMU's tree): one JSON object a line.
 */
#ifndef KT_QMP_H
#define KT_QMP_H

#include <stddef.h>

struct qmp {
	int fd;
	int cancel_fd; /* waiting ends when it is readable */
	char *buf;
	size_t len;
};

/*
 * Take the greeting and leave negotiation mode. @fd becomes @q's. Returns 0 or -errno, -EINTR when
 * @cancel_fd became readable.
 */
int qmp_open(struct qmp *q, int fd, int cancel_fd);

/*
 * Execute @command without arguments and wait for its answer, events in between are dropped.
 * Returns 0, -EREMOTEIO when QEMU refused it, -ETIMEDOUT, -EPIPE when QEMU is gone.
 */
int qmp_execute(struct qmp *q, const char *command);

void qmp_close(struct qmp *q);

#endif
