/* SPDX-License-Identifier: GPL-2.0 */
/* What an ELF program needs beside itself: its interpreter and shared libraries. */
#ifndef KT_ELFDEPS_H
#define KT_ELFDEPS_H

#include <stdbool.h>

struct elf_needs {
	bool is_elf;
	bool by_origin; /* the loader looks for libraries relative to where the file lies */
	char **files; /* interpreter and libraries, NULL-terminated, or NULL when there are none */
};

/*
 * What the file @fd, which lies at @path (without symbolic links), needs: found as ld.so(8) finds
 * it, the libraries' own needs included. A path that the loader takes relative to the working
 * directory stays relative. Objects and core files need nothing, a file that is not ELF gives
 * is_elf false. Returns 0, or -errno with *@why a malloc'ed phrase that names the file: -ENOEXEC
 * when it is damaged or x86-64 does not run it, -ENOENT when a library is not found. @n is to be
 * freed in any case.
 */
int elf_needs_read(int fd, const char *path, struct elf_needs *n, char **why);
void elf_needs_free(struct elf_needs *n);

#endif
