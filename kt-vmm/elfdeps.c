// SPDX-License-Identifier: GPL-2.0
#include "elfdeps.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <glob.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"
#include "exits.h"

/* Include depth and directories in ld.so.conf; more is a loop or a mistake. */
#define CONF_MAX_DEPTH 8
#define CONF_MAX_DIRS  256

static void elf_endp(Elf **e)
{
	if (*e)
		elf_end(*e);
}

/* File offset of @addr by the loadable segments, or -1. */
static int64_t file_offset(Elf *e, size_t n_phdrs, uint64_t addr)
{
	GElf_Phdr ph;
	size_t i;

	for (i = 0; i < n_phdrs; i++) {
		if (gelf_getphdr(e, i, &ph) && ph.p_type == PT_LOAD && addr >= ph.p_vaddr &&
		    addr - ph.p_vaddr < ph.p_filesz)
			return ph.p_offset + (addr - ph.p_vaddr);
	}
	return -1;
}

/* The NUL-ended string at file offset @off, or NULL when it leaves the file. */
static const char *file_string(const char *raw, size_t size, uint64_t off)
{
	if (off >= size || !memchr(raw + off, 0, size - off))
		return NULL;
	return raw + off;
}

/* Read DT_NEEDED, DT_RPATH and DT_RUNPATH out of the dynamic segment @ph. */
static int dynamic_read(Elf *e, size_t n_phdrs, const GElf_Phdr *ph, struct elf_object *o)
{
	Elf_Data *data = elf_getdata_rawchunk(e, ph->p_offset, ph->p_filesz, ELF_T_DYN);
	size_t size, n_needed = 0;
	const char *raw = elf_rawfile(e, &size), *s;
	int64_t strings = -1;
	GElf_Dyn d;
	int i;

	if (!data || !raw)
		return -ENOEXEC;
	for (i = 0; gelf_getdyn(data, i, &d) && d.d_tag != DT_NULL; i++) {
		if (d.d_tag == DT_STRTAB)
			strings = file_offset(e, n_phdrs, d.d_un.d_ptr);
	}
	for (i = 0; gelf_getdyn(data, i, &d) && d.d_tag != DT_NULL; i++) {
		char **slot = d.d_tag == DT_RPATH ? &o->rpath : &o->runpath;

		if (d.d_tag != DT_NEEDED && d.d_tag != DT_RPATH && d.d_tag != DT_RUNPATH)
			continue;
		s = strings < 0 || d.d_un.d_val > size
			    ? NULL
			    : file_string(raw, size, strings + d.d_un.d_val);
		if (!s)
			return -ENOEXEC;
		if (d.d_tag == DT_NEEDED) {
			ptrlist_add(&o->needed, &n_needed, xstrdup(s));
		} else {
			free(*slot);
			*slot = xstrdup(s);
		}
	}
	o->dynamic |= n_needed > 0;
	return 0;
}

static const char *machine_name(unsigned int machine)
{
	switch (machine) {
	case EM_386:
		return "32-bit x86";
	case EM_AARCH64:
		return "AArch64";
	case EM_ARM:
		return "ARM";
	case EM_RISCV:
		return "RISC-V";
	case EM_PPC64:
		return "POWER";
	case EM_S390:
		return "s390";
	case EM_BPF:
		return "BPF";
	default:
		return "another architecture";
	}
}

static int headers_read(Elf *e, struct elf_object *o, const char **why)
{
	size_t n_phdrs, size, i;
	const char *raw = elf_rawfile(e, &size), *s;
	GElf_Ehdr eh;
	GElf_Phdr ph;

	*why = "damaged ELF file";
	if (!gelf_getehdr(e, &eh))
		return -ENOEXEC;
	if (eh.e_machine != EM_X86_64 || eh.e_ident[EI_CLASS] != ELFCLASS64) {
		*why = xasprintf("an ELF file for %s, expected x86-64",
				 eh.e_machine == EM_X86_64 ? "the x32 ABI"
							   : machine_name(eh.e_machine));
		return -ENOEXEC;
	}
	if (eh.e_type != ET_EXEC && eh.e_type != ET_DYN)
		return 0; /* objects, cores: carried as data */
	if (elf_getphdrnum(e, &n_phdrs))
		return -ENOEXEC;
	for (i = 0; i < n_phdrs; i++) {
		if (!gelf_getphdr(e, i, &ph))
			return -ENOEXEC;
		if (ph.p_type == PT_INTERP) {
			s = file_string(raw, size, ph.p_offset);
			if (!s)
				return -ENOEXEC;
			o->interpreter = xstrdup(s);
			o->dynamic = true;
		} else if (ph.p_type == PT_DYNAMIC && dynamic_read(e, n_phdrs, &ph, o)) {
			return -ENOEXEC;
		}
	}
	return 0;
}

int elf_object_read(const char *path, struct elf_object *o, const char **why)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_(elf_endp) Elf *e = NULL;
	char magic[4];

	memset(o, 0, sizeof(*o));
	if (fd < 0)
		return -errno;
	if (pread(fd, magic, 4, 0) != 4 || memcmp(magic, ELFMAG, SELFMAG))
		return 0;
	o->is_elf = true;
	elf_version(EV_CURRENT);
	e = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!e || elf_kind(e) != ELF_K_ELF) {
		*why = "damaged ELF file";
		return -ENOEXEC;
	}
	return headers_read(e, o, why);
}

void elf_object_free(struct elf_object *o)
{
	size_t i;

	for (i = 0; o->needed && o->needed[i]; i++)
		free(o->needed[i]);
	free(o->needed);
	free(o->interpreter);
	free(o->rpath);
	free(o->runpath);
}

/* Would the loader take @path: an ELF library of this architecture? */
static bool library_fits(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf64_Ehdr eh;

	return fd >= 0 && pread(fd, &eh, sizeof(eh), 0) == sizeof(eh) &&
	       !memcmp(eh.e_ident, ELFMAG, SELFMAG) && eh.e_ident[EI_CLASS] == ELFCLASS64 &&
	       eh.e_machine == EM_X86_64;
}

static char *try_dir(const char *dir, size_t len, const char *name)
{
	char *path = xasprintf("%.*s/%s", (int)len, dir, name);

	if (library_fits(path))
		return path;
	free(path);
	return NULL;
}

/*
 * The length of the token at @p ("$NAME" or "${NAME}", at most @len characters) if it is @name, or
 * 0.
 */
static size_t token_length(const char *p, size_t len, const char *name)
{
	size_t n = strlen(name);

	if (len >= n + 1 && p[0] == '$' && !strncmp(p + 1, name, n))
		return n + 1;
	if (len >= n + 3 && p[0] == '$' && p[1] == '{' && !strncmp(p + 2, name, n) &&
	    p[2 + n] == '}')
		return n + 3;
	return 0;
}

/* Replace $ORIGIN, $LIB and $PLATFORM in one element of a search path (ld.so(8)). */
static char *expand_tokens(const char *element, size_t len, const char *origin)
{
	const struct {
		const char *name, *value;
	} tokens[] = {{"ORIGIN", origin}, {"LIB", "lib/x86_64-linux-gnu"}, {"PLATFORM", "x86_64"}};
	char *out = NULL;
	size_t size, i, n;
	FILE *f = open_memstream(&out, &size);

	if (!f)
		die(EXIT_INTERNAL, "out of memory");
	for (; len; element += n, len -= n) {
		for (i = 0, n = 0; i < ARRAY_SIZE(tokens) && !n; i++) {
			n = token_length(element, len, tokens[i].name);
			if (n)
				fputs(tokens[i].value, f);
		}
		if (!n) {
			fputc(element[0], f);
			n = 1;
		}
	}
	fclose(f);
	return out;
}

/* Search the colon-separated @list. */
static char *try_list(const char *list, const char *origin, const char *name)
{
	while (list && *list) {
		size_t len = strcspn(list, ":");
		_cleanup_free_ char *dir = expand_tokens(list, len, origin);
		char *found = dir[0] ? try_dir(dir, strlen(dir), name) : NULL;

		if (found)
			return found;
		list += len + (list[len] == ':');
	}
	return NULL;
}

static char *try_conf(const char *conf, const char *name, int depth, int *budget);

/* One line of ld.so.conf: a directory or "include GLOB". */
static char *try_conf_line(char *line, const char *name, int depth, int *budget)
{
	char *found = NULL;
	glob_t g;
	size_t i;

	line[strcspn(line, "#\n")] = 0;
	while (isspace((unsigned char)*line))
		line++;
	if (line[0] == '/' && (*budget)-- > 0)
		return try_dir(line, strcspn(line, " \t="), name);
	if (strncmp(line, "include", 7) || !isspace((unsigned char)line[7]))
		return NULL;
	line += 8 + strspn(line + 8, " \t");
	if (glob(line, 0, NULL, &g))
		return NULL;
	for (i = 0; i < g.gl_pathc && !found; i++)
		found = try_conf(g.gl_pathv[i], name, depth + 1, budget);
	globfree(&g);
	return found;
}

static char *try_conf(const char *conf, const char *name, int depth, int *budget)
{
	_cleanup_fclose_ FILE *f = depth < CONF_MAX_DEPTH ? fopen(conf, "re") : NULL;
	char line[4096], *found = NULL;

	while (f && !found && fgets(line, sizeof(line), f))
		found = try_conf_line(line, name, depth, budget);
	return found;
}

char *elf_library_find(const char *path, const struct elf_object *o, const char *name)
{
	static const char defaults[] = "/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu:"
				       "/lib64:/usr/lib64:/lib:/usr/lib";
	_cleanup_free_ char *copy = xstrdup(path);
	const char *origin = dirname(copy);
	int budget = CONF_MAX_DIRS;
	char *found = NULL;

	if (strchr(name, '/'))
		return library_fits(name) ? xstrdup(name) : NULL;
	if (!o->runpath)
		found = try_list(o->rpath, origin, name);
	if (!found)
		found = try_list(getenv("LD_LIBRARY_PATH"), origin, name);
	if (!found)
		found = try_list(o->runpath, origin, name);
	if (!found)
		found = try_conf("/etc/ld.so.conf", name, 0, &budget);
	return found ? found : try_list(defaults, origin, name);
}
