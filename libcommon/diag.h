/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Diagnostics on stderr, each line prefixed "kt-NAME: ", and allocation that cannot return NULL.
 * stdout is for data only, so nothing here writes to it.
 */
#ifndef KT_DIAG_H
#define KT_DIAG_H

#include <stddef.h>

/* Set the prefix, for example "kt-vmm". The string is kept, not copied. */
void diag_init(const char *program);
const char *diag_program(void);

/* 0: warnings and errors; 1 (-v): progress; 2 (-vv): debug. */
void diag_set_verbosity(int level);
int diag_verbosity(void);

/* Print one line to stderr; a newline is added. warn always, info at 1 and up, debug at 2. */
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* From now on @keep gets the text of each warning, too, which it has to copy. NULL ends that. */
void diag_keep_warnings(void (*keep)(void *arg, const char *text), void *arg);

/* Print one line as warn() does and exit with @status (exits.h). Runs atexit handlers. */
void die(int status, const char *fmt, ...) __attribute__((noreturn, format(printf, 2, 3)));

/* malloc(3) and friends; out of memory ends the program with EXIT_INTERNAL. Caller frees. */
void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...)
	__attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

/*
 * Append one pointer to a growing NULL-terminated array: *@list holds *@n entries and is
 * reallocated as needed. The array belongs to the caller, the pointers to whoever made them.
 */
void ptrlist_add(void *list, size_t *n, const void *entry);

#endif
