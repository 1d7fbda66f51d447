// SPDX-License-Identifier: GPL-2.0
#include "kernel.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "kernel_cache.h"
#include "layout.h"

/* Type of the note that holds the PVH entry (include/xen/interface/elfnote.h). */
#define XEN_ELFNOTE_PHYS32_ENTRY 18
/* Documentation/arch/x86/boot.rst: the magic, and the file offset of the version string's pointer.
 */
#define BZIMAGE_MAGIC_OFFSET   0x202
#define BZIMAGE_VERSION_OFFSET 0x20e

/* Does the segment hold a PVH entry note? */
static bool notes_have_pvh(int fd, const Elf64_Phdr *ph)
{
	uint8_t buf[4096];
	ssize_t n = pread(fd, buf, ph->p_filesz < sizeof(buf) ? ph->p_filesz : sizeof(buf),
			  ph->p_offset);
	size_t off = 0;

	while (n > 0 && off + sizeof(Elf64_Nhdr) <= (size_t)n) {
		Elf64_Nhdr nh;

		memcpy(&nh, buf + off, sizeof(nh));
		off += sizeof(nh);
		if (nh.n_type == XEN_ELFNOTE_PHYS32_ENTRY && nh.n_namesz == 4 &&
		    off + 4 <= (size_t)n && !memcmp(buf + off, "Xen", 4))
			return true;
		off += ((nh.n_namesz + 3ULL) & ~3ULL) + ((nh.n_descsz + 3ULL) & ~3ULL);
	}
	return false;
}

static bool elf_is_pvh(int fd, const Elf64_Ehdr *eh)
{
	Elf64_Phdr ph;
	int i;

	for (i = 0; i < eh->e_phnum; i++) {
		if (pread(fd, &ph, sizeof(ph), eh->e_phoff + i * sizeof(ph)) != sizeof(ph))
			return false;
		if (ph.p_type == PT_NOTE && notes_have_pvh(fd, &ph))
			return true;
	}
	return false;
}

/* The release out of a bzImage's version string ("7.3.4 (builder@host) #1 ..."), or NULL. */
static char *bzimage_release(int fd)
{
	uint16_t offset;
	char text[128];
	ssize_t n;

	if (pread(fd, &offset, 2, BZIMAGE_VERSION_OFFSET) != 2 || !offset)
		return NULL;
	n = pread(fd, text, sizeof(text) - 1, offset + 0x200);
	if (n <= 0)
		return NULL;
	text[n] = 0;
	return xstrndup(text, strcspn(text, " "));
}

/* Check that @path is a bootable kernel; learn what it tells of itself. */
static int image_check(const char *path, struct kernel *k, char **why)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf64_Ehdr eh;
	char magic[4];

	if (fd < 0) {
		*why = xasprintf("%s: %s", path, strerror(errno));
		return -ENOENT;
	}
	if (pread(fd, magic, 4, BZIMAGE_MAGIC_OFFSET) == 4 && !memcmp(magic, "HdrS", 4)) {
		k->packed = true;
		if (!k->release)
			k->release = bzimage_release(fd);
		return 0;
	}
	if (pread(fd, &eh, sizeof(eh), 0) != sizeof(eh) || memcmp(eh.e_ident, ELFMAG, SELFMAG)) {
		*why = xasprintf("%s: not a kernel (expected a bzImage or an ELF vmlinux)", path);
		return -ENOEXEC;
	}
	if (eh.e_machine != EM_X86_64 || eh.e_ident[EI_CLASS] != ELFCLASS64) {
		*why = xasprintf("%s: an ELF file for another architecture, expected x86-64", path);
		return -ENOEXEC;
	}
	if (!elf_is_pvh(fd, &eh)) {
		*why = xasprintf("%s: an ELF file without a PVH entry: not a kernel, or one built "
				 "without CONFIG_PVH (give its bzImage)",
				 path);
		return -ENOEXEC;
	}
	return 0;
}

static char *existing(char *path)
{
	if (access(path, R_OK) == 0)
		return path;
	free(path);
	return NULL;
}

/* A built kernel tree: its vmlinux when it boots through PVH, else its bzImage. */
static int tree_find(const char *tree, struct kernel *k, char **why)
{
	_cleanup_free_ char *ignored = NULL, *release = NULL;
	FILE *f;

	k->config = existing(xasprintf("%s/.config", tree));
	release = xasprintf("%s/include/config/kernel.release", tree);
	f = fopen(release, "re");
	if (f) {
		char line[128] = "";

		if (fgets(line, sizeof(line), f))
			k->release = xstrndup(line, strcspn(line, "\n"));
		fclose(f);
	}
	k->image = existing(xasprintf("%s/vmlinux", tree));
	if (k->image && image_check(k->image, k, &ignored) == 0)
		return 0;
	free(k->image);
	k->image = existing(xasprintf("%s/arch/x86/boot/bzImage", tree));
	if (!k->image) {
		*why = xasprintf("%s: expected a built kernel tree: it has no vmlinux that boots "
				 "through PVH and no arch/x86/boot/bzImage",
				 tree);
		return -ENOENT;
	}
	return image_check(k->image, k, why);
}

static int path_find(const char *path, struct kernel *k, char **why)
{
	struct stat st;

	if (stat(path, &st)) {
		*why = xasprintf("%s: %s", path, strerror(errno));
		return -ENOENT;
	}
	if (S_ISDIR(st.st_mode))
		return tree_find(path, k, why);
	k->image = path_absolute(path);
	if (!k->image) {
		*why = xasprintf("%s: %s", path, strerror(errno));
		return -ENOENT;
	}
	if (image_check(k->image, k, why))
		return -ENOEXEC;
	if (k->release)
		k->config = existing(xasprintf("/boot/config-%s", k->release));
	return 0;
}

/* The newest entry of the cache that @label names; *@known lists all entries for the message. */
static char *label_find(const char *dir, const char *label, char **known)
{
	char **releases, *best = NULL;
	size_t n;

	releases = kernel_cache_list(dir, &n);
	*known = xstrdup("");
	while (n-- > 0) { /* newest first */
		char *more = xasprintf("%s%s%s", *known, **known ? ", " : "", releases[n]);

		free(*known);
		*known = more;
		if (!best && kernel_label_matches(label, releases[n]))
			best = xstrdup(releases[n]);
	}
	kernel_cache_free(releases);
	return best;
}

/* What kt-kernel fetch --modules puts beside the image. */
static char *modules_beside(const char *image)
{
	const char *slash = strrchr(image, '/');

	return slash ? existing(xasprintf("%.*s/modules", (int)(slash - image), image)) : NULL;
}

static int label_or_path_find(const char *spec, struct kernel *k, char **why)
{
	_cleanup_free_ char *dir = kernel_cache_dir(), *known = NULL;
	const char *label = spec ? spec : "";

	if (strchr(label, '/') || (label[0] && access(label, F_OK) == 0))
		return path_find(label, k, why);
	k->release = label_find(dir, label, &known);
	if (!k->release) {
		if (!known[0])
			*why = xasprintf("no kernel in the cache %s: expected 'kt-kernel fetch' to "
					 "have been run, or -k FILE",
					 dir);
		else
			*why = xasprintf("kernel '%s': not in the cache; known: %s", label, known);
		return -ENOENT;
	}
	k->image = xasprintf("%s/%s/vmlinux", dir, k->release);
	k->config = existing(xasprintf("%s/%s/config", dir, k->release));
	return image_check(k->image, k, why);
}

int kernel_find(const char *spec, struct kernel *k, char **why)
{
	int err;

	memset(k, 0, sizeof(*k));
	err = label_or_path_find(spec, k, why);
	if (!err)
		k->modules = modules_beside(k->image);
	return err;
}

void kernel_free(struct kernel *k)
{
	free(k->image);
	free(k->config);
	free(k->modules);
	free(k->release);
}
