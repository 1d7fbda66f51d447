// SPDX-License-Identifier: GPL-2.0
/* The table of work types in print: --list-work, and the part of kt-work(7) that follows from it.
 */
#include "work.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"

/* What the families are called in the manual; in the order of work_type_at(). */
static const struct {
	const char *family, *title;
} titles[] = {
	{"cpu", "CPU"},
	{"burst", "BURST AND SLEEP"},
	{"cache", "CACHE"},
	{"wakeup", "WAKE-UPS"},
	{"timer", "TIMERS AND INTERRUPTS"},
	{"task", "TASK LIFE AND CLASS"},
	{"memory", "MEMORY"},
	{"lock", "LOCKS"},
	{"signal", "SIGNALS AND PREEMPTION"},
	{"io", "I/O"},
	{"compound", "COMPOUND"},
	{"benchmark", "BENCHMARKS"},
	{"exec", "YOUR OWN"},
};

static size_t n_params(const struct work_type *t)
{
	size_t n = 0;

	while (n < WORK_PARAMS_MAX && t->params[n].name)
		n++;
	return n;
}

static void print_text(const struct work_type *t)
{
	size_t i;

	printf("%-16s %-9s unit: %s\n", t->name, t->family, t->unit);
	printf("%-16s %-9s path: %s\n", "", "", t->path);
	if (t->group_text)
		printf("%-16s %-9s workers: in groups of %s\n", "", "", t->group_text);
	else if (t->group > 1)
		printf("%-16s %-9s workers: in groups of %u\n", "", "", t->group);
	for (i = 0; i < n_params(t); i++) {
		_cleanup_free_ char *preset = work_param_format(&t->params[i], t->params[i].preset);
		_cleanup_free_ char *expected = work_param_expected(&t->params[i]);

		printf("%-16s %-9s %s=%s: %s (%s)\n", "", "", t->params[i].name,
		       t->ordered ? "T" : preset, t->params[i].help, expected);
	}
}

/* Words that hold no markup. */
static void put(const char *text)
{
	for (; *text; text++) {
		if (strchr("*_\\<#`", *text))
			putchar('\\');
		putchar(*text);
	}
}

static void put_param(const struct work_type *t, const struct work_param *p)
{
	_cleanup_free_ char *preset = work_param_format(p, p->preset);
	_cleanup_free_ char *expected = work_param_expected(p);

	printf("\n\t*%s*=", p->name);
	put(t->ordered ? "T" : preset);
	printf(": ");
	put(p->help);
	printf(" (");
	put(expected);
	printf(").\n");
}

static void print_scdoc(const struct work_type *t)
{
	size_t i;

	printf("*%s*", t->name);
	for (i = 0; i < n_params(t); i++)
		printf("%s*%s*", i ? "," : ":", t->params[i].name);
	printf("\n\t");
	if (t->about) {
		put(t->about);
		putchar(' ');
	}
	printf("Path: ");
	put(t->path);
	printf(". A unit is ");
	put(t->unit);
	putchar('.');
	if (t->group_text)
		printf(" Workers come in groups of %s.", t->group_text);
	else if (t->group > 1)
		printf(" Workers come in groups of %u.", t->group);
	if (t->in_cgroup)
		printf(" It does not work outside of the scenario's cgroups (*spawn-root*).");
	if (t->wake) {
		printf(" The wake latency counts from ");
		put(t->wake);
		putchar('.');
	}
	putchar('\n');
	for (i = 0; i < n_params(t); i++)
		put_param(t, &t->params[i]);
	putchar('\n');
}

static const char *title_of(const char *family)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(titles); i++) {
		if (!strcmp(titles[i].family, family))
			return titles[i].title;
	}
	return family;
}

int work_list_print(const char *format)
{
	bool scdoc = !strcmp(format, "scdoc");
	const char *family = "";
	const struct work_type *t;
	size_t i;

	if (!scdoc && strcmp(format, "text"))
		return -EINVAL;
	for (i = 0; (t = work_type_at(i)); i++) {
		if (scdoc && strcmp(family, t->family))
			printf("# %s\n\n", title_of(t->family));
		family = t->family;
		if (scdoc)
			print_scdoc(t);
		else
			print_text(t);
	}
	return 0;
}
