// SPDX-License-Identifier: GPL-2.0
#include "diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exits.h"

static const char *diag_name = "kt";
static int diag_level;
static void (*keep_warning)(void *arg, const char *text);
static void *keep_arg;

void diag_init(const char *program)
{
	diag_name = program;
}

const char *diag_program(void)
{
	return diag_name;
}

void diag_set_verbosity(int level)
{
	diag_level = level;
}

int diag_verbosity(void)
{
	return diag_level;
}

void diag_keep_warnings(void (*keep)(void *arg, const char *text), void *arg)
{
	keep_warning = keep;
	keep_arg = arg;
}

/* One write(2) per line, so that lines of concurrent programs do not mix. @keep gets the text. */
static void diag_line(void (*keep)(void *arg, const char *text), const char *fmt, va_list ap)
{
	char line[4096];
	int prefix, n, m;

	n = prefix = snprintf(line, sizeof(line), "%s: ", diag_name);
	m = vsnprintf(line + n, sizeof(line) - n - 1, fmt, ap);
	if (m < 0)
		return;
	n += m;
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	if (keep)
		keep(keep_arg, line + prefix);
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) < 0)
		return; /* nowhere left to say so */
}

#define DIAG_VALIST(keep, fmt)            \
	do {                              \
		va_list ap;               \
		va_start(ap, fmt);        \
		diag_line(keep, fmt, ap); \
		va_end(ap);               \
	} while (0)

void warn(const char *fmt, ...)
{
	DIAG_VALIST(keep_warning, fmt);
}

void info(const char *fmt, ...)
{
	if (diag_level >= 1)
		DIAG_VALIST(NULL, fmt);
}

void debug(const char *fmt, ...)
{
	if (diag_level >= 2)
		DIAG_VALIST(NULL, fmt);
}

void die(int status, const char *fmt, ...)
{
	DIAG_VALIST(NULL, fmt);
	exit(status);
}

static void *or_die(void *p)
{
	if (!p)
		die(EXIT_INTERNAL, "out of memory");
	return p;
}

void *xmalloc(size_t size)
{
	return or_die(malloc(size ? size : 1));
}

void *xcalloc(size_t n, size_t size)
{
	return or_die(calloc(n ? n : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t size)
{
	return or_die(realloc(p, size ? size : 1));
}

char *xstrdup(const char *s)
{
	return or_die(strdup(s));
}

char *xstrndup(const char *s, size_t n)
{
	return or_die(strndup(s, n));
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return or_die(n < 0 ? NULL : s);
}

void ptrlist_add(void *list, size_t *n, const void *entry)
{
	const void ***array = list;

	/* Grow at powers of two; one slot more keeps the list NULL-terminated. */
	if ((*n & (*n + 1)) == 0)
		*array = xrealloc(*array, (2 * *n + 2) * sizeof(**array));
	(*array)[(*n)++] = entry;
	(*array)[*n] = NULL;
}
