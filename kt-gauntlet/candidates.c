// SPDX-License-Identifier: GPL-2.0
#include "candidates.h"

#include <errno.h>
#include <stdlib.h>

#include "cleanup.h"
#include "diag.h"

/*
 * Boots of stock kernels by emulation, measured (docs/man/kt-gauntlet.1.scd, ESTIMATES): 2.6 s with
 * 4 CPUs, 6 s with 32, 12 to 16 s with 64, 76 to 94 s with 128. Large ones cost more than their
 * share, because the CPUs that wait for others are emulated in turn.
 */
#define BOOT_NS	     2200000000.0
#define BOOT_CPU_NS  80000000.0
#define BOOT_CPU3_NS 37000.0

static double model_ns(const struct topology *t, uint64_t run_ns)
{
	double cpus = topology_cpus(t);

	return BOOT_NS + BOOT_CPU_NS * cpus + BOOT_CPU3_NS * cpus * cpus * cpus + run_ns;
}

/* How many repetitions of @v do the patterns let through? */
static uint32_t reps_wanted(struct matrix *m, struct variant *v, char *name)
{
	size_t reps = m->dims[DIM_REP].n;
	uint32_t wanted = 0;

	if (!m->globs)
		return reps;
	for (v->at[DIM_REP] = 0; v->at[DIM_REP] < reps; v->at[DIM_REP]++) {
		matrix_name(m, v, name);
		wanted += matrix_wants(m, v, name);
	}
	v->at[DIM_REP] = 0;
	return wanted;
}

int candidates_init(struct candidates *c, struct matrix *m, const struct picks *from)
{
	_cleanup_free_ char *name = xmalloc(matrix_name_size(m));
	uint64_t reps = m->dims[DIM_REP].n, total, i;
	struct variant v;

	*c = (struct candidates){0};
	if (matrix_count(m, &total) || reps > UINT32_MAX)
		return -E2BIG;
	total = from ? from->n : total / reps;
	if (total > CANDIDATES_MAX)
		return -E2BIG;
	c->rows = xcalloc(total + 1, sizeof(*c->rows));
	for (i = 0; i < total; i++) {
		struct candidate *row = &c->rows[c->n];

		row->index = from ? from->index[i] : i * reps;
		matrix_decode(m, row->index, &v);
		row->reps = reps_wanted(m, &v, name);
		c->n += row->reps > 0;
	}
	return 0;
}

void candidates_free(struct candidates *c)
{
	free(c->rows);
	*c = (struct candidates){0};
}

void candidates_estimate(struct candidates *c, struct matrix *m, const struct history *h,
			 uint64_t run_ns)
{
	_cleanup_free_ char *name = xmalloc(matrix_name_size(m));
	_cleanup_free_ double *models = xcalloc(m->dims[DIM_TOPOLOGY].n, sizeof(*models));
	double ratios = 0, scale;
	size_t known = 0, i;
	struct variant v;

	for (i = 0; i < m->dims[DIM_TOPOLOGY].n; i++)
		models[i] = model_ns(&matrix_value(m, DIM_TOPOLOGY, i)->topology, run_ns);
	for (i = 0; i < c->n && h->n; i++) {
		struct candidate *row = &c->rows[i];

		matrix_decode(m, row->index, &v);
		matrix_base_name(m, &v, name);
		row->ns = row->reps * history_find(h, name);
		row->recorded = row->ns;
		if (row->recorded) {
			ratios += row->ns / row->reps / models[v.at[DIM_TOPOLOGY]];
			known++;
		}
	}
	scale = known ? ratios / known : 1;
	for (i = 0; i < c->n; i++) {
		struct candidate *row = &c->rows[i];

		matrix_decode(m, row->index, &v);
		if (!row->recorded)
			row->ns = row->reps * models[v.at[DIM_TOPOLOGY]] * scale;
	}
}
