// SPDX-License-Identifier: GPL-2.0
#include "orphans.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "worker_clock.h"

#define END_TURNS 1000

void orphans_adopt(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* Kill those that there are. Returns how many. */
static int kill_children(pid_t spared)
{
	_cleanup_close_ int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	char list[4096], *at = list, *end; /* more of them come in the next turn */
	ssize_t len = fd < 0 ? 0 : read(fd, list, sizeof(list) - 1);
	int n = 0;

	list[len > 0 ? len : 0] = '\0';
	for (;; at = end) {
		pid_t pid = strtol(at, &end, 10);

		/* The last number may be cut. */
		if (end == at || *end != ' ')
			return n;
		if (pid == spared)
			continue;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, WNOHANG);
		n++;
	}
}

void orphans_end(pid_t spared)
{
	const struct timespec pause = {.tv_nsec = NSEC_PER_MSEC};
	int turns;

	for (turns = 0; turns < END_TURNS && kill_children(spared); turns++)
		nanosleep(&pause, NULL);
}
