// SPDX-License-Identifier: GPL-2.0
#include "print.h"

#include <inttypes.h>
#include <stdio.h>

#include "cleanup.h"
#include "diag.h"
#include "emit.h"
#include "exits.h"

/* For --list: note the topology of a variant. */
static void topology_note(void *seen, const struct variant *v)
{
	((bool *)seen)[v->at[DIM_TOPOLOGY]] = true;
}

static void list_print(const struct matrix *m, const bool *seen)
{
	size_t i;

	printf("%-20s %-12s %5s %5s %5s  %s\n", "NAME", "TOPOLOGY", "CPUS", "LLCS", "NODES", "SMT");
	for (i = 0; i < m->dims[DIM_TOPOLOGY].n; i++) {
		const struct value *v = &m->dims[DIM_TOPOLOGY].values[i];
		const struct topology *t = &v->topology;
		_cleanup_free_ char *text = topology_format(t);

		if (seen[i])
			printf("%-20s %-12s %5u %5u %5u  %s\n", v->part[0].raw, text,
			       topology_cpus(t), t->llcs, t->numa_nodes,
			       t->threads > 1 ? "yes" : "no");
	}
}

/* After the walk: was there anything to visit, and if not, is that a mistake? */
static void walk_check(const struct walk *w, const struct settings *s, uint64_t all)
{
	if (!w->selected)
		globs_die(s, all);
	if (!w->visited)
		fprintf(stderr, "kt-gauntlet: shard %u/%u holds none of %" PRIu64 " variants\n",
			s->shard.part, s->shard.of, w->selected);
	info("%" PRIu64 " of %" PRIu64 " variants", w->visited, all);
}

void matrix_print(struct matrix *m, const struct settings *s, const struct picks *picks)
{
	struct walk w = {.m = m, .picks = picks, .shard = &s->shard};
	uint64_t all;

	if (matrix_count(m, &all))
		die(EXIT_USAGE, "more variants than can be counted: narrow them");
	if (s->list) {
		_cleanup_free_ bool *seen = xcalloc(m->dims[DIM_TOPOLOGY].n, sizeof(*seen));

		variants_walk(&w, topology_note, seen);
		walk_check(&w, s, all);
		list_print(m, seen);
	} else {
		struct emit e;

		emit_init(&e, m, s->format, s->out, s->vmm.list, s->command);
		variants_walk(&w, emit_variant, &e);
		walk_check(&w, s, all);
		emit_finish(&e);
		emit_free(&e);
	}
}
