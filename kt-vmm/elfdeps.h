/* SPDX-License-Identifier: GPL-2.0 */
/* What an ELF program needs beside itself: its interpreter and shared libraries. */
#ifndef KT_ELFDEPS_H
#define KT_ELFDEPS_H

#include <stdbool.h>

struct elf_object {
	bool is_elf;
	bool dynamic;	   /* has DT_NEEDED or an interpreter */
	char *interpreter; /* PT_INTERP, or NULL */
	char **needed;	   /* DT_NEEDED, NULL-terminated */
	char *rpath;	   /* DT_RPATH, ignored by the loader beside DT_RUNPATH */
	char *runpath;	   /* DT_RUNPATH */
};

/*
 * Read what @path declares. A file that is not ELF gives is_elf false. Returns 0, -errno when it
 * cannot be read, -ENOEXEC with *@why (static or malloc'ed, lives on) for a damaged ELF file or one
 * that x86-64 does not run.
 */
int elf_object_read(const char *path, struct elf_object *o, const char **why);
void elf_object_free(struct elf_object *o);

/*
 * Find library @name for the object at @path as ld.so(8) does: a name with a slash as it is; else
 * DT_RPATH, LD_LIBRARY_PATH, DT_RUNPATH, the directories of /etc/ld.so.conf, /lib and /usr/lib.
 * Returns a malloc'ed path, or NULL.
 */
char *elf_library_find(const char *path, const struct elf_object *o, const char *name);

#endif
