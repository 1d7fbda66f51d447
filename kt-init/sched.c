// SPDX-License-Identifier: GPL-2.0
/*
 * sched_ext as the guest shows it: /sys/kernel/sched_ext, kernel-object events for its coming and
 * going, and the lines that kernel/sched/ext.c logs when a scheduler is disabled.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "init.h"

/* scx_exit_reason() in kernel/sched/ext.c: the words of the log for each kind. */
static const struct {
	const char *kind, *reason;
	bool error;
} exit_kinds[] = {
	{"SCX_EXIT_UNREG", "unregistered from user space", false},
	{"SCX_EXIT_UNREG_BPF", "unregistered from BPF", false},
	{"SCX_EXIT_UNREG_KERN", "unregistered from the main kernel", false},
	{"SCX_EXIT_SYSRQ", "disabled by sysrq-S", false},
	{"SCX_EXIT_PARENT", "parent exiting", false},
	{"SCX_EXIT_ERROR", "runtime error", true},
	{"SCX_EXIT_ERROR_BPF", "scx_bpf_error", true},
	{"SCX_EXIT_ERROR_STALL", "runnable task stall", true},
};

int sched_uevent_open(void)
{
	struct sockaddr_nl addr = {.nl_family = AF_NETLINK, .nl_groups = 1};
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		close(fd);
		return -1;
	}
	return fd;
}

bool sched_uevent_is_scx(int fd)
{
	char msg[4096];
	bool scx = false;
	ssize_t n;

	while ((n = recv(fd, msg, sizeof(msg) - 1, 0)) > 0 || (n < 0 && errno == ENOBUFS)) {
		if (n < 0) {
			scx = true; /* events were lost: look */
			continue;
		}
		msg[n] = 0;
		scx |= strstr(msg, "/kernel/sched_ext") != NULL;
	}
	return scx;
}

char *sched_root_ops(void)
{
	_cleanup_fclose_ FILE *f = fopen("/sys/kernel/sched_ext/root/ops", "re");
	char name[128] = "";

	if (!f || !fgets(name, sizeof(name), f))
		return NULL;
	name[strcspn(name, "\n")] = 0;
	return name[0] ? xstrdup(name) : NULL;
}

bool sched_state_is(const char *state)
{
	_cleanup_fclose_ FILE *f = fopen("/sys/kernel/sched_ext/state", "re");
	char now[32] = "";

	if (!f || !fgets(now, sizeof(now), f))
		return false;
	now[strcspn(now, "\n")] = 0;
	return !strcmp(now, state);
}

int sched_kmsg_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

/* Note what one log record says about the end of scheduler @name. */
static void record_parse(char *record, const char *name, struct sched_exit *e)
{
	char prefix[256], *text = strchr(record, ';');
	size_t i, n;

	if (!text)
		return;
	text++;
	text[strcspn(text, "\n")] = 0;
	snprintf(prefix, sizeof(prefix), "sched_ext: BPF scheduler \"%s\" disabled (", name);
	n = strlen(prefix);
	if (!strncmp(text, prefix, n)) {
		free(e->reason);
		e->reason = xstrndup(text + n, strcspn(text + n, ")"));
		for (i = 0; i < ARRAY_SIZE(exit_kinds); i++) {
			if (!strcmp(e->reason, exit_kinds[i].reason))
				e->kind = exit_kinds[i].kind;
		}
		return;
	}
	snprintf(prefix, sizeof(prefix), "sched_ext: %s: ", name);
	n = strlen(prefix);
	if (e->reason && !e->message && !strncmp(text, prefix, n))
		e->message = xstrdup(text + n);
}

void sched_exit_read(int kmsg, const char *name, struct sched_exit *e)
{
	char record[8192];
	ssize_t n;

	/* EPIPE: records were overwritten before they were read; the next read goes on. */
	while ((n = read(kmsg, record, sizeof(record) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		if (n < 0)
			continue;
		record[n] = 0;
		record_parse(record, name, e);
	}
}

bool sched_exit_is_error(const struct sched_exit *e)
{
	size_t i;

	for (i = 0; e->kind && i < ARRAY_SIZE(exit_kinds); i++) {
		if (!strcmp(e->kind, exit_kinds[i].kind))
			return exit_kinds[i].error;
	}
	return false;
}
