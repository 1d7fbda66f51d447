// SPDX-License-Identifier: GPL-2.0
#include "choose.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "budget.h"
#include "candidates.h"
#include "cleanup.h"
#include "diag.h"
#include "exits.h"

#define NS_PER_S 1000000000ULL

static void candidates_make(struct candidates *c, struct matrix *m, const struct settings *s,
			    const struct picks *from)
{
	uint64_t all;

	if (candidates_init(c, m, from))
		die(EXIT_USAGE, "more than %d variants to choose among: narrow them",
		    CANDIDATES_MAX);
	if (!c->n) {
		matrix_count(m, &all);
		globs_die(s, all);
	}
}

static void pairwise(struct matrix *m, const struct settings *s, struct picks *picks)
{
	struct pairwise_size size;
	struct candidates c;

	candidates_make(&c, m, s, NULL);
	if (pairwise_choose(m, &c, s->pairwise, picks, &size))
		die(EXIT_USAGE, "--pairwise: too many pairs of values: narrow them");
	fprintf(stderr,
		"kt-gauntlet: pairwise: %zu of %zu variants cover all %" PRIu64
		" pairs of values (no fewer than %zu can)\n",
		picks->n, c.n, size.pairs, size.least);
	candidates_free(&c);
}

/* "1h02m", "4m10s", "7.5s". Caller frees. */
static char *duration_format(uint64_t ns)
{
	uint64_t s = (ns + NS_PER_S / 2) / NS_PER_S;

	if (s >= 3600)
		return xasprintf("%" PRIu64 "h%02" PRIu64 "m", s / 3600, s / 60 % 60);
	if (s >= 60)
		return xasprintf("%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
	return xasprintf("%.1fs", (double)ns / NS_PER_S);
}

/* "7/7 CPU counts, 2/3 kernels": of classes with anything to tell apart. Caller frees. */
static char *coverage_format(const struct coverage *cover, size_t *covered, size_t *reachable)
{
	char *text = NULL;
	size_t size, c;
	FILE *out = open_memstream(&text, &size);

	*covered = *reachable = 0;
	for (c = 0; c < FEATURE_CLASSES; c++) {
		if (!cover->reachable[c])
			continue;
		fprintf(out, "%s%zu/%zu %s", *reachable ? ", " : "", cover->covered[c],
			cover->reachable[c], feature_class_name(c));
		*covered += cover->covered[c];
		*reachable += cover->reachable[c];
	}
	fclose(out);
	return text;
}

static void history_load(struct history *h, const struct matrix *m, const struct settings *s)
{
	size_t i;

	*h = (struct history){.parts = matrix_base_parts(m)};
	for (i = 0; i < s->histories.n; i++) {
		int err = history_read(h, s->histories.list[i]);

		if (err)
			die(EXIT_USAGE, "--history %s: %s", s->histories.list[i], strerror(-err));
	}
	history_sort(h);
}

static void coverage_say(const struct settings *s, const struct coverage *cover, size_t n,
			 size_t total)
{
	_cleanup_free_ char *budget = duration_format(s->budget_ns);
	_cleanup_free_ char *taken = duration_format(cover->ns);
	_cleanup_free_ char *least = duration_format(cover->least_ns);
	_cleanup_free_ char *classes = NULL;
	size_t covered, reachable;

	if (!n)
		die(EXIT_FAILURE, "--budget leaves none of %zu variants: %s, the shortest takes %s",
		    total, budget, least);
	classes = coverage_format(cover, &covered, &reachable);
	fprintf(stderr,
		"kt-gauntlet: budget %s: %zu of %zu variants, about %s (%zu recorded, %zu "
		"estimated), cover %zu of %zu features: %s\n",
		budget, n, total, taken, cover->recorded, n - cover->recorded, covered, reachable,
		classes);
}

static void budget(struct matrix *m, const struct settings *s, uint64_t run_ns,
		   const struct picks *from, struct picks *picks)
{
	struct coverage cover;
	struct candidates c;
	struct history h;

	candidates_make(&c, m, s, from);
	history_load(&h, m, s);
	candidates_estimate(&c, m, &h, run_ns);
	history_free(&h);
	budget_choose(m, &c, s->budget_ns, picks, &cover);
	coverage_say(s, &cover, picks->n, c.n);
	candidates_free(&c);
}

void variants_choose(struct matrix *m, const struct settings *s, uint64_t run_ns,
		     struct picks *picks)
{
	struct picks from = {0};

	*picks = (struct picks){0};
	if (s->pairwise)
		pairwise(m, s, picks);
	if (!s->budget_ns)
		return;
	from = *picks;
	budget(m, s, run_ns, s->pairwise ? &from : NULL, picks);
	free(from.index);
}
