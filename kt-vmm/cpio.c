// SPDX-License-Identifier: GPL-2.0
#include "cpio.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "exits.h"

#define PIECE_MIN  65536
#define PIECES_MAX 64 /* each is an open file */

struct cpio {
	FILE *out;
	struct cpio_archive archive;
	unsigned int next_ino;
	void *seen; /* tsearch(3) tree of the paths */
	const char **paths;
	size_t n_paths;
};

static int path_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

struct cpio *cpio_new(void)
{
	int fd = memfd_create("kt-initramfs", MFD_CLOEXEC);
	struct cpio *c;

	if (fd < 0)
		return NULL;
	c = xcalloc(1, sizeof(*c));
	c->out = fdopen(fd, "w");
	if (!c->out) {
		close(fd);
		free(c);
		return NULL;
	}
	setvbuf(c->out, NULL, _IOFBF, 64 * 1024);
	return c;
}

static void pad(struct cpio *c, uint64_t len)
{
	static const char zeros[4];

	fwrite(zeros, 1, -len & 3, c->out);
}

/* The header and the name; @path is absolute or the trailer's name. */
static void header(struct cpio *c, const char *path, mode_t mode, uint64_t size)
{
	const char *name = path[0] == '/' ? path + 1 : path;
	size_t len = strlen(name) + 1;

	fprintf(c->out, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", ++c->next_ino,
		mode, 0, 0, S_ISDIR(mode) ? 2 : 1, 0, (unsigned int)size, 0, 0, 0, 0,
		(unsigned int)len, 0);
	fwrite(name, 1, len, c->out);
	pad(c, 110 + len);
}

/* Note the path and make its parents. Returns 1 when it is new, 0 when it is there, or -errno. */
static int enter(struct cpio *c, const char *path)
{
	_cleanup_free_ char *parent = NULL;
	const char *slash = strrchr(path, '/');
	char *copy;
	int err;

	if (path[0] != '/' || !path[1])
		return path[0] == '/' ? 0 : -EINVAL;
	if (cpio_has(c, path))
		return 0;
	if (slash > path) {
		parent = xstrndup(path, slash - path);
		err = cpio_add_dir(c, parent, 0755);
		if (err)
			return err;
	}
	copy = xstrdup(path);
	tsearch(copy, &c->seen, path_compare);
	ptrlist_add(&c->paths, &c->n_paths, copy);
	return 1;
}

static int written(struct cpio *c)
{
	return ferror(c->out) ? -EIO : 0;
}

int cpio_add_dir(struct cpio *c, const char *path, mode_t mode)
{
	int fresh = enter(c, path);

	if (fresh <= 0)
		return fresh;
	header(c, path, S_IFDIR | mode, 0);
	return written(c);
}

int cpio_add_data(struct cpio *c, const char *path, mode_t mode, const void *data, size_t len)
{
	int fresh = enter(c, path);

	if (fresh <= 0)
		return fresh;
	header(c, path, (mode & S_IFMT ? 0 : S_IFREG) | mode, len);
	fwrite(data, 1, len, c->out);
	pad(c, len);
	return written(c);
}

int cpio_add_symlink(struct cpio *c, const char *path, const char *target)
{
	return cpio_add_data(c, path, S_IFLNK | 0777, target, strlen(target));
}

/* Take back the entry that was made last, which starts at @start. Returns @err. */
static int retract(struct cpio *c, off_t start, int err)
{
	char *path = (char *)c->paths[c->n_paths - 1];

	tdelete(path, &c->seen, path_compare);
	free(path);
	c->paths[--c->n_paths] = NULL;
	c->next_ino--;
	if (ftruncate(fileno(c->out), start) || fseeko(c->out, start, SEEK_SET))
		die(EXIT_INTERNAL, "initramfs: %s", strerror(errno));
	return err;
}

/* Copy @left bytes of @from to where @to stands. */
static int copy(int to, int from, uint64_t left)
{
	off_t at = 0;

	while (left) {
		ssize_t n = sendfile(to, from, &at, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ESTALE; /* shrank while it was read */
		left -= n;
	}
	return 0;
}

/* Leave room for the content of @fd. */
static int piece_add(struct cpio *c, int fd, uint64_t size)
{
	struct cpio_archive *a = &c->archive;
	struct cpio_piece *p;

	if (!a->pieces)
		a->pieces = xcalloc(PIECES_MAX, sizeof(*a->pieces));
	p = &a->pieces[a->n_pieces];
	*p = (struct cpio_piece){ftello(c->out), size, fcntl(fd, F_DUPFD_CLOEXEC, 3)};
	if (p->fd < 0 || fseeko(c->out, size, SEEK_CUR))
		return -errno;
	a->n_pieces++;
	return 0;
}

int cpio_add_fd(struct cpio *c, const char *path, mode_t mode, int fd, uint64_t size)
{
	off_t start;
	int fresh, err;

	if (size > UINT32_MAX)
		return -EFBIG; /* newc sizes have 32 bits */
	fresh = enter(c, path);
	if (fresh <= 0)
		return fresh;
	start = ftello(c->out);
	header(c, path, S_IFREG | mode, size);
	if (fflush(c->out))
		return -errno;
	if (size >= PIECE_MIN && c->archive.n_pieces < PIECES_MAX)
		err = piece_add(c, fd, size);
	else
		err = copy(fileno(c->out), fd, size);
	if (err)
		return retract(c, start, err);
	pad(c, size);
	return written(c);
}

bool cpio_has(const struct cpio *c, const char *path)
{
	return tfind(path, &c->seen, path_compare) != NULL;
}

void cpio_list(const struct cpio *c, void (*fn)(const char *path, void *arg), void *arg)
{
	size_t i;

	for (i = 0; i < c->n_paths; i++)
		fn(c->paths[i], arg);
}

int cpio_finish(struct cpio *c, struct cpio_archive *a)
{
	off_t end;

	header(c, "TRAILER!!!", 0, 0);
	if (fflush(c->out) || ferror(c->out))
		return errno ? -errno : -EIO;
	end = ftello(c->out);
	if (end < 0)
		return -errno;
	*a = c->archive;
	a->size = end;
	a->fd = dup(fileno(c->out));
	c->archive = (struct cpio_archive){0};
	return a->fd < 0 ? -errno : 0;
}

static void pieces_free(struct cpio_archive *a)
{
	while (a->n_pieces)
		close(a->pieces[--a->n_pieces].fd);
	free(take_ptr(a->pieces));
}

int cpio_archive_fill(struct cpio_archive *a)
{
	size_t i;
	int err = 0;

	for (i = 0; i < a->n_pieces && !err; i++) {
		const struct cpio_piece *p = &a->pieces[i];

		err = lseek(a->fd, p->at, SEEK_SET) < 0 ? -errno : copy(a->fd, p->fd, p->size);
	}
	pieces_free(a);
	return err;
}

void cpio_archive_free(struct cpio_archive *a)
{
	pieces_free(a);
	cleanup_closep(&a->fd);
}

void cpio_free(struct cpio *c)
{
	if (!c)
		return;
	fclose(c->out);
	pieces_free(&c->archive);
	tdestroy(c->seen, free); /* frees the strings that paths[] points to as well */
	free(c->paths);
	free(c);
}
