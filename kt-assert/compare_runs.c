// SPDX-License-Identifier: GPL-2.0
#include "compare_runs.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "diag.h"

#define LEVELS_MAX 8 /* directories within directories of runs */

static void leave_out(struct comparison *c, enum side side, const char *path, char *why)
{
	c->left_out = xrealloc(c->left_out, (c->n_left_out + 1) * sizeof(*c->left_out));
	c->left_out[c->n_left_out++] = (struct left_out){xstrdup(path), why, side};
}

static int take_run(struct comparison *c, enum side side, const char *path, char **message)
{
	struct run_figures *f = xcalloc(1, sizeof(*f));
	_cleanup_free_ char *why = NULL;

	switch (figures_read(path, f, &why)) {
	case FIGURES_FOUND:
		ptrlist_add(&c->runs[side], &c->n_runs[side], f);
		return 0;
	case FIGURES_LEFT_OUT:
		leave_out(c, side, path, take_ptr(why));
		break;
	case FIGURES_BAD:
		*message = take_ptr(why);
		break;
	}
	figures_free(f);
	free(f);
	return *message ? -EBADMSG : 0;
}

static bool holds(const char *dir, const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);

	return !access(path, F_OK);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int collect(struct comparison *c, enum side side, const char *path, int level,
		   char **message);

static bool is_stats_file(const char *name)
{
	size_t len = strlen(name);

	return len > 5 && !strcmp(name + len - 5, ".json");
}

/*
 * The directories in @dir, or, if there are none, the stats files in it. One that has neither is a
 * run that left nothing.
 */
static int collect_below(struct comparison *c, enum side side, const char *dir, int level,
			 char **message)
{
	size_t directories = 0, files = 0, pass;
	struct dirent **entries;
	int n = scandir(dir, &entries, is_visible, alphasort), err = 0, i;

	if (n < 0) {
		err = -errno;
		*message = xasprintf("cannot read '%s': %s", dir, strerror(-err));
		return err;
	}
	for (pass = 0; pass < 2 && !directories; pass++) {
		for (i = 0; i < n && !err; i++) {
			_cleanup_free_ char *path = xasprintf("%s/%s", dir, entries[i]->d_name);
			struct stat st;

			if (stat(path, &st) || S_ISDIR(st.st_mode) != !pass ||
			    (pass && !is_stats_file(path)))
				continue;
			pass ? files++ : directories++;
			err = collect(c, side, path, level + 1, message);
		}
	}
	for (i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
	if (!directories && !files)
		leave_out(c, side, dir, xstrdup("it has neither run.json nor stats.json"));
	return err;
}

static int collect(struct comparison *c, enum side side, const char *path, int level,
		   char **message)
{
	struct stat st;

	if (stat(path, &st)) {
		int err = -errno;

		*message = xasprintf("cannot read '%s': %s", path, strerror(-err));
		return err;
	}
	if (!S_ISDIR(st.st_mode) || holds(path, "run.json") || holds(path, "stats.json"))
		return take_run(c, side, path, message);
	if (level < LEVELS_MAX)
		return collect_below(c, side, path, level, message);
	*message =
		xasprintf("%s: expected run directories at most %d levels down", path, LEVELS_MAX);
	return -EBADMSG;
}

int runs_collect(struct comparison *c, enum side side, char *const *paths, char **message)
{
	int err = 0;

	for (; !err && *paths; paths++)
		err = collect(c, side, *paths, 0, message);
	return err;
}

static const char *known(const char *text)
{
	return text ? text : "";
}

/* What is not to differ, in one string. */
static char *run_key(const struct comparison *c, const struct run_figures *f, bool by_sched)
{
	const struct compare_options *o = c->options;

	return xasprintf("%s\n%s\n%s\n%s", o->across_scenario ? "" : f->scenario,
			 o->across_topology ? "" : known(f->topology),
			 o->across_kernel ? "" : known(f->kernel), by_sched ? known(f->sched) : "");
}

static size_t group_find(struct comparison *c, const char *key)
{
	size_t i;

	for (i = 0; i < c->n_groups; i++) {
		if (!strcmp(c->groups[i].key, key))
			return i;
	}
	c->groups = xrealloc(c->groups, (i + 1) * sizeof(*c->groups));
	c->groups[i] = (struct comparison_group){.key = xstrdup(key)};
	c->n_groups++;
	return i;
}

/* The group's words: those of its runs, when all have the same. */
static void describe(struct comparison_group *g, enum side side, const struct run_figures *f,
		     bool first)
{
	const char **words[] = {&g->scenario, &g->topology, &g->kernel};
	const char *own[] = {f->scenario, f->topology, f->kernel};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (first)
			*words[i] = own[i];
		else if (strcmp(known(*words[i]), known(own[i])))
			*words[i] = NULL;
	}
	g->sched[side] = f->sched;
}

/* Put the run @f into its group. @by_key, if given, has the groups before schedulers are told
 * apart. */
static size_t group_add(struct comparison *c, enum side side, const struct run_figures *f,
			const struct comparison *by_key)
{
	_cleanup_free_ char *key = run_key(c, f, false);
	struct comparison_group *g;
	size_t i;

	for (i = 0; by_key && i < by_key->n_groups; i++) {
		if (by_key->groups[i].mixed && !strcmp(by_key->groups[i].key, key)) {
			free(key);
			key = run_key(c, f, true);
			break;
		}
	}
	i = group_find(c, key);
	g = &c->groups[i];
	if (g->n[side] && strcmp(known(g->sched[side]), known(f->sched)))
		g->mixed = true;
	describe(g, side, f, !g->n[SIDE_BASELINE] && !g->n[SIDE_NOW]);
	g->n[side]++;
	return i;
}

/*
 * Schedulers may differ between the sides: that is what is compared. Where a side itself has
 * several they are told apart.
 */
void runs_group(struct comparison *c, size_t *group_of[SIDES_N])
{
	struct comparison by_key = {.options = c->options};
	size_t side, i;

	for (side = 0; side < SIDES_N; side++) {
		for (i = 0; i < c->n_runs[side]; i++)
			group_add(&by_key, side, c->runs[side][i], NULL);
	}
	for (side = 0; side < SIDES_N; side++) {
		group_of[side] = xcalloc(c->n_runs[side] + 1, sizeof(**group_of));
		for (i = 0; i < c->n_runs[side]; i++)
			group_of[side][i] = group_add(c, side, c->runs[side][i], &by_key);
	}
	for (i = 0; i < by_key.n_groups; i++)
		free(by_key.groups[i].key);
	free(by_key.groups);
}
