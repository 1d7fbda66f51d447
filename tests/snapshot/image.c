// SPDX-License-Identifier: GPL-2.0
#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "exits.h"

void image_load(struct image *im, const char *path)
{
	_cleanup_free_ char *json = xasprintf("%s.json", path);
	json_t *doc = json_load_file(json, 0, NULL);
	_cleanup_close_ int file = open(path, O_RDONLY | O_CLOEXEC);
	off_t at, end, size;

	if (!doc || file < 0)
		die(EXIT_FAILURE, "'%s': expected a file of ram_image record", path);
	im->ram = json_object_get(doc, "ram");
	im->regs = json_object_get(doc, "regs");
	size = lseek(file, 0, SEEK_END);
	im->size = size;
	im->fd = memfd_create("ram", MFD_CLOEXEC);
	if (im->fd < 0 || ftruncate(im->fd, size))
		die(EXIT_FAILURE, "memory: %s", strerror(errno));
	im->data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, im->fd, 0);
	if (im->data == MAP_FAILED)
		die(EXIT_FAILURE, "memory: %s", strerror(errno));
	for (at = 0; (at = lseek(file, at, SEEK_DATA)) >= 0; at = end) {
		end = lseek(file, at, SEEK_HOLE);
		if (pread(file, im->data + at, end - at, at) != end - at)
			die(EXIT_FAILURE, "'%s': %s", path, strerror(errno));
	}
}

int image_vm(const struct image *im)
{
	_cleanup_free_ char *regs = json_dumps(im->regs, JSON_COMPACT);
	int pair[2];
	char line[4096];
	FILE *in;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		die(EXIT_FAILURE, "socketpair: %s", strerror(errno));
	if (fork()) {
		close(pair[1]);
		return pair[0];
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(pair[0]);
	in = fdopen(pair[1], "r");
	while (in && fgets(line, sizeof(line), in))
		dprintf(pair[1], "%s\n", strstr(line, "\"regs\"") ? regs : "{\"ok\":true}");
	_exit(0);
}

int image_open(const struct image *im, struct kernel *k)
{
	char *why = NULL;
	int err = kernel_open(k, im->ram, &im->fd, 1, false, &why);

	free(why);
	return err;
}
