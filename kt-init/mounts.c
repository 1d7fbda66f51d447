// SPDX-License-Identifier: GPL-2.0
/* Pseudo file systems, the kernel's configuration, the loopback interface. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "init.h"

struct mount_row {
	const char *type, *target, *options;
	unsigned long flags;
	int optional; /* kernels without it are fine */
};

static const struct mount_row mounts[] = {
	{"proc", "/proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, 0},
	{"sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, 0},
	{"devtmpfs", "/dev", "mode=0755", MS_NOSUID, 0},
	{"devpts", "/dev/pts", "mode=0620,ptmxmode=0666", MS_NOSUID | MS_NOEXEC, 0},
	{"tmpfs", "/dev/shm", "mode=1777", MS_NOSUID | MS_NODEV, 0},
	{"cgroup2", "/sys/fs/cgroup", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, 0},
	{"bpf", "/sys/fs/bpf", "mode=0700", MS_NOSUID | MS_NODEV | MS_NOEXEC, 1},
	{"tracefs", "/sys/kernel/tracing", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, 1},
	{"debugfs", "/sys/kernel/debug", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, 1},
};

/* Write @text to an existing file. Returns 0 or -errno. */
static int file_write(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return -errno;
	return 0;
}

/* Turn on every controller for the children of the root cgroup, one by one: one may be busy. */
static void cgroup_enable_controllers(void)
{
	_cleanup_fclose_ FILE *f = fopen("/sys/fs/cgroup/cgroup.controllers", "re");
	char name[64], word[66];

	while (f && fscanf(f, "%63s", name) == 1) {
		snprintf(word, sizeof(word), "+%s", name);
		if (file_write("/sys/fs/cgroup/cgroup.subtree_control", word))
			warn("cgroup controller '%s': %s", name, strerror(errno));
	}
}

/* Programs that ask for the running kernel's configuration look in /boot. */
static void boot_config_link(void)
{
	struct utsname u;
	char path[128];

	if (access("/kt/config", R_OK) || uname(&u))
		return;
	mkdir("/boot", 0755);
	snprintf(path, sizeof(path), "/boot/config-%s", u.release);
	if (symlink("/kt/config", path) && errno != EEXIST)
		warn("%s: %s", path, strerror(errno));
}

/* system(3), popen(3) and scripts without an interpreter line need a shell there. */
static void shell_link(void)
{
	if (access("/bin/sh", F_OK) == 0 || access(GUEST_BIN_DIR "/sh", X_OK))
		return;
	mkdir("/bin", 0755);
	if (symlink(GUEST_BIN_DIR "/sh", "/bin/sh") && errno != EEXIST)
		warn("/bin/sh: %s", strerror(errno));
}

void guest_mount_all(void)
{
	size_t i;

	umask(0);
	for (i = 0; i < ARRAY_SIZE(mounts); i++) {
		const struct mount_row *m = &mounts[i];

		mkdir(m->target, 0755);
		if (mount(m->type, m->target, m->type, m->flags, m->options) && !m->optional)
			warn("mount %s on %s: %s", m->type, m->target, strerror(errno));
	}
	mkdir("/tmp", 01777);
	chmod("/tmp", 01777);
	mkdir("/run", 0755);
	mkdir("/var", 0755);
	if (symlink("/tmp", "/var/tmp") && errno != EEXIST)
		warn("/var/tmp: %s", strerror(errno));
	mkdir("/etc", 0755);
	mkdir(GUEST_HOME, 0700);
	shell_link();
	umask(022);
	cgroup_enable_controllers();
	boot_config_link();
}

void guest_loopback_up(void)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &req))
		warn("loopback: %s", strerror(errno));
	if (sethostname("kt", 2))
		warn("sethostname: %s", strerror(errno));
}
