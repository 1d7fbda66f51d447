// SPDX-License-Identifier: GPL-2.0
#include "stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bind.h"
#include "cleanup.h"
#include "diag.h"
#include "stats_reader.h"

#define CHUNK_SIZE (128 * 1024)
/* Each step keeps a place for each cgroup. */
#define STEP_CGROUPS_MAX 1000000

static void cgroup_free(struct cgroup *cg)
{
	free(cg->name);
	free(cg->mempolicy);
	free(cg->nodes_expected);
	memset(cg, 0, sizeof(*cg));
}

static char *copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

/* Put a step's cgroups where the run's are, so that positions are the same. */
static const char *step_place(const struct measured *run, struct measured *m)
{
	struct cgroup *all = xcalloc(run->n_cgroups + 1, sizeof(*all));
	const char *wrong = NULL;
	size_t i;

	for (i = 0; i < m->n_cgroups; i++) {
		struct cgroup *cg = &m->cgroups[i];

		if (cg->index >= (int64_t)run->n_cgroups || all[cg->index].name) {
			wrong = "expected each cgroup's index in a step to be one in cgroups, once";
			cgroup_free(cg);
		} else {
			all[cg->index] = *cg;
		}
	}
	for (i = 0; i < run->n_cgroups; i++) {
		const struct cgroup *whole = &run->cgroups[i];

		if (!all[i].name) {
			all[i].name = xstrdup(whole->name);
			all[i].wake.count = BIND_NONE;
		}
		if (!all[i].mempolicy && !all[i].nodes_expected) {
			all[i].mempolicy = copy(whole->mempolicy);
			all[i].nodes_expected = copy(whole->nodes_expected);
		}
		all[i].index = i;
	}
	free(m->cgroups);
	m->cgroups = all;
	m->n_cgroups = run->n_cgroups;
	return wrong;
}

static bool workers_placed(const struct measured *m, size_t n_cgroups)
{
	size_t i;

	for (i = 0; i < m->n_workers; i++) {
		if (m->workers[i].cgroup >= (int64_t)n_cgroups)
			return false;
	}
	return true;
}

const char *stats_settle(struct stats_reader *r, const char **key)
{
	struct stats *s = &r->s;
	const char *wrong = NULL;
	size_t i;

	*key = "workers";
	s->run.has_workers = true;
	s->has_nodes = r->n_nodes != BIND_NONE;
	if (!workers_placed(&s->run, s->run.n_cgroups))
		return "expected each worker's cgroup_index to be a position in cgroups";
	*key = "steps";
	if (s->n_steps * s->run.n_cgroups > STEP_CGROUPS_MAX)
		return "expected at most a million cgroups over all steps";
	for (i = 0; i < s->n_steps && !wrong; i++) {
		if (!workers_placed(&s->steps[i], s->run.n_cgroups))
			return "expected each worker's cgroup_index to be a position in cgroups";
		wrong = step_place(&s->run, &s->steps[i]);
	}
	return wrong;
}

static void worker_free(struct worker *w)
{
	free(w->cpus_used);
	free(w->cpus_allowed);
	free(w->exit);
}

void measured_free(struct measured *m)
{
	size_t i;

	for (i = 0; i < m->n_cgroups; i++)
		cgroup_free(&m->cgroups[i]);
	for (i = 0; i < m->n_workers; i++)
		worker_free(&m->workers[i]);
	for (i = 0; i < m->n_gathered; i++) {
		if (m->gathered[i])
			free(m->gathered[i]->pages.v);
		free(m->gathered[i]);
	}
	free(m->step);
	free(m->cgroups);
	free(m->workers);
	free(m->gathered);
	memset(m, 0, sizeof(*m));
}

static void strings_free(struct bind_strings *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		free(list->v[i]);
	free(list->v);
}

void stats_free(struct stats *s)
{
	size_t i;

	free(s->schema);
	free(s->scenario);
	free(s->topology);
	free(s->sched);
	free(s->exit);
	strings_free(&s->errors);
	strings_free(&s->step_names);
	measured_free(&s->run);
	for (i = 0; i < s->n_steps; i++)
		measured_free(&s->steps[i]);
	free(s->steps);
	memset(s, 0, sizeof(*s));
}

struct stats_reader *stats_open(const char *step)
{
	struct stats_reader *r = xcalloc(1, sizeof(*r));

	r->step = step;
	r->bind = bind_open(&stats_type, r);
	return r;
}

int stats_feed(struct stats_reader *r, const void *data, size_t len)
{
	return bind_feed(r->bind, data, len);
}

int stats_finish(struct stats_reader *r, struct stats *s)
{
	int err = bind_finish(r->bind);
	size_t i;

	if (err)
		return err;
	*s = r->s;
	memset(&r->s, 0, sizeof(r->s));
	measured_rollup(s, &s->run);
	for (i = 0; i < s->n_steps; i++)
		measured_rollup(s, &s->steps[i]);
	return 0;
}

const char *stats_error(const struct stats_reader *r)
{
	return bind_error(r->bind);
}

void stats_close(struct stats_reader *r)
{
	bind_close(r->bind);
	cgroup_free(&r->cgroup);
	cgroup_free(&r->step_cgroup.cg);
	worker_free(&r->worker.worker);
	free(r->worker.pages.v);
	measured_free(&r->next_step);
	stats_free(&r->s);
	free(r);
}

int stats_read(int fd, const char *step, struct stats *s, char **message)
{
	_cleanup_free_ char *chunk = xmalloc(CHUNK_SIZE);
	struct stats_reader *r = stats_open(step);
	ssize_t n;
	int err = 0;

	memset(s, 0, sizeof(*s));
	while (!err) {
		n = read(fd, chunk, CHUNK_SIZE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err = -errno;
		else
			err = n ? stats_feed(r, chunk, n) : stats_finish(r, s);
		if (n <= 0)
			break;
	}
	if (err)
		*message = xstrdup(stats_error(r) ? stats_error(r) : strerror(-err));
	stats_close(r);
	return err;
}
