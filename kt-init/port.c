// SPDX-License-Identifier: GPL-2.0
/* The virtio-serial port to the host. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "init.h"

/* The driver announces a port some time after the device: wait this long for it. */
#define PORT_WAIT_MS 20000

/* Does /sys/class/virtio-ports/@port carry this name? */
static int port_has_name(const char *port, const char *name)
{
	char path[300], line[64] = "";
	_cleanup_fclose_ FILE *f = NULL;

	snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", port);
	f = fopen(path, "re");
	if (!f || !fgets(line, sizeof(line), f))
		return 0;
	line[strcspn(line, "\n")] = 0;
	return !strcmp(line, name);
}

/* Find the port and open its device. Returns a descriptor or -ENOENT. */
static int port_try(const char *name)
{
	DIR *dir = opendir("/sys/class/virtio-ports");
	struct dirent *d;
	int fd = -ENOENT;

	if (!dir)
		return -ENOENT;
	while (fd == -ENOENT && (d = readdir(dir))) {
		char path[300];

		if (d->d_name[0] == '.' || !port_has_name(d->d_name, name))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", d->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			fd = errno == ENOENT ? -ENOENT : -errno;
	}
	closedir(dir);
	return fd;
}

int port_open(const char *name)
{
	int ms, fd = -ENOENT;

	for (ms = 0; ms < PORT_WAIT_MS && fd == -ENOENT; ms++) {
		fd = port_try(name);
		if (fd == -ENOENT)
			nanosleep(&(struct timespec){0, 1000000}, NULL);
	}
	return fd;
}
