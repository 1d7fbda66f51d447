/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writer of a cpio archive in "newc" format, as the kernel unpacks it
 * (Documentation/driver-api/early-userspace/buffer-format.rst), into a memfd. All entries belong to
 * root and carry time 0, so that the same input gives the same bytes.
 */
#ifndef KT_CPIO_H
#define KT_CPIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct cpio;

/* Content of a large file, which is not copied into the archive but has its place there. */
struct cpio_piece {
	uint64_t at, size; /* in the archive, bytes */
	int fd;		   /* holds it from offset 0 on */
};

struct cpio_archive {
	int fd; /* zeros where pieces belong */
	uint64_t size;
	struct cpio_piece *pieces; /* in the order of their places */
	size_t n_pieces;
};

/* A new archive. Returns NULL with errno set. */
struct cpio *cpio_new(void);

/*
 * Add an entry at the absolute path @path; missing parent directories are added first, and a path
 * that is there already is left as it is. Return 0 or -errno. When @fd ends before @size bytes or
 * cannot be read, the archive is as it was before, but for the parents.
 */
int cpio_add_dir(struct cpio *c, const char *path, mode_t mode);
int cpio_add_symlink(struct cpio *c, const char *path, const char *target);
int cpio_add_data(struct cpio *c, const char *path, mode_t mode, const void *data, size_t len);
int cpio_add_fd(struct cpio *c, const char *path, mode_t mode, int fd, uint64_t size);

/* Is there an entry at @path? */
bool cpio_has(const struct cpio *c, const char *path);

/* Call @fn for each path in order. */
void cpio_list(const struct cpio *c, void (*fn)(const char *path, void *arg), void *arg);

/*
 * Write the trailer; the archive takes no more entries. Fills @a, which the caller frees with
 * cpio_archive_free(). 0 or -errno.
 */
int cpio_finish(struct cpio *c, struct cpio_archive *a);

/* Copy the pieces to their places, for who reads the archive as one file: then it has none. 0 or
 * -errno: -ESTALE when a file has become shorter. */
int cpio_archive_fill(struct cpio_archive *a);

void cpio_archive_free(struct cpio_archive *a);

void cpio_free(struct cpio *c);

#endif
