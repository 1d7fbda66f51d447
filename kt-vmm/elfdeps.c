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

/* What one ELF file declares. */
struct elf_object {
	char *path;
	char *interpreter;		 /* PT_INTERP, or NULL */
	char **needed;			 /* DT_NEEDED, NULL-terminated, or NULL */
	char *soname;			 /* DT_SONAME */
	char *rpath;			 /* DT_RPATH, ignored by the loader beside DT_RUNPATH */
	char *runpath;			 /* DT_RUNPATH */
	const struct elf_object *loader; /* on whose behalf it was loaded first, or NULL */
};

/* The objects of one process in the loader's order: breadth first. The first is the program. */
struct closure {
	struct elf_object **objects;
	size_t n;
	char **names; /* DT_NEEDED as they were asked for, each once */
	size_t n_names;
};

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

/* Where the string of a dynamic entry belongs, or NULL for one of no interest. */
static char **string_slot(struct elf_object *o, int64_t tag)
{
	switch (tag) {
	case DT_SONAME:
		return &o->soname;
	case DT_RPATH:
		return &o->rpath;
	case DT_RUNPATH:
		return &o->runpath;
	default:
		return NULL;
	}
}

/* Read the names and search paths out of the dynamic segment @ph. */
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
		char **slot = string_slot(o, d.d_tag);

		if (!slot && d.d_tag != DT_NEEDED)
			continue;
		s = strings < 0 || d.d_un.d_val > size
			    ? NULL
			    : file_string(raw, size, strings + d.d_un.d_val);
		if (!s)
			return -ENOEXEC;
		if (slot) {
			free(*slot);
			*slot = xstrdup(s);
		} else {
			ptrlist_add(&o->needed, &n_needed, xstrdup(s));
		}
	}
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

static int damaged(const char *path, char **why)
{
	*why = xasprintf("%s: damaged ELF file", path);
	return -ENOEXEC;
}

static int headers_read(Elf *e, struct elf_object *o, char **why)
{
	size_t n_phdrs, size, i;
	const char *raw = elf_rawfile(e, &size), *s;
	GElf_Ehdr eh;
	GElf_Phdr ph;

	if (!gelf_getehdr(e, &eh))
		return damaged(o->path, why);
	/* Objects (BPF's are some) and cores are data, whatever the machine. */
	if (eh.e_type != ET_EXEC && eh.e_type != ET_DYN)
		return 0;
	if (eh.e_machine != EM_X86_64 || eh.e_ident[EI_CLASS] != ELFCLASS64) {
		*why = xasprintf("%s: an ELF file for %s, expected x86-64", o->path,
				 eh.e_machine == EM_X86_64 ? "the x32 ABI"
							   : machine_name(eh.e_machine));
		return -ENOEXEC;
	}
	if (elf_getphdrnum(e, &n_phdrs))
		return damaged(o->path, why);
	for (i = 0; i < n_phdrs; i++) {
		if (!gelf_getphdr(e, i, &ph))
			return damaged(o->path, why);
		if (ph.p_type == PT_INTERP) {
			s = file_string(raw, size, ph.p_offset);
			if (!s)
				return damaged(o->path, why);
			free(o->interpreter);
			o->interpreter = xstrdup(s);
		} else if (ph.p_type == PT_DYNAMIC && dynamic_read(e, n_phdrs, &ph, o)) {
			return damaged(o->path, why);
		}
	}
	return 0;
}

/* Read what the ELF file @fd declares into @o. Returns 0 or -ENOEXEC with *@why. */
static int object_read(int fd, struct elf_object *o, char **why)
{
	_cleanup_(elf_endp) Elf *e = NULL;

	elf_version(EV_CURRENT);
	e = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!e || elf_kind(e) != ELF_K_ELF)
		return damaged(o->path, why);
	return headers_read(e, o, why);
}

static struct elf_object *object_new(struct closure *c, const char *path,
				     const struct elf_object *loader)
{
	struct elf_object *o = xcalloc(1, sizeof(*o));

	o->path = xstrdup(path);
	o->loader = loader;
	ptrlist_add(&c->objects, &c->n, o);
	return o;
}

static void strings_free(char **list)
{
	size_t i;

	for (i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

static void closure_free(struct closure *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		struct elf_object *o = c->objects[i];

		strings_free(o->needed);
		free(o->path);
		free(o->interpreter);
		free(o->soname);
		free(o->rpath);
		free(o->runpath);
		free(o);
	}
	free(c->objects);
	strings_free(c->names);
}

/* The library at @path when the loader would take it: an ELF file of this architecture, or -1. */
static int library_open(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	Elf64_Ehdr eh;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) ||
	    pread(fd, &eh, sizeof(eh), 0) != sizeof(eh) || memcmp(eh.e_ident, ELFMAG, SELFMAG) ||
	    eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_machine != EM_X86_64)
		return -1;
	return take_fd(fd);
}

/* A library that was found. */
struct found {
	int fd; /* -1: not found */
	char *path;
};

static bool try_path(struct found *f, char *path)
{
	f->fd = library_open(path);
	if (f->fd >= 0)
		f->path = path;
	else
		free(path);
	return f->fd >= 0;
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

/* Search the colon-separated @list, in which $ORIGIN is where @object lies. */
static bool try_list(struct found *f, const char *list, const char *object, const char *name)
{
	_cleanup_free_ char *copy = xstrdup(object);
	const char *origin = dirname(copy);

	while (list && *list) {
		size_t len = strcspn(list, ":");
		_cleanup_free_ char *dir = expand_tokens(list, len, origin);

		if (dir[0] && try_path(f, xasprintf("%s/%s", dir, name)))
			return true;
		list += len + (list[len] == ':');
	}
	return false;
}

/* The directories of ld.so.conf. */
struct conf {
	char **dirs;
	size_t n;
};

static void conf_read(struct conf *c, const char *path, int depth);

/* One line of ld.so.conf: a directory or "include GLOB". */
static void conf_line(struct conf *c, char *line, int depth)
{
	glob_t g;
	size_t i;

	line[strcspn(line, "#\n")] = 0;
	while (isspace((unsigned char)*line))
		line++;
	if (line[0] == '/' && c->n < CONF_MAX_DIRS)
		ptrlist_add(&c->dirs, &c->n, xstrndup(line, strcspn(line, " \t=")));
	if (strncmp(line, "include", 7) || !isspace((unsigned char)line[7]))
		return;
	line += 8 + strspn(line + 8, " \t");
	if (glob(line, 0, NULL, &g))
		return;
	for (i = 0; i < g.gl_pathc; i++)
		conf_read(c, g.gl_pathv[i], depth + 1);
	globfree(&g);
}

static void conf_read(struct conf *c, const char *path, int depth)
{
	_cleanup_fclose_ FILE *f = depth < CONF_MAX_DEPTH ? fopen(path, "re") : NULL;
	char line[4096];

	while (f && fgets(line, sizeof(line), f))
		conf_line(c, line, depth);
}

/* The directories that the loader knows by its cache; the file is read once. */
static bool try_conf(struct found *f, const char *name)
{
	static struct conf conf;
	static bool read;
	size_t i;

	if (!read)
		conf_read(&conf, "/etc/ld.so.conf", 0);
	read = true;
	for (i = 0; i < conf.n; i++) {
		if (try_path(f, xasprintf("%s/%s", conf.dirs[i], name)))
			return true;
	}
	return false;
}

/*
 * Find library @name, which @o needs, as ld.so(8) does: a name with a slash as it is; else DT_RPATH
 * of the object and of those on whose behalf it was loaded, LD_LIBRARY_PATH, DT_RUNPATH, the
 * directories of /etc/ld.so.conf, and the default ones.
 */
static bool library_find(struct found *f, const struct closure *c, const struct elf_object *o,
			 const char *name)
{
	static const char defaults[] = "/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu:"
				       "/lib64:/usr/lib64:/lib:/usr/lib";
	_cleanup_free_ char *copy = xstrdup(o->path);
	const struct elf_object *l;

	if (strchr(name, '/'))
		return try_path(f, expand_tokens(name, strlen(name), dirname(copy)));
	for (l = o->runpath ? NULL : o; l; l = l->loader) {
		if (!l->runpath && try_list(f, l->rpath, l->path, name))
			return true;
	}
	return try_list(f, getenv("LD_LIBRARY_PATH"), c->objects[0]->path, name) ||
	       try_list(f, o->runpath, o->path, name) || try_conf(f, name) ||
	       try_list(f, defaults, o->path, name);
}

/* Has @name been asked for, or does a loaded object go by it? The loader takes that one then. */
static bool is_loaded(const struct closure *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->n_names; i++) {
		if (!strcmp(c->names[i], name))
			return true;
	}
	for (i = 0; i < c->n; i++) {
		if (c->objects[i]->soname && !strcmp(c->objects[i]->soname, name))
			return true;
	}
	return false;
}

/* Load what @o needs directly: further objects of @c, their paths into @n. */
static int libraries_load(struct closure *c, const struct elf_object *o, struct elf_needs *n,
			  size_t *n_files, char **why)
{
	size_t i;
	int err = 0;

	for (i = 0; o->needed && o->needed[i] && !err; i++) {
		_cleanup_close_ int fd = -1;
		struct found f;

		if (is_loaded(c, o->needed[i]))
			continue;
		if (!library_find(&f, c, o, o->needed[i])) {
			*why = xasprintf("%s: needs the library %s, which is not found", o->path,
					 o->needed[i]);
			return -ENOENT;
		}
		fd = f.fd;
		ptrlist_add(&c->names, &c->n_names, xstrdup(o->needed[i]));
		ptrlist_add(&n->files, n_files, f.path);
		err = object_read(fd, object_new(c, f.path, o), why);
	}
	return err;
}

int elf_needs_read(int fd, const char *path, struct elf_needs *n, char **why)
{
	_cleanup_(closure_free) struct closure c = {0};
	struct elf_object *program;
	size_t n_files = 0, i;
	char magic[SELFMAG];
	int err;

	memset(n, 0, sizeof(*n));
	if (pread(fd, magic, SELFMAG, 0) != SELFMAG || memcmp(magic, ELFMAG, SELFMAG))
		return 0;
	n->is_elf = true;
	program = object_new(&c, path, NULL);
	err = object_read(fd, program, why);
	n->by_origin = (program->runpath && strstr(program->runpath, "ORIGIN")) ||
		       (program->rpath && strstr(program->rpath, "ORIGIN"));
	if (!err && program->interpreter)
		ptrlist_add(&n->files, &n_files, xstrdup(program->interpreter));
	for (i = 0; i < c.n && !err; i++)
		err = libraries_load(&c, c.objects[i], n, &n_files, why);
	return err;
}

void elf_needs_free(struct elf_needs *n)
{
	strings_free(n->files);
}
