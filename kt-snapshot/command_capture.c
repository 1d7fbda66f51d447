// SPDX-License-Identifier: GPL-2.0
/* kt-snapshot capture: take a snapshot of a live VM, print it on stdout. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf_chase.h"
#include "capture.h"
#include "cleanup.h"
#include "commands.h"
#include "diag.h"
#include "exits.h"
#include "kept.h"
#include "options.h"

enum { OPT_ONLY = 1, OPT_MAP, OPT_CHASE, OPT_NAME, OPT_KEEP, OPT_VERBOSE };

static const struct option_row rows[] = {
	{"only", 0, "SECTION", "capture this section; repeat for more", OPT_ONLY},
	{"map", 0, "GLOB", "of the BPF maps only those of such names; repeat for more", OPT_MAP},
	{"chase", 0, "N", "follow pointers in maps, N levels of them (1 to 8)", OPT_CHASE},
	{"name", 0, "NAME", "the snapshot's name in the document", OPT_NAME},
	{"keep", 0, NULL, "keep it in the run directory, and print its file's name alone",
	 OPT_KEEP},
	{"verbose", 'v', NULL, "say what is done", OPT_VERBOSE},
};

static void check_section(const char *name)
{
	const char *names[64] = {};
	const char *near;
	size_t i;

	for (i = 0; capture_sections[i]; i++) {
		if (!strcmp(capture_sections[i]->name, name))
			return;
		names[i] = capture_sections[i]->name;
	}
	near = nearest_name(name, names);
	die(EXIT_USAGE, "unknown section '%s'%s%s%s (--help lists them)", name,
	    near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static unsigned int chase_levels(const char *value)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (*end || end == value || n < 1 || n > BPF_CHASE_MAX_DEPTH)
		die(EXIT_USAGE, "--chase '%s': expected a number from 1 to %d", value,
		    BPF_CHASE_MAX_DEPTH);
	return n;
}

/* The end of --help. */
static char *section_list(void)
{
	char *text = xstrdup("SECTIONS\n");
	size_t i;

	for (i = 0; capture_sections[i]; i++) {
		char *more = xasprintf("%s  %-12s %s\n", text, capture_sections[i]->name,
				       capture_sections[i]->help);

		free(text);
		text = more;
	}
	return text;
}

/* Returns an exit status, as the next one does. */
static int capture_print(struct session *s, const struct capture_want *want, const char *name)
{
	_cleanup_free_ char *why = NULL;
	json_t *doc = capture_take(s, want, name, "demand", &why);
	int ret;

	if (!doc)
		die(EXIT_FAILURE, "%s", why);
	ret = json_dumpf(doc, stdout, JSON_INDENT(1)) || putchar('\n') == EOF;
	json_decref(doc);
	return ret ? EXIT_INTERNAL : 0;
}

static int capture_keep(struct session *s, const struct capture_want *want, const char *name)
{
	_cleanup_free_ char *why = NULL;
	json_t *doc, *reply;
	struct kept file;

	if (kept_open(&file, &s->vm, name, &why))
		die(EXIT_FAILURE, "--keep: %s", why);
	doc = capture_take(s, want, kept_name(&file), "demand", &why);
	if (!doc)
		die(EXIT_FAILURE, "%s", why);
	reply = kept_finish(&file, doc, &why);
	json_decref(doc);
	if (!reply)
		die(EXIT_FAILURE, "--keep: %s", why);
	puts(json_string_value(json_object_get(reply, "file")));
	json_decref(reply);
	return 0;
}

int command_capture(int argc, char **argv)
{
	_cleanup_free_ char *epilogue = section_list(), *why = NULL;
	_cleanup_free_ const char **sections = NULL, **maps = NULL;
	size_t n_sections = 0, n_maps = 0;
	struct options o = {
		.synopsis = "capture [OPTIONS] RUNDIR|SOCKET",
		.summary = "Print a snapshot of a live VM as JSON.",
		.epilogue = epilogue,
		.rows = rows,
		.n_rows = ARRAY_SIZE(rows),
		.permute = 1,
		.argc = argc,
		.argv = argv,
	};
	const char *value, *name = NULL;
	struct capture_want want = {};
	struct session s;
	char **operands;
	bool keep = false;
	int id, ret;

	while ((id = options_next(&o, &value))) {
		if (id == OPT_ONLY) {
			check_section(value);
			ptrlist_add(&sections, &n_sections, value);
		} else if (id == OPT_MAP) {
			ptrlist_add(&maps, &n_maps, value);
		} else if (id == OPT_CHASE) {
			want.chase = chase_levels(value);
		} else if (id == OPT_NAME) {
			name = value;
		} else if (id == OPT_KEEP) {
			keep = true;
		} else {
			diag_set_verbosity(diag_verbosity() + 1);
		}
	}
	operands = options_operands(&o);
	if (!operands[0] || operands[1])
		die(EXIT_USAGE, "capture: expected one run directory or control socket");
	want.sections = sections;
	want.maps = maps;
	if (session_open(&s, operands[0], false, &why))
		die(EXIT_FAILURE, "%s", why);
	ret = keep ? capture_keep(&s, &want, name ? name : "demand")
		   : capture_print(&s, &want, name);
	session_close(&s);
	if (ret || fflush(stdout) || ferror(stdout))
		die(EXIT_INTERNAL, "cannot write the snapshot");
	return 0;
}
